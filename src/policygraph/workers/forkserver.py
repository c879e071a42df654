"""The fork server: a process that holds the graph and forks a worker for each connection.

    python -m policygraph.workers.forkserver SOCKET GRAPH BASE CONTEXT MEMORY

GRAPH is a file of N-Quads, which is loaded once and shared by all workers, or the folder of a store
on disk, which each worker opens for itself (what such a store runs on does not outlive a fork). Of
a graph in memory, a worker comes to hold copies of the parts that it reads, as the engine counts
its readers there; so a new one takes almost nothing, and one that has read all of it as much again.
CONTEXT is a JSON-LD context for the workers' answers, or empty. MEMORY is in bytes.

Whoever connects to SOCKET gets a worker: another socket, to talk to it (`task`). The
connection itself is the worker's life: when its other side closes it or ends, the worker is killed,
however busy it is; when the worker ends, its exit status is sent (an int, negative for a signal).

It has one thread, as only that is safe to fork. It ends when its standard input does, that is with
the process that started it, or on SIGINT, and its workers end with it. On SIGTERM it ends once it
has no workers.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from policygraph.errors import PolicygraphError
from policygraph.jsonld import compact
from policygraph.store import Store
from policygraph.workers.child import Work, work
from policygraph.workers.task import BEGUN, STATUS

READY = b"ready\n"
_BREATH = 0.05
"""Seconds to wait when the system has no descriptor or process to give."""


def main(path: str, graph: str, base: str, context: str, memory: str) -> None:
    """Get ready, say so, and fork workers until nobody needs them."""
    task = Work(_graph(Path(graph), base), _context(context), int(memory))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(socket.SOMAXCONN)
    gc.freeze()  # so that collecting in a worker does not copy what it shares
    server = _ForkServer(listener, task)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    server.serve()


def _graph(path: Path, base: str) -> Callable[[], Store]:
    if path.is_dir():
        _try(path, base)
        return partial(Store.open, path, base)
    store = Store.open(path, base)
    return lambda: store


def _try(path: Path, base: str) -> None:
    """Open a store once, in a process of its own. Raises PolicygraphError when that fails."""
    pid = os.fork()
    if pid == 0:
        try:
            Store.open(path, base)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if status:
        raise PolicygraphError(f"{path}: this store cannot be opened; write it again")


def _context(path: str) -> dict[str, Any] | None:
    """Return the context, and use it once: a worker could not load the library any more."""
    if not path:
        return None
    context: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    compact(b"[]", context)
    return context


class _ForkServer:
    """A loop over whatever can happen: each descriptor that is watched has its action."""

    def __init__(self, listener: socket.socket, task: Work) -> None:
        self._listener = listener
        self._task = task
        self._workers: dict[int, socket.socket] = {}
        self._is_needed, self._is_over = True, False
        self._poll = select.poll()
        self._actions: dict[int, Callable[[], None]] = {}
        self._woken, self._wake = socket.socketpair()
        self._watch_signals()
        self._watch(listener.fileno(), self._fork)
        self._watch(self._woken.fileno(), self._wake_up)
        self._watch(sys.stdin.fileno(), self._leave)

    def serve(self) -> None:
        """Act on what happens, until there is no worker and none will be asked for."""
        while not self._is_over and (self._is_needed or self._workers):
            for descriptor, _ in self._poll.poll():
                self._actions[descriptor]()
            # Not in between: a descriptor that is closed may come again as another's.
            self._reap()
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)

    def _watch_signals(self) -> None:
        """Let signals wake the loop: a child that ended, a word that it is to end."""
        for each in (self._woken, self._wake):
            each.settimeout(0)
        signal.set_wakeup_fd(self._wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._retire)
        signal.signal(signal.SIGINT, self._leave)

    def _leave(self, *_: object) -> None:
        self._is_over = True

    def _retire(self, *_: object) -> None:
        self._is_needed = False

    def _watch(self, descriptor: int, action: Callable[[], None]) -> None:
        self._actions[descriptor] = action
        self._poll.register(descriptor, select.POLLIN)

    def _unwatch(self, descriptor: int) -> None:
        if self._actions.pop(descriptor, None):
            self._poll.unregister(descriptor)

    def _fork(self) -> None:
        """Fork a worker for a new connection. Where the system has none to give, it is closed."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            time.sleep(_BREATH)
            return
        try:
            here, there = socket.socketpair()
        except OSError:
            connection.close()
            return
        with here, there:
            self._begin(connection, here, there)

    def _begin(self, connection: socket.socket, here: socket.socket, there: socket.socket) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            connection.close()
            return
        if pid == 0:
            self._become_worker(here, (connection, there), parent)
        self._workers[pid] = connection
        self._watch(connection.fileno(), partial(self._kill, pid))
        with suppress(OSError):  # one who has left is noticed by the loop
            socket.send_fds(connection, [BEGUN], [there.fileno()])

    def _become_worker(
        self, channel: socket.socket, others: tuple[socket.socket, ...], parent: int
    ) -> NoReturn:
        """Keep the channel alone, work, and never return to the loop, which is the parent's."""
        try:
            signal.set_wakeup_fd(-1)
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            kept = (self._listener, self._woken, self._wake, *self._workers.values())
            for inherited in (*kept, *others):
                inherited.close()
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in range(3):
                os.dup2(nothing, standard)
            os.close(nothing)
            work(channel, self._task, parent)
        finally:
            os._exit(0)

    def _kill(self, pid: int) -> None:
        """Kill a worker whose connection was closed; its status is sent when it has ended."""
        self._unwatch(self._workers[pid].fileno())
        os.kill(pid, signal.SIGKILL)

    def _wake_up(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)

    def _reap(self) -> None:
        """Say how each worker ended that has."""
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self._workers.pop(pid)
            self._unwatch(connection.fileno())
            with suppress(OSError):
                connection.send(STATUS.pack(os.waitstatus_to_exitcode(status)))
            connection.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except PolicygraphError as error:
        raise SystemExit(f"policygraph: {error}") from error
