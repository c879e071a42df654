"""What an application serves: a snapshot, its graph, its questions, and who answers strangers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from flask import Flask, current_app, request

from policygraph.catalogue import Query
from policygraph.snapshots import Snapshot
from policygraph.store import Store
from policygraph.web.settings import Settings
from policygraph.workers import Pool

Environ: TypeAlias = dict[str, Any]
"""A request as WSGI has it (PEP 3333)."""

_KEY = "policygraph"
IN_ENVIRON = "policygraph.served"
"""Where a request carries what it is answered from, so that it sees one version throughout."""


@dataclass(frozen=True, slots=True)
class Served:
    """A snapshot, opened. Nothing of it changes while it is served.

    The store answers the site's own queries; those from outside go to the pool.
    """

    snapshot: Snapshot
    store: Store
    questions: tuple[Query, ...]
    pool: Pool
    settings: Settings
    check_file: Path | None = None
    """Where the last check of the project's files is told of, when a server keeps it."""

    @property
    def base(self) -> str:
        """The base of the project's own IRIs."""
        return self.snapshot.base

    def tagged(self, tag: str) -> list[Query]:
        """Return the questions with a tag, sorted by name."""
        return [question for question in self.questions if tag in question.tags]

    def last_check(self) -> dict[str, Any] | None:
        """Return when the files were last checked and whether they conform; None when not known."""
        if self.check_file is None:
            return None
        try:
            found = json.loads(self.check_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def as_example(question: Query) -> str:
    """Return the query of a question for people to change: of its front matter, the summary."""
    lines = question.text.splitlines()
    rest = "\n".join(line for line in lines if not line.startswith("#+"))
    return f"# {question.summary}\n{rest}"


def serve_this(app: Flask, served: Served) -> None:
    """Let an application serve this where a request does not say otherwise."""
    app.extensions[_KEY] = served


def current() -> Served:
    """Return what this request is answered from."""
    served = request.environ.get(IN_ENVIRON) or current_app.extensions[_KEY]
    assert isinstance(served, Served)
    return served
