"""Parse RDF files, keeping literals as they are written, with errors that say where."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph

from policygraph.errors import ProjectError, SyntaxFault


@dataclass(frozen=True, slots=True)
class Quads:
    """Parsed statements. Literals keep their lexical form, which a store would normalise."""

    items: tuple[pyoxigraph.Quad, ...]

    def __len__(self) -> int:
        """Return the number of quads."""
        return len(self.items)

    def __add__(self, other: "Quads") -> "Quads":
        """Return these quads and the other ones; what is in both comes twice."""
        return Quads(self.items + other.items)

    def to_ntriples(self) -> bytes:
        """Return the triples, whatever their graphs, as N-Triples."""
        triples = (quad.triple for quad in self.items)
        return pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES) or b""


def parse_file(path: Path, base: str, *, graph: str | None = None) -> Quads:
    """Parse an RDF file by its ending (.ttl, .nt, .nq, .trig, .rdf, .jsonld) into one graph.

    Without `graph`, quads stay in the graphs that the file names. Raises ProjectError when the
    file cannot be read, SyntaxFault (line, column) when it does not parse.
    """
    name = pyoxigraph.NamedNode(graph) if graph else None
    try:
        parsed = pyoxigraph.parse(
            path=str(path), format=_format_of(path), base_iri=base, without_named_graphs=bool(graph)
        )
        return Quads(tuple(_in_graph(parsed, name)))
    except SyntaxError as error:
        line, column = error.lineno, error.offset
        raise SyntaxFault(
            f"{path}:{line or 1}:{column or 1}: {_reason(error)}; mend the file and try again",
            line=line,
            column=column,
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(f"{path}: cannot be read ({reason})") from error


def parse_turtle(text: str, base: str) -> Quads:
    """Parse Turtle of the program's own making, its IRIs relative to a base.

    Raises SyntaxFault when it does not parse, for one when the base is no IRI.
    """
    try:
        parsed = pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE, base_iri=base)
        return Quads(tuple(parsed))
    except (SyntaxError, ValueError) as error:
        raise SyntaxFault(f"Turtle relative to {base} does not parse ({error})") from error


def _in_graph(
    quads: Iterable[pyoxigraph.Quad], graph: pyoxigraph.NamedNode | None
) -> Iterable[pyoxigraph.Quad]:
    if graph is None:
        return quads
    return (pyoxigraph.Quad(q.subject, q.predicate, q.object, graph) for q in quads)


def _format_of(path: Path) -> pyoxigraph.RdfFormat:
    format_ = pyoxigraph.RdfFormat.from_extension(path.suffix.lstrip("."))
    if format_ is None:
        raise ProjectError(f"{path}: not an RDF file by its name; use .ttl, .nt, .trig or .jsonld")
    return format_


def _reason(error: SyntaxError) -> str:
    """Return the parser's reason without the position, which stands before it."""
    text = str(error.msg or error)
    return text.split(": ", 1)[1] if text.startswith("Parser error") and ": " in text else text
