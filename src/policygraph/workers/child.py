"""A worker: a forked process that answers one query after another until its channel is closed.

It gives up what it does not need: it may open no more files or sockets, so that no query can call
out, and its memory is bounded, so that one that takes too much ends this process and no other.
Queries run on a stack of 64 MiB: on the usual one, some fifty nested patterns overflow the parser.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policygraph.errors import PolicygraphError
from policygraph.jsonld import compact
from policygraph.store import Kind, Store, format_named
from policygraph.workers.task import (
    Reply,
    Task,
    read_message,
    reply_message,
    send_message,
    task_of,
)

STACK = 64 * 1024 * 1024
LARGEST_COMPACTED = 4 * 1024 * 1024
"""Bytes of expanded JSON-LD that are compacted (some seconds); larger goes out as it is."""
GROWN = 64 * 1024 * 1024
"""Bytes that a worker may have grown by and go on: what was once used is not given back.

That is besides the graph: reading it in memory copies it, and to copy it anew would take longest.
"""

_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2), which Python does not name."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker works on: how it comes by the graph, and what it may use."""

    graph: Callable[[], Store]
    context: dict[str, Any] | None
    memory: int


def work(channel: socket.socket, task: Work, parent: int) -> None:
    """Get the graph, give up files and sockets, and answer. It ends when the parent does."""
    _end_with(parent)
    store = task.graph()
    held = _held()
    _confine(held + task.memory + STACK)
    threading.stack_size(STACK)
    thread = threading.Thread(target=_serve, args=(channel, store, task.context, held + GROWN))
    thread.start()
    thread.join()


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when the parent ends, where the kernel can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit


def _confine(limit: int) -> None:
    """Allow so many bytes of private memory, and not one more file or socket."""
    with suppress(OSError):  # where the machine runs out of memory, a worker is to end first
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _held() -> int:
    """Return the bytes of private data that this process has (VmData of proc(5))."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("VmData:")]
    return int(line.split()[1]) * 1024


def _serve(
    channel: socket.socket, store: Store, context: dict[str, Any] | None, growth: int
) -> None:
    """Answer until nobody asks, or it has grown by more. Each reply says whether it is the last."""
    most, is_last = _peak() + growth, False
    send_message(channel, str(os.getpid()).encode(), b"")  # ready
    while not is_last and (message := read_message(channel)):
        reply = answer(store, task_of(*message), context)
        is_last = _peak() > most
        send_message(channel, *reply_message(reply, is_last=is_last))


def _peak() -> int:
    """Return the most bytes of memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def answer(store: Store, task: Task, context: dict[str, Any] | None = None) -> Reply:
    """Answer one query; a fault of the query is a reply too."""
    try:
        reply = _answered(store, task, context)
    except PolicygraphError as error:
        place = {name: getattr(error, name, None) for name in ("line", "column")}
        return Reply(fault=type(error).__name__, detail={"message": str(error), **place})
    except MemoryError:
        return Reply(fault="OutOfMemory")
    if len(reply.body) > task.result_limit:
        return Reply(kind=reply.kind, fault="AnswerTooLarge")
    return reply


def _answered(store: Store, task: Task, context: dict[str, Any] | None) -> Reply:
    found = store.query(
        task.query, default_graphs=task.default_graphs, named_graphs=task.named_graphs
    )
    kind, has_more = found.kind, False
    if kind.value not in task.formats:
        return Reply(kind=kind.value, fault="NotAcceptable")
    if kind is Kind.ROWS and task.most_rows is not None:
        found, has_more = found.first(task.most_rows)
    format_ = format_named(task.formats[kind.value])
    body = found.write(format_)
    if context and format_.name == "jsonld" and len(body) <= LARGEST_COMPACTED:
        body = compact(body, context)
    return Reply(kind.value, format_.name, body, has_more=has_more)
