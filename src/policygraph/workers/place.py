"""Files that the web processes of a server share: a place for each query that runs, and a guard.

A place is locked (flock) by the process whose query has it, so that the kernel gives it back when
that process dies, and mapped into memory, where it says whose the query is, since when it runs, and
whether it is to make room.
"""

import fcntl
import mmap
import os
import struct
import threading
import time
from pathlib import Path

_RECORD = struct.Struct("<16sd?")
_STAYS, _MAKES_ROOM = False, True
_EMPTY = bytes(_RECORD.size)
_TIME = struct.Struct("<d")


class Place:
    """One place. All but `is_shed` is called with the guard held."""

    def __init__(self, path: Path) -> None:
        self._file, self._bytes = _mapped(path, _RECORD.size)
        self._is_ours = False
        self.client = b""
        """Whose query runs here, as `is_taken` found it: 16 bytes."""
        self.since = 0.0
        """When it began; 0 when none runs here."""

    def is_taken(self) -> bool:
        """Say whether a query runs here, and read whose. That of a dead process does not."""
        self.client, self.since, _ = _RECORD.unpack_from(self._bytes)
        if self._is_ours or not self.since:
            return self._is_ours
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        self.leave()
        return False

    def take(self, client: bytes) -> None:
        """Write down that a query begins to run here; the place is free."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._is_ours = True
        self.client, self.since = client, time.monotonic()
        _RECORD.pack_into(self._bytes, 0, client, self.since, _STAYS)

    def leave(self) -> None:
        """Write down that no query runs here any more."""
        self._bytes[: _RECORD.size] = _EMPTY
        self._is_ours, self.since = False, 0.0
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def age(self) -> float:
        """Return the seconds that the query here has run."""
        return time.monotonic() - self.since  # the clock is the machine's, for all processes

    def shed(self) -> None:
        """Tell the query here to make room."""
        self._bytes[_RECORD.size - 1] = _MAKES_ROOM

    def is_shed(self) -> bool:
        """Say whether the query here is to make room."""
        return bool(self._bytes[_RECORD.size - 1])

    def close(self) -> None:
        """Forget the place."""
        self._bytes.close()
        os.close(self._file)


class Guard:
    """Held by the one thread, of all in all processes, that looks who runs and changes it.

    It also knows whether anybody waits: for how long, so that the dead do not wait for ever.
    """

    def __init__(self, path: Path) -> None:
        self._file, self._bytes = _mapped(path, _TIME.size)
        self._lock = threading.Lock()  # flock tells processes apart, and threads not

    def __enter__(self) -> None:
        """Wait for it."""
        self._lock.acquire()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        """Let others have it."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    def wait_for(self, seconds: float) -> None:
        """Write down that somebody will wait for so long."""
        _TIME.pack_into(self._bytes, 0, time.monotonic() + seconds)

    def is_awaited(self) -> bool:
        """Say whether somebody waits."""
        until: float = _TIME.unpack_from(self._bytes)[0]
        return time.monotonic() < until

    def close(self) -> None:
        """Forget the guard."""
        self._bytes.close()
        os.close(self._file)


def _mapped(path: Path, size: int) -> tuple[int, mmap.mmap]:
    """Open a file, made where it is not there, and map it; what others wrote stays."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.posix_fallocate(file, 0, size)  # a hole in a file on a full disk would end the process
    return file, mmap.mmap(file, size)
