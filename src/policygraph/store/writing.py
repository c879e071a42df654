"""Write quads: the same quads give the same bytes, laid out for readers where a format allows."""

import re

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

# Line breaks in literals are escaped, so a line that ends in a full stop ends a sentence.
_NEXT_SUBJECT = re.compile(rb"(?<= \.\n)(?=[^@}])|(?<=\n}\n)(?=.)")


def write_quads(quads: Quads, format_: Format, *, base: str, kind: Kind = Kind.DATASET) -> bytes:
    """Write quads in a format, sorted, with the prefixes they use; literals stay as they are.

    Blank nodes get canonical labels (RDFC-1.0), so that nothing depends on who parsed them. With
    Kind.GRAPH, and in a format that holds no graph names, the graphs are written as one.
    """
    assert isinstance(format_.engine, pyoxigraph.RdfFormat), format_.name
    is_one_graph = kind is Kind.GRAPH or kind not in format_.kinds
    items = (pyoxigraph.Quad(*quad.triple) for quad in quads.items) if is_one_graph else quads.items
    dataset = pyoxigraph.Dataset(items)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
    text = _serialised(sorted(dataset, key=_place), format_.engine, prefixes(base))
    return text if text.endswith(b"\n") else text + b"\n"


def _place(quad: pyoxigraph.Quad) -> tuple[str, str, bool, str, str, str]:
    """Return what to sort by: graph, subject (9 before 10), type first, predicate, object."""
    subject, object_ = str(quad.subject), str(quad.object)
    is_other = quad.predicate != _TYPE
    numbered = _NUMBER.sub(_padded, subject)
    return str(quad.graph_name), numbered, is_other, str(quad.predicate), object_, subject


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
    """Sort the prefixes of Turtle or TriG and set the subjects apart by a blank line."""
    lines = text.splitlines(keepends=True)
    head = sorted(line for line in lines if line.startswith(b"@prefix"))
    return b"".join(head) + _NEXT_SUBJECT.sub(b"\n", b"\n" + b"".join(lines[len(head) :]))
