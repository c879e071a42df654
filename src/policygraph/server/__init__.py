"""The server: have the port, take a snapshot, answer until told to stop.

This is the main process. It answers nothing itself: it starts web processes, again should one crash
(`processes`, `process`), and a fork server for what strangers ask (`policygraph.workers`), and
keeps new what they serve (`keeper`).
"""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from policygraph.project import Project
from policygraph.server.keeper import Keeper
from policygraph.server.listening import listening, url_of, wait_until_answered
from policygraph.server.process import WebProcess
from policygraph.server.processes import WebProcesses
from policygraph.server.runfolder import RunFolder, run_folder
from policygraph.snapshots import take_snapshot
from policygraph.web.settings import Settings


def serve(project: Project, settings: Settings) -> None:
    """Check a project and serve it until SIGINT or SIGTERM; on SIGHUP, read its files again.

    Raises ProjectError when the address cannot be used, CheckFailed (after printing the findings)
    when a rule is violated.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to replace
    stop = _Stop()
    with (
        suppress(KeyboardInterrupt),
        listening(settings.host, settings.port, settings.processes) as listeners,
        run_folder() as folder,
        _kept(project, settings, folder) as keeper,
    ):
        with stop.may_interrupt():
            on_disk = settings.store is not None
            snapshot = take_snapshot(project, place=settings.store, on_disk=on_disk)
        folder.tell_check(conforms=True, message="")
        keeper.publish(snapshot)
        with stop.may_interrupt():
            url = url_of(settings.host, settings.port)
            _announce(listeners[0], f"{snapshot.statements} statements at {url}")
            server = WebProcesses(listeners, keeper, settings)
            server.serve(target_loader=WebProcess(folder, settings), wrap_loader=False)


class _Stop:
    """The signal to stop, until granian takes it: it interrupts what may be left half done.

    What may not, for a process or a folder would be left behind, is ended first.
    """

    def __init__(self) -> None:
        self._has_come = False
        self._may_interrupt = False
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._come)

    @contextmanager
    def may_interrupt(self) -> Iterator[None]:
        """Let the signal, also one that has come, interrupt what is done. Only the first does."""
        self._may_interrupt = True
        if self._has_come:
            raise KeyboardInterrupt
        try:
            yield
        finally:
            self._may_interrupt = False

    def _come(self, _signal: int, _frame: FrameType | None) -> None:
        is_first, self._has_come = not self._has_come, True
        if is_first and self._may_interrupt:
            raise KeyboardInterrupt


@contextmanager
def _kept(project: Project, settings: Settings, folder: RunFolder) -> Iterator[Keeper]:
    keeper = Keeper(project, settings, folder)
    try:
        yield keeper
    finally:
        keeper.stop()


def _announce(listener: socket.socket, what: str) -> None:
    """Say that the server serves, as soon as it answers."""

    def say() -> None:
        wait_until_answered(listener)
        sys.stdout.write(f"serving {what}\n")
        sys.stdout.flush()

    threading.Thread(target=say, name="announce", daemon=True).start()
