"""The pool: the workers of one web process, each replaced when it had to end."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from policygraph.errors import AnswerTooLarge, LimitReached, QueryFault, UnknownThing
from policygraph.store import Store
from policygraph.workers.limits import Limits
from policygraph.workers.places import IsGone, Places
from policygraph.workers.starting import ForkServer
from policygraph.workers.task import Reply, Task
from policygraph.workers.trial import NeedsPlace, Run, Trial, looking
from policygraph.workers.worker import Worker, WorkerLost, out_of_memory

READY = 4
"""Idle workers that a pool keeps, or as many as may run; others are forked as they are needed.

With fewer, requests at once wait for each other: with two, a fifth less is answered.
"""
_WAITS_FOR_A_WORKER = 0.5
"""Seconds that a query waits for a worker to be idle before it asks for a place."""


class Pool:
    """Workers over the graph of one fork server, found at its socket.

    A query begins on trial: nearly all end within milliseconds, and to look for a place would cost
    as much as they do. One that does not end needs a place, which other pools share; where none is
    free it is ended, waits for one, and begins anew. `close` ends the workers; they also end with
    the process they are of.
    """

    def __init__(self, socket: Path, base: str, limits: Limits, places: Places) -> None:
        self.base = base
        self.limits = limits
        self._socket = socket
        self._places = places
        self._ready = max(READY, limits.running)
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._is_closed = False
        try:
            self._fill()
        except LimitReached:
            self.close()
            raise

    def run(
        self,
        task: Task,
        *,
        client: str = "",
        seconds: float | None = None,
        is_gone: IsGone | None = None,
    ) -> Reply:
        """Run one query, for at most the limit's seconds, or fewer where the client asks for it.

        `client` is who has to share fairly with others; `is_gone` says whether nobody is left to
        read the answer. Raises QueryFault for a fault of the query; TimedOut, OutOfMemory,
        AnswerTooLarge, TooComplex when it does not keep to the limits; TooBusy, TooManyFromOne
        when there is no place, or no longer; ClientGone.
        """
        run = Run(task, min(seconds or self.limits.seconds, self.limits.seconds), client, is_gone)
        reply = self._on_trial(run) or self._in_place(run)
        _raise_fault(reply, self.limits)
        return reply

    def close(self) -> None:
        """End the workers: the idle ones now, each of the others when its query has ended."""
        self._is_closed = True
        with suppress(Empty):
            while True:
                self._idle.get_nowait().end()

    def _on_trial(self, run: Run) -> Reply | None:
        """Run a query that may end before it needs a place; None when it needs one first."""
        try:
            worker = self._take(_WAITS_FOR_A_WORKER)
        except Empty:
            return None
        trial = Trial(
            run,
            self._places,
            seconds=self.limits.trial,
            spent=worker.spent,
            promoted=self._refill,
        )
        try:
            return worker.answer(
                run.task, run.seconds, self.limits, trial.look, first_look=self.limits.trial
            )
        except (NeedsPlace, WorkerLost):
            return None
        finally:
            trial.end()
            self._take_back(worker)

    def _in_place(self, run: Run) -> Reply:
        """Run a query when there is a place."""
        with self._places.place(run.client, run.is_gone) as place:
            while True:
                worker = self._taken_or_new()
                try:
                    return worker.answer(run.task, run.seconds, self.limits, looking(place, run))
                except WorkerLost:
                    continue
                finally:
                    self._take_back(worker)

    def _taken_or_new(self) -> Worker:
        try:
            return self._take(0)
        except Empty:
            return Worker(self._socket)

    def _take(self, seconds: float) -> Worker:
        """Return an idle worker. Raises Empty when there is none within so long."""
        return self._idle.get(timeout=seconds) if seconds else self._idle.get_nowait()

    def _take_back(self, worker: Worker) -> None:
        if worker.is_usable and not self._is_closed and self._idle.qsize() < self._ready:
            self._idle.put(worker)
            return
        worker.end()
        self._refill()

    def _refill(self) -> None:
        """Let there be idle workers; in the background, as whoever asks need not wait for them."""
        if not self._is_closed and self._idle.qsize() < self._ready:
            threading.Thread(target=self._fill_if_possible, daemon=True).start()

    def _fill_if_possible(self) -> None:
        with suppress(LimitReached):  # who needs a worker and gets none will say so
            self._fill()

    def _fill(self) -> None:
        try:
            while self._idle.qsize() < self._ready and not self._is_closed:
                self._idle.put(Worker(self._socket))
        finally:
            if self._is_closed:  # meanwhile
                self.close()


@contextmanager
def pool_over(store: Store, limits: Limits, *, context: Path | None = None) -> Iterator[Pool]:
    """Have a pool over a graph as it is now, with a fork server and places of its own."""
    with tempfile.TemporaryDirectory(prefix="policygraph-") as name:
        folder = Path(name)
        graph = folder / "graph.nq"
        graph.write_bytes(store.canonical())
        server = ForkServer(graph, store.base, folder, limits, context=context)
        places = Places(folder / "places", limits)
        try:
            pool = Pool(server.socket, store.base, limits, places)
            try:
                yield pool
            finally:
                pool.close()
        finally:
            server.stop()
            places.close()


def _raise_fault(reply: Reply, limits: Limits) -> None:
    """Raise the error that a worker's reply names, if it names one.

    That no format was acceptable is for the web to say, which knows what the client accepts.
    """
    detail = reply.detail
    match reply.fault:
        case "" | "NotAcceptable":
            return
        case "QueryFault":
            raise QueryFault(detail["message"], line=detail["line"], column=detail["column"])
        case "AnswerTooLarge":
            raise AnswerTooLarge(
                f"the answer has more than {limits.result:,} bytes; add a LIMIT, or take a dump"
            )
        case "OutOfMemory":
            raise out_of_memory(limits)
        case _:
            raise UnknownThing(detail.get("message", reply.fault))
