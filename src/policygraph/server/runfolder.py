"""The folder of one running server: how its processes tell each other what is served.

    current           what is served now (`Version`), replaced whole
    last-check.json   when the project's files were last checked, and what came out
    acks/PID          what a web process serves: nothing older is in use there
    fork-…            the sockets of the versions' fork servers
    places/, metrics/ what queries run, and what is counted, over all web processes

It is private and temporary: one that a killed server left means nothing to the next.
"""

import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policygraph.project import write_file


@dataclass(frozen=True, slots=True)
class Version:
    """What is served: the snapshot in a folder, asked through the socket of its fork server."""

    number: int
    snapshot: Path
    socket: Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder. Its files are written whole, so that who reads sees the old or the new."""

    path: Path

    @property
    def places(self) -> Path:
        """The folder of the queries that run."""
        return self.path / "places"

    @property
    def metrics(self) -> Path:
        """The folder of what is counted."""
        return self.path / "metrics"

    @property
    def check_file(self) -> Path:
        """The file that tells of the last check."""
        return self.path / "last-check.json"

    def publish(self, version: Version) -> None:
        """Let the web processes serve a version."""
        told = (version.number, str(version.snapshot), str(version.socket))
        write_file(self.path / "current", json.dumps(told))

    def published(self) -> Version:
        """Return what is to be served."""
        number, snapshot, socket = json.loads((self.path / "current").read_text(encoding="utf-8"))
        return Version(number, Path(snapshot), Path(socket))

    def acknowledge(self, number: int) -> None:
        """Say, as a web process, that nothing older than a version is in use here."""
        write_file(self._ack(os.getpid()), str(number))

    def acknowledged(self, pids: list[int]) -> int:
        """Return the oldest version that one of these web processes uses; 0 before they begin."""
        return min((self._acknowledged(pid) for pid in pids), default=0)

    def tell_check(self, *, conforms: bool, message: str) -> None:
        """Write down that the project's files were checked just now."""
        time = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        told = {"time": time, "conforms": conforms, "message": message}
        write_file(self.check_file, json.dumps(told))

    def _ack(self, pid: int) -> Path:
        return self.path / "acks" / str(pid)

    def _acknowledged(self, pid: int) -> int:
        try:
            return int(self._ack(pid).read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0


@contextmanager
def run_folder() -> Iterator[RunFolder]:
    """Give a new folder, that only this user may enter; remove it at the end."""
    folder = RunFolder(Path(tempfile.mkdtemp(prefix="policygraph-")))
    try:
        for path in (folder.places, folder.metrics):
            path.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)
