"""What goes to a worker and what comes back, and how it is sent.

A message is two lengths, a head (JSON) and a body (bytes, so that large ones are not escaped).
"""

import json
import socket
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

BEGUN = b"w"
"""What a fork server says on a connection at first, with the socket to talk to the worker."""
STATUS = struct.Struct("<i")
"""What it says at last: the worker's exit status."""
_LENGTHS = struct.Struct("<IQ")
_AT_ONCE = 64 * 1024
"""Bytes that are sent and read together; a copy costs less than another call."""
_SHORT = 256
"""Bytes of a head without names of graphs, or the words of a fault."""


@dataclass(frozen=True, slots=True)
class Task:
    """One query, and the format for each kind of answer that the client can take.

    `formats` maps the name of a Kind to the name of a Format. The graphs are those of the protocol
    (`default-graph-uri`, `named-graph-uri`); none means the union, and all. `most_rows` is how many
    rows of a SELECT are wanted at most; None means all.
    """

    query: str
    formats: dict[str, str]
    result_limit: int
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    most_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's kind, format and bytes; or the fault that the query has."""

    kind: str = ""
    format: str = ""
    body: bytes = b""
    fault: str = ""
    """The name of an error class, when there is no answer."""
    detail: dict[str, Any] = field(default_factory=dict)
    has_more: bool = False
    """Whether the answer has more rows than the task's `most_rows`, which were left out."""


def send_message(channel: socket.socket, head: bytes, body: bytes) -> None:
    """Send one message. Raises OSError when the other side has gone."""
    start = _LENGTHS.pack(len(head), len(body)) + head
    if len(body) <= _AT_ONCE:
        channel.sendall(start + body)
    else:
        channel.sendall(start)
        channel.sendall(body)


def read_message(channel: socket.socket) -> tuple[bytes, bytes] | None:
    """Read one message; None when the other side has gone before it was whole.

    Each side waits for the other, so there is never a second message behind the first, and one call
    gets all of a short one. Raises BlockingIOError when the channel has a time, and it is up before
    the message begins.
    """
    try:
        start = channel.recv(_AT_ONCE)
        if 0 < len(start) < _LENGTHS.size:
            start += _received(channel, _LENGTHS.size - len(start))
        if len(start) < _LENGTHS.size:
            return None
        of_head, of_body = _LENGTHS.unpack_from(start)
        missing = _LENGTHS.size + of_head + of_body - len(start)
        rest = _received(channel, missing) if missing else b""
    except ConnectionError:
        return None
    if len(rest) != missing:
        return None
    if _LENGTHS.size + of_head > len(start):
        start, rest = start + rest, b""
    end = _LENGTHS.size + of_head
    head, begun = start[_LENGTHS.size : end], start[end:]
    return head, b"".join((begun, rest)) if rest else begun


def _received(channel: socket.socket, count: int) -> bytes:
    """Receive so many bytes, or fewer when the other side has gone.

    Unless a signal comes, one call gets all of them: the kernel writes to where they stay.
    """
    found = b""
    while len(found) < count:
        try:
            more = channel.recv(count - len(found), socket.MSG_WAITALL)
        except BlockingIOError:
            continue  # a message that has begun goes on, or ends with the other side
        if not more:
            break
        found = found + more if found else more
    return found


def task_message(task: Task) -> tuple[bytes, bytes]:
    """Return a task as a message."""
    formats = tuple(task.formats.items())
    graphs = task.default_graphs, task.named_graphs
    head = (formats, task.result_limit, task.most_rows, *graphs)
    write = _json if any(graphs) else _remembered_json
    return write(head), task.query.encode()


def task_of(head: bytes, body: bytes) -> Task:
    """Return the task in a message."""
    formats, result_limit, most_rows, default_graphs, named_graphs = _parsed(head)
    graphs = (tuple(default_graphs), tuple(named_graphs))
    return Task(body.decode(), dict(formats), result_limit, *graphs, most_rows=most_rows)


def reply_message(reply: Reply, *, is_last: bool) -> tuple[bytes, bytes]:
    """Return a reply as a message, which says whether it is the worker's last."""
    head = (reply.kind, reply.format, reply.fault, reply.has_more, is_last)
    written = _json((*head, reply.detail)) if reply.detail else _remembered_json((*head, None))
    return written, reply.body


def reply_of(head: bytes, body: bytes) -> tuple[Reply, bool]:
    """Return the reply in a message, and whether it is the worker's last."""
    kind, format_, fault, has_more, is_last, detail = _parsed(head)
    return Reply(kind, format_, body, fault, detail or {}, has_more), is_last


def _json(values: tuple[Any, ...]) -> bytes:
    return json.dumps(values).encode()


def _parsed(head: bytes) -> list[Any]:
    """Return what is in a head. Nobody changes it: most are like another, and parsed once."""
    return _remembered_parsed(head) if len(head) < _SHORT else _parsed_anew(head)


def _parsed_anew(head: bytes) -> list[Any]:
    values: list[Any] = json.loads(head)
    return values


_remembered_json = lru_cache(maxsize=256)(_json)
_remembered_parsed = lru_cache(maxsize=256)(_parsed_anew)
