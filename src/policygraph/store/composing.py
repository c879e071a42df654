"""Compose quads of plain terms, to be written: the way back from `policygraph.terms`."""

from collections.abc import Iterable
from typing import TypeAlias

import pyoxigraph

from policygraph.store.parsing import Quads
from policygraph.terms import BlankNode, Iri, Literal, Term

Composed: TypeAlias = tuple[Term, Iri, Term, Iri | None]
"""Subject, predicate, object, and the graph's name (None: the default graph)."""

_DEFAULT = pyoxigraph.DefaultGraph()


def compose(items: Iterable[Composed]) -> Quads:
    """Return quads of plain terms. Literals are as they come, whatever their datatype."""
    return Quads(tuple(map(_quad, items)))


def _quad(item: Composed) -> pyoxigraph.Quad:
    subject, predicate, object_, graph = item
    node = _node(subject)
    assert not isinstance(node, pyoxigraph.Literal), subject
    name = pyoxigraph.NamedNode(graph) if graph else _DEFAULT
    return pyoxigraph.Quad(node, pyoxigraph.NamedNode(predicate), _node(object_), name)


def _node(term: Term) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode | pyoxigraph.Literal:
    if isinstance(term, Literal):
        if term.language:
            return pyoxigraph.Literal(term.value, language=term.language)
        return pyoxigraph.Literal(term.value, datatype=pyoxigraph.NamedNode(term.datatype))
    if isinstance(term, BlankNode):
        return pyoxigraph.BlankNode(term)
    return pyoxigraph.NamedNode(term)
