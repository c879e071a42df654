"""The web processes, as granian starts them: how many, over which sockets, within which limits."""

# mypy: allow-untyped-calls
# Granian's own methods have no types.

import gc
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from types import FrameType
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined] # not said to be exported
from granian.server.mp import MPServer, WorkerProcess

from policygraph.front import bodies, flights
from policygraph.server.keeper import Keeper
from policygraph.server.listening import BACKLOG
from policygraph.web import asking
from policygraph.web.settings import Settings
from policygraph.workers import Limits

_THREADS_FOR_PAGES = 4
SECONDS_FOR_HEADERS = 10
"""How long a client may take to send a request's headers, and leave a connection unused."""
_CONNECTIONS = 1024
"""How many connections a web process holds at once; others wait to be accepted."""

_Loader = Callable[[], Any]


class _ManyThreads(logging.Filter):
    """Leaves out granian's warning of many threads: ours wait for workers, which use the cores."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads" not in record.getMessage()


_LOG = {
    "filters": {"many threads": {"()": _ManyThreads}},
    "handlers": {
        name: {
            "class": "logging.StreamHandler",
            "formatter": "generic",
            "filters": ["many threads"],
            "stream": "ext://sys.stderr",
        }
        for name in ("console", "access")
    },
}


def _threads(limits: Limits) -> int:
    """Return one thread for each request that runs or waits, so that we say who waits."""
    queries = limits.running + limits.waiting
    slow = bodies.MOST + flights.MOST_WAITING + asking.MOST_CALLING
    return queries + slow + _THREADS_FOR_PAGES


class WebProcesses(MPServer):
    """Granian, over sockets that are the main process's own.

    By itself granian opens one in each process: other servers of the same user can share the port,
    and connections that wait for a process go when it dies.
    """

    def __init__(
        self, listeners: tuple[socket.socket, ...], keeper: Keeper, settings: Settings
    ) -> None:
        limits = settings.limits
        super().__init__(
            "policygraph",
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=SECONDS_FOR_HEADERS * 1000),
            workers=settings.processes,
            blocking_threads=_threads(limits),
            backlog=BACKLOG,
            backpressure=_CONNECTIONS,
            websockets=False,
            respawn_failed_workers=True,
            log_level=LogLevels.warning,
            log_dictconfig=_LOG,
        )
        self._listeners = listeners
        self._keeper = keeper
        self._seconds_to_stop = settings.seconds_to_stop

    def startup(self, *target: Any) -> None:  # noqa: ANN401 - handed on
        """Start the web processes; then take the signals from granian, and begin to keep.

        At SIGHUP granian would replace its processes, with what waits for them. The keeper begins
        last, so that the processes are forked from one that has no other threads at work.
        """
        gc.freeze()  # what is loaded now stays shared with the web processes
        super().startup(*target)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self.stop)
        signal.signal(signal.SIGHUP, lambda *_: self._keeper.ask())
        self._keeper.start(self.pids)

    def pids(self) -> list[int]:
        """Return the process ids of the web processes."""
        return [worker.inner.pid for worker in self.wrks]

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop when what runs has ended; asked again, at once."""
        if not self.interrupt_signal:
            self.signal_handler_interrupt()
            return
        for worker in list(self.wrks):
            worker.kill()

    def _init_shared_socket(self) -> None:
        """Open nothing: there are sockets already."""

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _spawn_worker(  # type: ignore[override] # as granian's own override of it
        self,
        idx: int,
        target: Any,  # noqa: ANN401 - handed on
        callback_loader: _Loader,
    ) -> WorkerProcess:
        """Give each process a socket of its own."""
        own = self._listeners[idx]
        self._ssp, self._sso = None, own
        self._shd: Any = SocketHolder(own.fileno(), False, self.backlog)  # type: ignore[call-arg] # noqa: FBT003
        others = tuple(each for each in self._listeners if each is not own)
        return super()._spawn_worker(idx, target, _Alone(callback_loader, others))

    def _spawn_workers(self, *target: Any) -> None:  # noqa: ANN401 - handed on
        with _no_stop_is_lost():
            super()._spawn_workers(*target)

    def _stop_workers(self) -> None:
        """Tell all to stop, and end those that have not when the time is up.

        Granian's own way now and then takes one that has just ended for one that refuses to.
        """
        until = time.monotonic() + self._seconds_to_stop
        running: dict[Any, WorkerProcess] = {each.inner.sentinel: each for each in self.wrks}
        for worker in running.values():
            worker.terminate()
        while running:
            ended = connection.wait(list(running), until - time.monotonic())
            for worker in list(running.values()) if not ended else ():
                worker.kill()
            for sentinel in ended:
                del running[sentinel]
        self.wrks.clear()

    def _respawn_workers(self, *target: Any, **how: Any) -> None:  # noqa: ANN401 - handed on
        with _no_stop_is_lost():
            super()._respawn_workers(*target, **how)


class _Alone:
    """A loader for a forked process, which first closes the sockets of others.

    Held open, they would still take connections when those stop. A spawned process has none.
    """

    def __init__(self, load: _Loader, others: tuple[socket.socket, ...]) -> None:
        self._load = load
        self._others = others

    def __reduce__(self) -> tuple[type["_Alone"], tuple[_Loader, tuple[()]]]:
        return type(self), (self._load, ())

    def __call__(self) -> Any:  # noqa: ANN401 - granian's
        for each in self._others:
            each.close()
        return self._load()


@contextmanager
def _no_stop_is_lost() -> Iterator[None]:
    """Keep a signal to stop for a process that has only begun until it can obey (`process`).

    A forked one has the handlers of the main process, where it would set what nobody looks at.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
