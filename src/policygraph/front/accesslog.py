"""The access log: a JSON object a line, without what would tell who asked what.

Of a client's address the network is kept (/24, /48), of a query its hash: what people ask about
politics is nobody's business.
"""

import datetime as dt
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STDERR = "-"
_BETWEEN_LOOKS = 1.0
"""Seconds after which it is looked whether the file was moved away (logrotate)."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_MODE = 0o640


class AccessLog:
    """Writes lines to a file, which several processes may share, or to standard error.

    It never raises: an answer is not lost because its line is.
    """

    def __init__(self, where: str) -> None:
        self._path = None if where == STDERR else where
        self._descriptor = 2 if where == STDERR else -1
        self._inode = 0
        self._looked = 0.0
        self._lock = threading.Lock()

    def write(self, members: Mapping[str, object]) -> None:
        """Add a line, with the time; in one piece, so that lines of processes do not mix."""
        # In ASCII: there are more ends of lines in Unicode than JSON has to escape.
        line = json.dumps({"time": _now(), **members}, default=str)
        with suppress(OSError):
            os.write(self._opened(), line.encode() + b"\n")

    def _opened(self) -> int:
        if self._path is not None and self._is_due():
            with self._lock:
                if self._is_due():
                    self._open_again(self._path)
                    self._looked = time.monotonic()
        return self._descriptor

    def _is_due(self) -> bool:
        return self._descriptor < 0 or time.monotonic() - self._looked > _BETWEEN_LOOKS

    def _open_again(self, path: str) -> None:
        """Open the file, if it is not the one that is open."""
        if self._descriptor >= 0 and _inode(path) == self._inode:
            return
        fresh = os.open(path, _FLAGS, _MODE)
        self._inode = os.fstat(fresh).st_ino
        if self._descriptor < 0:
            self._descriptor = fresh
            return
        os.dup2(fresh, self._descriptor, inheritable=False)  # no thread writes to a closed one
        os.close(fresh)


def _inode(path: str) -> int:
    with suppress(FileNotFoundError):
        return Path(path).stat().st_ino
    return 0


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
