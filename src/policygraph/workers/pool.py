"""The pool: as many workers as queries may run, and a spare, each replaced when it had to end."""

import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from policygraph.errors import (
    AnswerTooLarge,
    OutOfMemory,
    PolicygraphError,
    QueryFault,
    TimedOut,
    TooBusy,
    TooComplex,
    UnknownThing,
)
from policygraph.store import Store
from policygraph.workers.limits import Limits
from policygraph.workers.task import Reply, Task, read_message, task_message, write_message

SPARES = 1
"""Workers beyond the places, so that the next query need not wait for one that is replaced."""


class Pool:
    """Workers over one graph, each with a copy of it as it is now.

    `close` ends them; they also end with the process they are of.
    """

    def __init__(self, store: Store, limits: Limits) -> None:
        self.limits = limits
        self._base = store.base
        # Without a name, so that nothing is left behind however this process ends.
        self._snapshot = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the pool is
        self._snapshot.write(store.canonical())
        self._snapshot.flush()
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._places = threading.Semaphore(limits.running)
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False
        count = limits.running + SPARES
        starting = [self._start() for _ in range(count)]
        for worker in starting:
            worker.wait_until_ready()
            self._idle.put(worker)

    def run(self, task: Task, *, seconds: float | None = None) -> Reply:
        """Run one query, for at most the limit's seconds, or fewer where the client asks for it.

        Raises QueryFault for a fault of the query; TimedOut, OutOfMemory, AnswerTooLarge,
        TooComplex when it does not keep to the limits; TooBusy when there is no place.
        """
        allowed = min(seconds or self.limits.seconds, self.limits.seconds)
        with self._place():
            worker = self._idle.get()
            is_whole = False
            try:
                reply = worker.answer(task, allowed, self.limits)
                is_whole = True
            finally:
                if is_whole:
                    self._idle.put(worker)
                else:
                    # In the background: the client need not wait for what the next one will use.
                    threading.Thread(target=self._replace, args=(worker,)).start()
        _raise_fault(reply, self.limits)
        return reply

    def close(self) -> None:
        """End the workers that are idle, and let none be started."""
        self._closed = True
        while not self._idle.empty():
            self._idle.get().end()
        self._snapshot.close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        with self._lock:
            if self._waiting >= self.limits.waiting:
                raise TooBusy("too many queries are waiting; try again in a few seconds")
            self._waiting += 1
        try:
            found = self._places.acquire(timeout=self.limits.patience)
        finally:
            with self._lock:
                self._waiting -= 1
        if not found:
            raise TooBusy("no query ended in time to make room; try again in a few seconds")
        try:
            yield
        finally:
            self._places.release()

    def _start(self) -> "_Worker":
        return _Worker(self._snapshot.fileno(), self._base, self.limits.memory)

    def _replace(self, worker: "_Worker") -> None:
        worker.end()
        if not self._closed:
            new = self._start()
            new.wait_until_ready()
            self._idle.put(new)


class _Worker:
    """One process, and the pipes to and from it."""

    def __init__(self, snapshot: int, base: str, memory: int) -> None:
        path = f"/proc/self/fd/{snapshot}"
        self._process = subprocess.Popen(  # noqa: S603 - our own module; the query goes by a pipe
            [sys.executable, "-m", "policygraph.workers.child", path, base, str(memory)],
            pass_fds=(snapshot,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is for the server, which ends these
        )
        assert self._process.stdin
        assert self._process.stdout
        self._tasks, self._replies = self._process.stdin, self._process.stdout
        # Not select(): that cannot watch a descriptor beyond the first thousand.
        self._reply_begins = select.poll()
        self._reply_begins.register(self._replies, select.POLLIN)

    def wait_until_ready(self) -> None:
        """Wait for the snapshot to be loaded. Raises PolicygraphError when it cannot be."""
        if read_message(self._replies) is None:
            raise PolicygraphError("a worker could not load the graph; see the memory that is left")

    def answer(self, task: Task, seconds: float, limits: Limits) -> Reply:
        """Hand over a task and wait for the reply; kill the process when the time is up."""
        started = time.monotonic()
        try:
            write_message(self._tasks, *task_message(task))
        except BrokenPipeError as error:
            raise self._ended(limits) from error
        left = seconds - (time.monotonic() - started)
        if not self._reply_begins.poll(max(left, 0) * 1000):
            self._process.kill()
            raise TimedOut(
                f"the query ran for {seconds:g} seconds, which is all it may; ask for less: "
                "fewer patterns, a narrower filter, a LIMIT"
            )
        message = read_message(self._replies)
        if message is None:
            raise self._ended(limits)
        head, body = message
        return Reply(head["kind"], head["format"], body, head["fault"], head["detail"])

    def end(self) -> None:
        """Kill the process and forget it."""
        self._process.kill()
        self._process.wait()
        self._tasks.close()
        self._replies.close()

    def _ended(self, limits: Limits) -> PolicygraphError:
        """Say why a process ended by itself: a crash of the parser, or no memory."""
        code = self._process.wait()
        if code == -signal.SIGSEGV:
            return TooComplex(
                "the query is nested too deeply, or a chain in it is too long; take it apart"
            )
        return _out_of_memory(limits)


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
            raise _out_of_memory(limits)
        case _:
            raise UnknownThing(detail.get("message", reply.fault))


def _out_of_memory(limits: Limits) -> OutOfMemory:
    return OutOfMemory(
        f"the query took more than the {limits.memory // 2**20:,} MiB of memory it may; ask for "
        "less: no ORDER BY or DISTINCT over everything, fewer products, shorter strings"
    )
