"""What goes to a worker and what comes back, and how it is written to a pipe.

A message is a line of JSON, with the length of what follows, and that many bytes.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class Task:
    """One query, and the format for each kind of answer that the client can take.

    `formats` maps the name of a Kind to the name of a Format. The graphs are those of the protocol
    (`default-graph-uri`, `named-graph-uri`); none means the union, and all.
    """

    query: str
    formats: dict[str, str]
    result_limit: int
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's kind, format and bytes; or the fault that the query has."""

    kind: str = ""
    format: str = ""
    body: bytes = b""
    fault: str = ""
    """The name of an error class, when there is no answer."""
    detail: dict[str, Any] = field(default_factory=dict)


def write_message(pipe: IO[bytes], head: dict[str, Any], body: bytes) -> None:
    """Write one message and flush it."""
    line = json.dumps(head | {"length": len(body)}).encode() + b"\n"
    pipe.write(line)
    pipe.write(body)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; None when the other side has gone before it was whole."""
    line = pipe.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    body = pipe.read(head["length"])
    return (head, body) if len(body) == head["length"] else None


def task_message(task: Task) -> tuple[dict[str, Any], bytes]:
    """Return a task as a message."""
    head = asdict(task)
    return head, head.pop("query").encode()


def task_of(head: dict[str, Any], body: bytes) -> Task:
    """Return the task in a message."""
    return Task(
        query=body.decode(),
        formats=head["formats"],
        result_limit=head["result_limit"],
        default_graphs=tuple(head["default_graphs"]),
        named_graphs=tuple(head["named_graphs"]),
    )
