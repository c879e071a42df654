"""Keeps what is served new, and its fork servers alive: a thread of the main process.

When it is asked, or the files have changed, it has them checked and a snapshot taken (`renewal`),
starts a fork server over it and publishes both. Web processes swap when they see it; the fork
server of an older version ends when none of them uses it any more.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from policygraph.errors import PolicygraphError
from policygraph.project import Project
from policygraph.server.renewal import Renewal
from policygraph.server.runfolder import RunFolder, Version
from policygraph.server.watching import Watch
from policygraph.snapshots import Snapshot
from policygraph.web.settings import Settings
from policygraph.workers import ForkServer

_SECONDS_BETWEEN_TICKS = 0.1
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_STARTS = 1.0
"""So that a fork server that cannot be started is not tried again and again all the time."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A version that is or was served, and its fork server."""

    number: int
    snapshot: Snapshot
    server: ForkServer


class Keeper:
    """Publishes versions of a project to the web processes of a server."""

    def __init__(self, project: Project, settings: Settings, folder: RunFolder) -> None:
        self._project = project
        self._settings = settings
        self._folder = folder
        self._watch = Watch(project) if settings.watch else None
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._is_stopping = False
        self._renewal: Renewal | None = None
        self._is_due = False
        self._next_look = 0.0
        self._running: list[_Running] = []
        self._started = 0.0
        self._thread: threading.Thread | None = None

    def publish(self, snapshot: Snapshot) -> None:
        """Serve a snapshot from now on. Raises PolicygraphError when no fork server can start."""
        number = self._running[-1].number + 1 if self._running else 1
        self._started = time.monotonic()
        server = ForkServer(
            snapshot.graph,
            snapshot.base,
            self._folder.path,
            self._settings.limits,
            context=snapshot.context,
        )
        try:
            self._folder.publish(Version(number, snapshot.folder, server.socket))
        except PolicygraphError:
            server.stop()  # nobody will ask it, and what it would replace is still asked
            raise
        self._running.append(_Running(number, snapshot, server))

    def start(self, web_pids: Callable[[], list[int]]) -> None:
        """Begin to keep. What is given tells the web processes there are."""
        self._thread = threading.Thread(target=self._keep, args=(web_pids,), name="keep")
        self._thread.start()

    def ask(self) -> None:
        """Have the files read again. To be called from a signal's handler too."""
        self._asked.put(self._hear)

    def stop(self) -> None:
        """Stop keeping, and end the fork servers."""
        self._asked.put(self._leave)
        if self._thread:
            self._thread.join()
        if self._renewal:
            self._renewal.stop()
        for running in self._running:
            running.server.stop()

    def _keep(self, web_pids: Callable[[], list[int]]) -> None:
        while not self._is_stopping:
            try:
                self._do_what_is_due(web_pids)
            except (PolicygraphError, OSError) as error:  # a full disk, no more processes
                sys.stderr.write(f"policygraph: {error}\n")
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _do_what_is_due(self, web_pids: Callable[[], list[int]]) -> None:
        self._listen()
        self._look()
        self._begin()
        self._end()
        self._mend()
        self._retire(self._folder.acknowledged(web_pids()))

    def _listen(self) -> None:
        """Do what is asked for, which is waited for no longer than a tick."""
        with suppress(Empty):
            self._asked.get(timeout=_SECONDS_BETWEEN_TICKS)()

    def _hear(self) -> None:
        self._is_due = True

    def _leave(self) -> None:
        self._is_stopping = True

    def _look(self) -> None:
        now = time.monotonic()
        if self._watch and now >= self._next_look:
            self._next_look = now + _SECONDS_BETWEEN_LOOKS
            self._is_due |= self._watch.has_changed()

    def _begin(self) -> None:
        """Begin a check; who asks while one runs gets another after it, for it may have read on."""
        if self._is_due and not self._renewal:
            self._is_due = False
            place = self._running[-1].snapshot.folder.parent
            on_disk = self._settings.store is not None
            self._renewal = Renewal(self._project, place, on_disk=on_disk)

    def _end(self) -> None:
        if not self._renewal or self._renewal.is_running():
            return
        outcome, self._renewal = self._renewal.outcome(), None
        if outcome.snapshot:
            self._renew(outcome.snapshot)
        else:
            sys.stderr.write(f"policygraph: not reloaded: {outcome.message}\n")
        self._folder.tell_check(conforms=bool(outcome.snapshot), message=outcome.message)

    def _renew(self, snapshot: Snapshot) -> None:
        is_new = snapshot.folder != self._running[-1].snapshot.folder
        if is_new:
            self._publish(snapshot)
        word = "reloaded" if is_new else "unchanged"
        sys.stdout.write(f"serving {snapshot.statements} statements, {word}\n")
        sys.stdout.flush()

    def _mend(self) -> None:
        """Start a fork server in the place of one that died."""
        newest = self._running[-1]
        is_too_soon = time.monotonic() < self._started + _SECONDS_BETWEEN_STARTS
        if not is_too_soon and not newest.server.is_alive():
            self._publish(newest.snapshot)

    def _publish(self, snapshot: Snapshot) -> None:
        try:
            self.publish(snapshot)
        except PolicygraphError as error:
            sys.stderr.write(f"policygraph: {error}\n")

    def _retire(self, oldest_in_use: int) -> None:
        """End the fork servers of versions that no web process uses, or that none may any more."""
        *old, newest = self._running
        is_over = time.monotonic() > self._started + self._settings.seconds_to_stop
        for each in old:
            if each.number < oldest_in_use:
                each.server.retire()
            if is_over or not each.server.is_alive():
                each.server.stop()
        self._running = [*(each for each in old if each.server.is_alive()), newest]
