"""What becomes of a query while it runs: it needs a place, has to make room, or nobody waits."""

from collections.abc import Callable
from dataclasses import dataclass

from policygraph.errors import TooBusy
from policygraph.workers.place import Place
from policygraph.workers.places import ASKS_EVERY, Every, IsGone, Places, gone
from policygraph.workers.task import Task


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
    """A query on trial. The first look at it comes when it would need a place."""

    def __init__(self, run: Run, places: Places, promoted: Callable[[], None]) -> None:
        self._run = run
        self._places = places
        self._promoted = promoted
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
