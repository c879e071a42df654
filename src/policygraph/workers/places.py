"""The places: which queries run, and whose, over all web processes of a server.

Who gets one:

- One client has at most `per_client` places, and never the last: one is left to others. Queries
  without a client are the server's own, and may have all.
- Who finds none waits, for at most `patience`. At most `waiting` queries wait, half of them of one
  client.
- Who has waited for a tenth of a second because others have all places lets one of them make room:
  a query that has run for its `assured` time, of a client with more places than the one who waits.
  Of those it is one of the client with most places, the oldest. So places go from who has more to
  who has less, and not to and fro between two with as many; and one at a time.
- Who has all places that one client may have takes none from others, and none from its own queries:
  those end as they end, or at their time.

The process whose query is to make room sees it when it next looks (`Worker.answer`), and ends it.
"""

import os
import select
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from policygraph.errors import ClientGone, LimitReached, TooBusy, TooManyFromOne
from policygraph.workers.limits import Limits
from policygraph.workers.place import Guard, Place

SHEDS_AFTER = 0.1
"""Seconds that a query waits before another has to make room for it."""
ASKS_EVERY = 0.25
"""Seconds between two questions whether the client is still there."""
LOOKS_EVERY = 0.01
"""Seconds between two looks for a place, when nobody says before that one is free."""
_NOBODY = bytes(16)

IsGone = Callable[[], bool]


class Places:
    """The places in a folder, which all processes of a server share. To be made after a fork.

    `processes` is how many share them: each lets its part of `waiting` wait.
    """

    def __init__(self, folder: Path, limits: Limits, *, processes: int = 1) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._limits = limits
        self._guard = Guard(folder / "guard")
        self._places = [Place(folder / f"place-{number}") for number in range(limits.running)]
        self._freed = _pipe(folder / "freed")
        self._waiting: Counter[bytes] = Counter()
        self._most_waiting = -(-limits.waiting // processes)
        self._lock = threading.Lock()

    @contextmanager
    def place(self, client: str = "", is_gone: IsGone | None = None) -> Iterator[Place]:
        """Have a place, as long as a query of this client runs.

        Raises TooBusy when there is none, TooManyFromOne when that is for the client's own queries,
        ClientGone when `is_gone` says so before there is one.
        """
        place = self.claim(client) or self._wait(_key(client), is_gone)
        try:
            yield place
        finally:
            self.free(place)

    def claim(self, client: str) -> Place | None:
        """Take a place now; None when none is free for this client. It is to be freed."""
        return self._claim(_key(client))

    def free(self, place: Place) -> None:
        """Give a place back, and let who waits know."""
        with self._guard:
            place.leave()
            is_awaited = self._guard.is_awaited()
        if is_awaited:
            with suppress(BlockingIOError):
                os.write(self._freed, b".")

    def close(self) -> None:
        """Forget the places; no query of this process runs any more."""
        self._guard.close()
        for place in self._places:
            place.close()
        os.close(self._freed)

    def _claim(self, client: bytes) -> Place | None:
        """Take a place that is free, unless the client has all it may have."""
        with self._guard:
            free = [place for place in self._places if not place.is_taken()]
            if not free or self._has_its_share(client):
                return None
            free[0].take(client)
            return free[0]

    def _wait(self, client: bytes, is_gone: IsGone | None) -> Place:
        sheds, asks = Every(SHEDS_AFTER), Every(ASKS_EVERY)
        until = time.monotonic() + self._limits.patience
        with self._waits(client):
            while time.monotonic() < until:
                self._sleep()
                place = self._claim(client)
                if place:
                    return place
                if asks.is_due() and is_gone and is_gone():
                    raise gone()
                if sheds.is_due():
                    self._shed_for(client)
        raise self._no_place_for(client)

    @contextmanager
    def _waits(self, client: bytes) -> Iterator[None]:
        with self._lock:
            if self._waiting.total() >= self._most_waiting:
                raise TooBusy("too many queries are waiting; try again in a few seconds")
            if client != _NOBODY and self._waiting[client] >= max(1, self._most_waiting // 2):
                raise TooManyFromOne(
                    "too many of your queries are waiting; send fewer at once, this one again later"
                )
            self._waiting[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[client] -= 1
                self._waiting = +self._waiting  # forgets who waits no more

    def _sleep(self) -> None:
        """Sleep until a place is free, or for so long that it is worth a look."""
        self._guard.wait_for(2 * LOOKS_EVERY)
        watch = select.poll()
        watch.register(self._freed, select.POLLIN)
        if watch.poll(LOOKS_EVERY * 1000):
            with suppress(BlockingIOError):  # another was faster
                os.read(self._freed, 1)

    def _shed_for(self, client: bytes) -> None:
        """Let a query make room for a client, if it is fair (above)."""
        with self._guard:
            taken = [place for place in self._places if place.is_taken()]
            if any(place.is_shed() for place in taken) or self._has_its_share(client):
                return
            has = Counter(place.client for place in taken)
            due = [place for place in taken if place.age() >= self._limits.assured]
            due = [place for place in due if has[place.client] > has[client]]
            if due and len(taken) == len(self._places):
                max(due, key=lambda place: (has[place.client], place.age())).shed()

    def _has_its_share(self, client: bytes) -> bool:
        """Say whether a client has all places it may have. They have been looked at just before."""
        most = max(1, min(self._limits.per_client, self._limits.running - 1))
        mine = sum(place.client == client for place in self._places if place.since)
        return client != _NOBODY and mine >= most

    def _no_place_for(self, client: bytes) -> LimitReached:
        with self._guard:
            if self._has_its_share(client):
                return TooManyFromOne(
                    "your other queries have all the places that one client may have; wait for them"
                )
        return TooBusy("no query ended in time to make room; try again in a few seconds")


class Every:
    """Says once in so many seconds that it is time again, first when they have gone by."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = time.monotonic() + seconds

    def is_due(self) -> bool:
        """Say whether it is time."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self._seconds
        return True


def gone() -> ClientGone:
    """Return the error for a client that does not wait for its answer."""
    return ClientGone("the client left before its query was answered")


def _key(client: str) -> bytes:
    return blake2b(client.encode(), digest_size=16).digest() if client else _NOBODY


def _pipe(path: Path) -> int:
    """Open a named pipe; a byte in it says that a place was freed while somebody waited."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)
