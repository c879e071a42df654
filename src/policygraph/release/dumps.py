"""The data of a release as files: every format, plain and gzipped, the same bytes each time."""

import gzip
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from policygraph.errors import ProjectError
from policygraph.graph import authored_graphs
from policygraph.jsonld import compact, project_context
from policygraph.namespaces import rebase
from policygraph.project import Project
from policygraph.store import Format, Kind, Store, format_named
from policygraph.texts import digest_of

FORMATS = {"ttl": False, "nt": False, "rdf": False, "jsonld": False, "nq": True, "trig": True}
"""The format of each dump, and whether it carries the whole data set or only what people wrote.

Edges go where graphs are named: elsewhere they would read as assertions of the project's own.
To add a dump, add a row.
"""
DUMPS = tuple(f"policygraph.{name}{end}" for name in FORMATS for end in ("", ".gz"))
TERMS = ("ontology.ttl", "shapes.ttl", "context.jsonld")

_SHAPE_NAMESPACE = re.compile(r'(sh:namespace\s+")([^":]*")')
_FIRST_PREFIX = re.compile(r"^(?=@?prefix\b)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dump:
    """A file of data: its name, format, what it carries, its size in bytes and its SHA-256."""

    name: str
    format: Format
    is_whole: bool
    is_compressed: bool
    size: int
    digest: str


def write_dumps(
    project: Project, store: Store, folder: Path, *, progress: Callable[[str], None]
) -> list[Dump]:
    """Write the data in each format, plain and gzipped, and return what was written."""
    dumps = []
    for name, is_whole in FORMATS.items():
        format_ = format_named(name)
        progress(f"writing policygraph.{name}")
        data = _data(project, store, format_, is_whole=is_whole)
        for end, content in (("", data), (".gz", compressed(data))):
            file = f"policygraph.{name}{end}"
            (folder / file).write_bytes(content)
            digest = digest_of(content)
            dumps.append(Dump(file, format_, is_whole, bool(end), len(content), digest))
    return dumps


def release_id(dumps: Iterable[Dump]) -> str:
    """Return the SHA-256 of the canonical N-Quads, which are those of the N-Quads dump."""
    return next(dump.digest for dump in dumps if dump.name == "policygraph.nq")


def write_terms(project: Project, store: Store, folder: Path) -> None:
    """Write the vocabulary, the rules and the context, with absolute IRIs."""
    vocabulary = store.dump(format_named("ttl"), graphs=[project.iri("graph/vocabulary")])
    (folder / "ontology.ttl").write_bytes(vocabulary)
    (folder / "shapes.ttl").write_text(_shapes(project), encoding="utf-8")
    (folder / "context.jsonld").write_text(_text(project, project.context), encoding="utf-8")


def compressed(data: bytes) -> bytes:
    """Return bytes gzipped without time and name (RFC 1952), which would differ each time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def _data(project: Project, store: Store, format_: Format, *, is_whole: bool) -> bytes:
    if is_whole:
        return store.canonical() if format_.name == "nq" else store.dump(format_)
    data = store.dump(format_, graphs=authored_graphs(project), kind=Kind.GRAPH)
    return compact(data, project_context(project)) if format_.name == "jsonld" else data


def _shapes(project: Project) -> str:
    """Return the rules as they are written, comments and all, with the base in them."""
    base = project.base
    text = _SHAPE_NAMESPACE.sub(lambda m: m[1] + base + m[2], _text(project, project.shapes))
    return _FIRST_PREFIX.sub(lambda _: f"@base <{base}> .\n", text, count=1)


def _text(project: Project, path: Path) -> str:
    try:
        return rebase(path.read_text(encoding="utf-8"), project.base)
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{project.show(path)}: cannot be read ({error})") from error
