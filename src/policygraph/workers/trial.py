"""What becomes of a query while it runs: it needs a place, has to make room, or nobody waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from policygraph.errors import TooBusy
from policygraph.workers.place import Place
from policygraph.workers.places import ASKS_EVERY, Every, IsGone, Places, gone
from policygraph.workers.task import Task

_LONGEST = 10
"""How many times longer than its seconds a trial takes at most, by the clock."""


@dataclass(frozen=True, slots=True)
class Run:
    """A query that is to be run: what, for how many seconds, for whom."""

    task: Task
    seconds: float
    client: str
    is_gone: IsGone | None


class NeedsPlace(Exception):
    """A query on trial did not end, and there is no place for it."""


class Trial:
    """A query on trial: until it has taken so many seconds of a processor.

    Not of the clock: where many run at once each takes long, and to end them would take longest.
    """

    def __init__(
        self,
        run: Run,
        places: Places,
        *,
        seconds: float,
        spent: Callable[[], float],
        promoted: Callable[[], None],
    ) -> None:
        self._run = run
        self._places = places
        self._seconds = seconds
        self._spent = spent
        self._promoted = promoted
        self._begun = time.monotonic()
        self._place: Place | None = None
        self._look: Callable[[], None] = self._take_place

    def look(self) -> None:
        """Say what ends the query, by raising it; NeedsPlace when it may begin anew."""
        self._look()

    def end(self) -> None:
        """Give the place back, if it has one."""
        if self._place is not None:
            self._places.free(self._place)

    def _take_place(self) -> None:
        waited = time.monotonic() - self._begun
        if self._spent() < self._seconds and waited < _LONGEST * self._seconds:
            return
        self._place = self._places.claim(self._run.client)
        if self._place is None:
            raise NeedsPlace
        self._look = looking(self._place, self._run)
        self._promoted()


def looking(place: Place, run: Run) -> Callable[[], None]:
    """Return what ends a query while it runs: others who need its place, and a client who left."""
    asks = Every(ASKS_EVERY)

    def look() -> None:
        if place.is_shed():
            raise TooBusy(
                f"ended after {place.age():.1f} seconds to make room for others; try again"
            )
        if run.is_gone and asks.is_due() and run.is_gone():
            raise gone()

    return look
