"""What an application serves: a project, its graph, its questions, and who answers strangers."""

from dataclasses import dataclass

from flask import Flask, current_app

from policygraph.catalogue import Query
from policygraph.project import Project
from policygraph.store import Store
from policygraph.workers import Pool

_KEY = "policygraph"


@dataclass(frozen=True, slots=True)
class Served:
    """A project, its graph and its questions. Nothing of it changes while it is served.

    The store answers the site's own queries; those from outside go to the pool.
    """

    project: Project
    store: Store
    questions: tuple[Query, ...]
    pool: Pool

    def tagged(self, tag: str) -> list[Query]:
        """Return the questions with a tag, sorted by name."""
        return [question for question in self.questions if tag in question.tags]


def as_example(question: Query) -> str:
    """Return the query of a question for people to change: of its front matter, the summary."""
    lines = question.text.splitlines()
    rest = "\n".join(line for line in lines if not line.startswith("#+"))
    return f"# {question.summary}\n{rest}"


def serve_this(app: Flask, served: Served) -> None:
    """Let an application serve this."""
    app.extensions[_KEY] = served


def current() -> Served:
    """Return what the application of this request serves."""
    served = current_app.extensions[_KEY]
    assert isinstance(served, Served)
    return served
