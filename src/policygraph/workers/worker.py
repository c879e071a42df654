"""A worker as a web process sees it: two sockets, one to talk to it, one that is its life."""

import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from select import POLLIN, poll

from policygraph.errors import OutOfMemory, PolicygraphError, TimedOut, TooBusy, TooComplex
from policygraph.workers.limits import Limits
from policygraph.workers.task import (
    BEGUN,
    STATUS,
    Reply,
    Task,
    read_message,
    reply_of,
    send_message,
    task_message,
)

LOOKS_EVERY = 0.05
"""Seconds between two looks at whether a query is still to go on."""
_AT_FIRST = struct.pack("ll", 0, 20_000)
"""How long a reply is waited for before anything else is looked at: a timeval, 20 milliseconds."""
_STARTS_WITHIN = 10.0
_ENDS_WITHIN = 2.0


class WorkerLost(TooBusy):
    """A worker ended while it was idle: another is to be asked."""


class Worker:
    """One forked process, asked from one thread at a time.

    Raises TooBusy when the fork server gives none.
    """

    def __init__(self, server: Path) -> None:
        self._life = socket.socket(socket.AF_UNIX)
        self._life.settimeout(_STARTS_WITHIN)
        try:
            self._life.connect(str(server))
            _, descriptors, _, _ = socket.recv_fds(self._life, len(BEGUN), 1)
            (descriptor,) = descriptors
        except (OSError, ValueError) as error:
            self._life.close()
            raise no_worker() from error
        self._life.settimeout(_ENDS_WITHIN)
        self._channel = socket.socket(fileno=descriptor)
        # By the kernel: Python's own timeout costs a call more, for each time.
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _AT_FIRST)
        self.is_usable = True
        # Not select(): that cannot watch a descriptor beyond the first thousand.
        self._reply_begins = poll()
        self._reply_begins.register(self._channel, POLLIN)
        self._clock = _clock_of(self._wait_until_ready())
        self._spent_before = 0.0

    def answer(
        self,
        task: Task,
        seconds: float,
        limits: Limits,
        look: Callable[[], None],
        *,
        first_look: float = LOOKS_EVERY,
    ) -> Reply:
        """Hand over a task and wait for the reply.

        `look` is called after `first_look` seconds, then now and then; what it raises ends the
        query, as its time does. After an error, or when `is_usable` does not say so, the worker is
        to be ended. Raises WorkerLost when nothing was asked.
        """
        self.is_usable = False
        started = time.monotonic()
        try:
            self._spent_before = time.clock_gettime(self._clock)
            send_message(self._channel, *task_message(task))
        except OSError as error:
            raise WorkerLost("a process ended before it was asked; try again") from error
        try:
            message = read_message(self._channel)
        except BlockingIOError:
            self._wait(started, seconds, look, first_look)
            message = read_message(self._channel)
        if message is None:
            raise self._ended(limits)
        reply, is_last = reply_of(*message)
        self.is_usable = not is_last
        return reply

    def end(self) -> int | None:
        """End the process, if it has not ended, and say how it did.

        None when the fork server does not say, as it has ended itself.
        """
        status = b""
        with suppress(OSError):
            self._life.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            status = self._life.recv(STATUS.size)
        self._channel.close()
        self._life.close()
        return STATUS.unpack(status)[0] if len(status) == STATUS.size else None

    def spent(self) -> float:
        """Return the seconds of a processor that the query has taken so far."""
        try:
            return time.clock_gettime(self._clock) - self._spent_before
        except OSError:
            return 0.0  # it has just ended, which shows in its reply

    def _wait_until_ready(self) -> int:
        """Wait until it has the graph, and return its process id."""
        is_ready = self._reply_begins.poll(_STARTS_WITHIN * 1000)
        message = read_message(self._channel) if is_ready else None
        if message is None:
            self.end()
            raise no_worker()
        return int(message[0])

    def _wait(
        self, started: float, seconds: float, look: Callable[[], None], first_look: float
    ) -> None:
        """Wait for the reply to begin, looking at what else goes on."""
        until, looks_at = started + seconds, started + first_look
        while not self._reply_begins.poll(_milliseconds_to(min(until, looks_at))):
            now = time.monotonic()
            if now >= until:
                raise TimedOut(
                    f"the query ran for {seconds:g} second{'s' * (seconds != 1)}, which is all it "
                    "may; ask for less: fewer patterns, a narrower filter, a LIMIT"
                )
            if now >= looks_at:
                look()
                looks_at = now + LOOKS_EVERY

    def _ended(self, limits: Limits) -> PolicygraphError:
        """Say why the process ended by itself: a crash of the parser, or no memory."""
        status = self.end()
        if status is None:
            return no_worker()
        if status == -signal.SIGSEGV:
            return TooComplex(
                "the query is nested too deeply, or a chain in it is too long; take it apart"
            )
        return out_of_memory(limits)


def no_worker() -> TooBusy:
    """Return the error for when no process can be had to run a query in."""
    return TooBusy("no process can be had to run the query in; try again in a few seconds")


def out_of_memory(limits: Limits) -> OutOfMemory:
    """Return the error for a query that took too much memory."""
    return OutOfMemory(
        f"the query took more than the {limits.memory // 2**20:,} MiB of memory it may; ask for "
        "less: no ORDER BY or DISTINCT over everything, fewer products, shorter strings"
    )


def _clock_of(pid: int) -> int:
    """Return the clock of a process's time on processors (Linux: CPUCLOCK_SCHED, as in libc)."""
    return (~pid << 3) | 2


def _milliseconds_to(until: float) -> float:
    return max(0.0, until - time.monotonic()) * 1000
