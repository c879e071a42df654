"""The questions: SPARQL files with front matter in `#+` comments, so they stay plain SPARQL."""

import re
from dataclasses import dataclass
from pathlib import Path

from policygraph.errors import ProjectError, UnknownThing
from policygraph.namespaces import rebase
from policygraph.project import Project

_FRONT = re.compile(r"^#\+ *([a-z]+): *(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """A query file: its name (the file's stem), what its front matter says, and its text."""

    name: str
    path: Path
    front: dict[str, str]
    text: str

    @property
    def summary(self) -> str:
        """The question it answers, in one sentence."""
        return self.front.get("summary", self.name)

    @property
    def tags(self) -> list[str]:
        """What it is about, for grouping."""
        return [tag.strip() for tag in self.front.get("tags", "").split(",") if tag.strip()]


def read_query(path: Path, base: str) -> Query:
    """Read a query file; its IRIs are moved from the default base to the project's."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: cannot be read ({error})") from error
    return Query(path.stem, path, dict(_FRONT.findall(text)), rebase(text, base))


def questions(project: Project) -> list[Query]:
    """Return the project's questions, sorted by name."""
    return [read_query(path, project.base) for path in sorted(project.queries.glob("*.rq"))]


def violation_queries(project: Project) -> list[Query]:
    """Return the queries that must return no row, sorted by name."""
    paths = sorted(project.violation_queries.glob("*.rq"))
    return [read_query(path, project.base) for path in paths]


def find_query(project: Project, name: str) -> Query:
    """Return a question by its name. Raises UnknownThing, with names that are like it."""
    for query in questions(project):
        if query.name == name:
            return query
    words = set(name.split("-"))
    near = [q.name for q in questions(project) if words & set(q.name.split("-"))]
    hint = f"; did you mean {', '.join(near[:4])}?" if near else ""
    raise UnknownThing(f"no question '{name}'{hint} ('policygraph query --list' names them all)")
