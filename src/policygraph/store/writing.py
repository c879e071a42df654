"""Write quads: the same quads give the same bytes, laid out for readers where a format allows."""

import re
from collections.abc import Iterable

import pyoxigraph

from policygraph.namespaces import prefixes
from policygraph.store.formats import Format, Kind
from policygraph.store.parsing import Quads

_RDF = pyoxigraph.RdfFormat
_TYPE = pyoxigraph.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_NUMBER = re.compile(r"[0-9]+")

_IN_TURTLE = re.compile(rb'"(?:[^"\\]|\\.)*"|<[^>]*>|@prefix.*|([a-z]+):')
_PREFIXES_IN = {
    _RDF.TURTLE: _IN_TURTLE,
    _RDF.TRIG: _IN_TURTLE,
    _RDF.RDF_XML: re.compile(rb"</?([a-z]+):"),
}
"""For each format with prefixes, what finds those in use (group 1) in a serialised text."""

# Literals escape their line breaks, so a line of Turtle ends where the engine ended it.
_NEXT_SUBJECT = re.compile(rb"(?<= \.\n)(?=[^@}])|(?<=\n}\n)(?=.)")
_BETWEEN_OBJECTS = re.compile(rb'("(?:[^"\\]|\\.)*"|<[^>]*>)| , ')
_LONG = 100


def write_quads(quads: Quads, format_: Format, *, base: str, kind: Kind = Kind.DATASET) -> bytes:
    """Write quads in a format, sorted, with the prefixes they use; literals stay as they are.

    Blank nodes get canonical labels (RDFC-1.0), so that nothing depends on who parsed them. With
    Kind.GRAPH, and in a format that holds no graph names, the graphs are written as one.
    """
    assert isinstance(format_.engine, pyoxigraph.RdfFormat), format_.name
    is_one_graph = kind is Kind.GRAPH or kind not in format_.kinds
    items = (pyoxigraph.Quad(*quad.triple) for quad in quads.items) if is_one_graph else quads.items
    ordered = sorted(_labelled(set(items)), key=_place)
    text = _serialised(ordered, format_.engine, prefixes(base))
    return text if text.endswith(b"\n") else text + b"\n"


def _labelled(quads: set[pyoxigraph.Quad]) -> Iterable[pyoxigraph.Quad]:
    """Give blank nodes their canonical labels; where there are none, that time is saved."""
    terms = (term for quad in quads for term in (quad.subject, quad.object))
    if not any(isinstance(term, pyoxigraph.BlankNode) for term in terms):
        return quads
    dataset = pyoxigraph.Dataset(quads)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
    return dataset


def _place(quad: pyoxigraph.Quad) -> tuple[str, str, bool, str, str, str]:
    """Return what to sort by: graph, subject (9 before 10), type first, predicate, object."""
    is_other = quad.predicate != _TYPE
    subject, object_ = _numbered(quad.subject), _numbered(quad.object)
    return str(quad.graph_name), subject, is_other, str(quad.predicate), object_, str(quad)


def _numbered(term: object) -> str:
    return _NUMBER.sub(_padded, str(term).strip("<>"))


def _padded(number: re.Match[str]) -> str:
    return number.group().zfill(9)


def _serialised(
    items: list[pyoxigraph.Quad], engine: pyoxigraph.RdfFormat, names: dict[str, str]
) -> bytes:
    """Serialise, where there are prefixes twice: a draft shows which of them are used."""
    text = pyoxigraph.serialize(items, format=engine, prefixes=names) or b""
    if engine not in _PREFIXES_IN:
        return text
    used = {name.decode() for name in _PREFIXES_IN[engine].findall(text)}
    ours = {name: iri for name, iri in names.items() if name in used}
    text = pyoxigraph.serialize(items, format=engine, prefixes=ours) or b""
    return text if engine == _RDF.RDF_XML else _laid_out(text)


def _laid_out(text: bytes) -> bytes:
    """Lay Turtle or TriG out as the project's own files are: prefixes sorted, subjects apart."""
    lines = text.splitlines(keepends=True)
    head = sorted(line for line in lines if line.startswith(b"@prefix"))
    body = b"".join(map(_folded, lines[len(head) :]))
    return b"".join(head) + _NEXT_SUBJECT.sub(b"\n", b"\n" + body)


def _folded(line: bytes) -> bytes:
    """Indent by spaces, and put each object of a long list on a line of its own."""
    rest = line.lstrip(b"\t")
    depth = len(line) - len(rest)
    between = b",\n" + b"    " * (depth + 1) if len(line) > _LONG else b", "
    return b"    " * depth + _BETWEEN_OBJECTS.sub(lambda found: found[1] or between, rest)
