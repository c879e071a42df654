"""A worker: a process that answers one query after another until its pipe is closed.

    python -m policygraph.workers.child SNAPSHOT BASE MEMORY

It loads the snapshot (N-Quads) first. Then it gives up what it does not need: it may open no more
files or sockets, so that no query can call out, and its memory is bounded, so that one that takes
too much ends this process and no other. Queries run on a stack of 64 MiB: on the usual one, some
fifty nested patterns overflow the parser.
"""

import os
import resource
import sys
import threading
from pathlib import Path
from typing import IO

from policygraph.errors import PolicygraphError
from policygraph.store import Store, format_named
from policygraph.workers.task import Reply, Task, read_message, task_of, write_message

STACK = 64 * 1024 * 1024


def main(snapshot: str, base: str, memory: str) -> None:
    """Load the snapshot, give up files and sockets, and answer."""
    tasks, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not garble the replies
    store = Store.of_dump(Path(snapshot), base)
    _confine(int(memory))
    threading.stack_size(STACK)
    thread = threading.Thread(target=_serve, args=(store, tasks, replies))
    thread.start()
    thread.join()


def _confine(memory: int) -> None:
    """Allow so much memory beyond what is held now, and not one more file or socket."""
    limit = _held() + memory + STACK
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _held() -> int:
    """Return the bytes of private data that this process has (VmData of proc(5))."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("VmData:")]
    return int(line.split()[1]) * 1024


def _serve(store: Store, tasks: IO[bytes], replies: IO[bytes]) -> None:
    write_message(replies, {"ready": True}, b"")
    while message := read_message(tasks):
        reply = answer(store, task_of(*message))
        head = {"kind": reply.kind, "format": reply.format}
        write_message(replies, head | {"fault": reply.fault, "detail": reply.detail}, reply.body)


def answer(store: Store, task: Task) -> Reply:
    """Answer one query; a fault of the query is a reply too."""
    try:
        found = store.query(
            task.query, default_graphs=task.default_graphs, named_graphs=task.named_graphs
        )
        kind = found.kind.value
        if kind not in task.formats:
            return Reply(kind=kind, fault="NotAcceptable")
        body = found.write(format_named(task.formats[kind]))
    except PolicygraphError as error:
        place = {name: getattr(error, name, None) for name in ("line", "column")}
        return Reply(fault=type(error).__name__, detail={"message": str(error), **place})
    except MemoryError:
        return Reply(fault="OutOfMemory")
    if len(body) > task.result_limit:
        return Reply(kind=kind, fault="AnswerTooLarge")
    return Reply(kind=kind, format=task.formats[kind], body=body)


if __name__ == "__main__":
    main(*sys.argv[1:])
