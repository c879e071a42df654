"""The connections of this process: whether the client of a request is gone, and which are dead.

WSGI has no word for a client that goes away. The server closes the socket when that happens, also
while a request is worked on, so this looks at the process's own sockets (Linux: /proc and
TCP_INFO). Where they cannot be seen, no client is ever gone and no connection is ended.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from policygraph.front.requests import plain

_DESCRIPTORS = Path("/proc/self/fd")
_CAN_SEE = hasattr(socket, "TCP_INFO") and _DESCRIPTORS.is_dir()
_TCP_INFO = struct.Struct("8B24I")
_STATE, _LAST_SENT, _LAST_RECEIVED = 0, 8 + 9, 8 + 11
"""Where `struct tcp_info` (linux/tcp.h) has what is read of it; times are in ms."""
_ESTABLISHED = 1

_FRESH = 0.1
"""Seconds for which one look serves all; longer when looking itself takes long."""
_SHARE = 20
"""A look is good for so many times as long as it took."""
_FIRST_LOOK = 0.25
_SLACK = 60
"""Milliseconds between what the kernel and this process call the same time."""
_TICK = 10
"""Milliseconds that the kernel's clock may be coarse by, and more."""
_QUEUED = 500
"""Milliseconds for which a request may have waited before it was worked on."""
_BETWEEN_ROUNDS = 5.0
_ANSWERED = 100
"""Milliseconds before or after it is said to be sent, in which an answer is."""
_GRACE = 1.0
"""Seconds that who is condemned has to go by itself."""


class Connection(NamedTuple):
    """A TCP connection: its inode, the peer, whether it is open, ms since data came and went."""

    inode: int
    peer: str
    is_open: bool
    received: int
    sent: int


class Look(NamedTuple):
    """All connections as they were at a time (of time.monotonic)."""

    at: float
    connections: dict[int, Connection]


class Lookout:
    """Looks at the connections, once for all who want to know."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = Look(0.0, {})
        self._until = 0.0

    def look(self) -> Look:
        """Return the connections as they are now or were a moment ago."""
        with self._lock:
            start = time.monotonic()
            if start >= self._until:
                self._last = Look(start, {found.inode: found for _, found in seen()})
                end = time.monotonic()
                self._until = end + max(_FRESH, _SHARE * (end - start))
            return self._last


class Watch:
    """Watches for the client of one request to go away.

    Which connection is the request's is not known, so it watches those it may be: of the same
    peer, on which a request came about when this one began (of time.monotonic(); None: now) and
    nothing went either way since.
    """

    def __init__(self, lookout: Lookout, peer: str, began: float | None = None) -> None:
        self._lookout = lookout
        self._peer = plain(peer)
        self._began = time.monotonic() if began is None else began
        self._candidates: set[int] | None = None

    def is_gone(self) -> bool:
        """Say whether the client is gone for certain. Asked early, it only looks around."""
        if time.monotonic() - self._began < _FIRST_LOOK:
            return False
        look = self._lookout.look()
        if look.at - self._began < _FIRST_LOOK:
            return False
        elapsed = int((look.at - self._began) * 1000)
        open_ = {inode: found for inode, found in look.connections.items() if found.is_open}
        if self._candidates is None:
            found = open_.values()
            self._candidates = {one.inode for one in found if self._may_be_it(one, elapsed)}
            return False
        return self._all_are_gone(self._candidates, open_, elapsed)

    def _may_be_it(self, one: Connection, elapsed: int) -> bool:
        is_waiting = one.received <= one.sent + _TICK and _is_silent(one, elapsed)
        return one.peer == self._peer and is_waiting and one.received <= elapsed + _QUEUED

    def _all_are_gone(
        self, candidates: set[int], open_: dict[int, Connection], elapsed: int
    ) -> bool:
        left = candidates & open_.keys()
        # What was answered, or asked something else, was another request's.
        candidates -= {inode for inode in left if not _is_silent(open_[inode], elapsed)}
        return bool(candidates) and not candidates & open_.keys()


def _is_silent(one: Connection, elapsed: int) -> bool:
    return min(one.received, one.sent) >= elapsed - _SLACK


class _Condemned(NamedTuple):
    """A connection of a peer that was answered at a time, until it is over."""

    peer: str
    at: float
    is_over: Callable[[], bool]


class Reaper:
    """Ends connections on which nothing comes or goes for `idle` seconds, and condemned ones."""

    def __init__(self, idle: float) -> None:
        self._idle = int(idle * 1000)
        self._condemned: list[_Condemned] = []
        self._lock = threading.Lock()
        self._is_called = threading.Event()

    def start(self) -> None:
        """Begin, on a thread that ends with the process."""
        if _CAN_SEE:
            threading.Thread(target=self._go_round, name="reaper", daemon=True).start()

    def condemn(self, peer: str, is_over: Callable[[], bool]) -> None:
        """End the peer's connection that is answered now, unless it is over in a moment."""
        with self._lock:
            self._condemned.append(_Condemned(plain(peer), time.monotonic(), is_over))
        self._is_called.set()

    def reap(self) -> int:
        """End what is dead; return how many that was."""
        with self._lock:
            self._condemned = [one for one in self._condemned if not one.is_over()]
            condemned = tuple(self._condemned)
        count = 0
        for own, one in seen():
            if self._is_dead(one, condemned):
                count += 1
                with suppress(OSError):
                    own.shutdown(socket.SHUT_RDWR)
        return count

    def _go_round(self) -> None:
        while True:
            if self._is_called.wait(_BETWEEN_ROUNDS):
                self._is_called.clear()
                time.sleep(_GRACE)
            self.reap()

    def _is_dead(self, one: Connection, condemned: Iterable[_Condemned]) -> bool:
        if min(one.received, one.sent) > self._idle:
            return True
        sent_at = time.monotonic() - one.sent / 1000
        return any(
            one.peer == who.peer and abs(sent_at - who.at) * 1000 <= _ANSWERED for who in condemned
        )


def seen() -> Iterator[tuple[socket.socket, Connection]]:
    """Yield the TCP connections of this process, each with a socket that is open until the next."""
    for descriptor in list(_DESCRIPTORS.iterdir()) if _CAN_SEE else ():
        with suppress(OSError), _copied(descriptor) as own:
            found = own and _connection(own)
            if own and found:
                yield own, found


@contextmanager
def _copied(descriptor: Path) -> Iterator[socket.socket | None]:
    """Give a socket over a copy of a descriptor; None where that is no TCP socket."""
    if not str(descriptor.readlink()).startswith("socket:"):
        yield None
        return
    copy = os.dup(int(descriptor.name))
    try:
        own = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with own:
        is_tcp = own.family in {socket.AF_INET, socket.AF_INET6}
        yield own if is_tcp and own.type == socket.SOCK_STREAM else None


def _connection(own: socket.socket) -> Connection | None:
    peer = own.getpeername()[0]
    raw = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(raw) < _TCP_INFO.size:
        return None
    info = _TCP_INFO.unpack(raw)
    inode = os.fstat(own.fileno()).st_ino
    is_open = info[_STATE] == _ESTABLISHED
    return Connection(inode, plain(peer), is_open, info[_LAST_RECEIVED], info[_LAST_SENT])
