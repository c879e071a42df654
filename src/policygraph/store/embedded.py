"""The embedded engine: a pyoxigraph store, in memory, or on disk and then only to be read.

The default graph of a query is the union of all named graphs. The engine can make that union as it
goes, but then repeats a triple once for each graph that holds it, so that COUNT and every query
without DISTINCT would be wrong. So the union is kept as the default graph (`unite`), on disk too.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice, product
from pathlib import Path
from typing import Self, TypeAlias

import pyoxigraph

from policygraph.errors import ProjectError, QueryFault
from policygraph.namespaces import DEFAULT_BASE, prologue
from policygraph.screening import calls_out
from policygraph.store.answers import Answer, query_fault
from policygraph.store.formats import Format, Kind
from policygraph.store.parsing import Quads
from policygraph.store.writing import write_quads
from policygraph.terms import Row

_DEFAULT = pyoxigraph.DefaultGraph()
_Pattern: TypeAlias = tuple[
    pyoxigraph.NamedNode | None, pyoxigraph.NamedNode | None, pyoxigraph.NamedNode | None
]
"""Subject, predicate and object, where they are given."""


class Store:
    """Named graphs, and, once united, their union as the default graph."""

    def __init__(self, base: str = DEFAULT_BASE) -> None:
        self.base = base
        self._engine = pyoxigraph.Store()

    def __len__(self) -> int:
        """Return the number of triples in the default graph."""
        (row,) = self.select("SELECT (COUNT(*) AS ?count) { ?s ?p ?o }")
        return int(str(row["count"]))

    @classmethod
    def open(cls, path: Path, base: str = DEFAULT_BASE) -> Self:
        """Open a graph to serve: a file of N-Quads, in memory, or a store on disk (a folder).

        The store on disk is one by `write_disk_store`, and can only be read. Raises ProjectError
        when there is no such thing.
        """
        store = cls(base)
        try:
            if path.is_dir():
                store._engine = pyoxigraph.Store.read_only(str(path))
            else:
                store._engine.bulk_load(path=str(path), format=pyoxigraph.RdfFormat.N_QUADS)
                store.unite()
        except (OSError, SyntaxError) as error:
            raise ProjectError(f"{path}: not a graph that can be read ({error})") from error
        return store

    def load(self, quads: Quads) -> None:
        """Add parsed quads to their graphs."""
        self._engine.bulk_extend(quads.items)

    def unite(self) -> None:
        """Make the default graph the union of the named graphs, each triple once."""
        self._engine.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }")

    def update(self, text: str) -> None:
        """Run a SPARQL update of the program's own; the project's prefixes are known in it."""
        self._engine.update(prologue(self.base) + text)

    def query(
        self,
        text: str,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Run a query as a user wrote it. Raises QueryFault with the line and column.

        The graphs are those of the protocol (SPARQL 1.1 Protocol, section 2.1.4): where either is
        given, the query sees no other graph. Without any, it sees all, and their union as default.
        """
        if calls_out(text):
            raise QueryFault(
                "the query uses SERVICE, and nothing here calls another server; ask that one "
                "yourself and join the answers"
            )
        return self._run(text, default_graphs, named_graphs)

    def select(self, text: str) -> list[Row]:
        """Run a SELECT of the program's own; the project's prefixes are known in it."""
        return list(self._run(prologue(self.base) + text).rows())

    def _run(
        self, text: str, default_graphs: Sequence[str] = (), named_graphs: Sequence[str] = ()
    ) -> Answer:
        is_narrowed = bool(default_graphs or named_graphs)
        try:
            result = self._engine.query(
                text,
                default_graph=list(_nodes(default_graphs)) if is_narrowed else None,
                named_graphs=list(_nodes(named_graphs)) if is_narrowed else None,
            )
        except (SyntaxError, ValueError, RuntimeError, OSError) as error:
            raise query_fault(error, text) from error
        return Answer(result, self.base)

    def graph_names(self) -> list[str]:
        """Return the IRIs of the named graphs, sorted."""
        names = self._engine.named_graphs()
        return sorted(name.value for name in names if isinstance(name, pyoxigraph.NamedNode))

    def graph(self, names: Iterable[str]) -> Quads:
        """Return the quads of some named graphs."""
        graphs = [pyoxigraph.NamedNode(name) for name in names]
        return Quads(
            tuple(
                quad for g in graphs for quad in self._engine.quads_for_pattern(None, None, None, g)
            )
        )

    def about(self, iri: str) -> Quads:
        """Return the triples of the default graph that have a thing as subject."""
        return self._matching((subject, None, None) for subject in _things([iri]))

    def mentions(self, iri: str, most: int) -> Quads:
        """Return triples of the default graph that have a thing as object, at most so many."""
        return self._matching(((None, None, object_) for object_ in _things([iri])), most)

    def outgoing_many(self, iris: Iterable[str], predicates: Iterable[str]) -> Quads:
        """Return what some predicates say of many things in the default graph."""
        pairs = product(_things(dict.fromkeys(iris)), _nodes(predicates))
        return self._matching((subject, predicate, None) for subject, predicate in pairs)

    def _matching(self, patterns: Iterable[_Pattern], most: int | None = None) -> Quads:
        found = (self._engine.quads_for_pattern(*pattern, _DEFAULT) for pattern in patterns)
        return Quads(tuple(islice(chain.from_iterable(found), most)))

    def dump(
        self, format_: Format, *, graphs: Iterable[str] | None = None, kind: Kind = Kind.DATASET
    ) -> bytes:
        """Write graphs (all without `graphs`) in a format: the same graphs give the same bytes.

        With Kind.GRAPH, and in a format that holds no graph names, they are written as one.
        """
        quads = self.graph(self.graph_names() if graphs is None else graphs)
        return write_quads(quads, format_, base=self.base, kind=kind)

    def canonical(self) -> bytes:
        """Return the named graphs as canonical N-Quads (RDFC-1.0): a line each, sorted."""
        dataset = pyoxigraph.Dataset(self.graph(self.graph_names()).items)
        dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
        lines = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS) or b""
        return b"".join(sorted(lines.splitlines(keepends=True)))


def _nodes(names: Iterable[str]) -> Iterator[pyoxigraph.NamedNode]:
    return map(pyoxigraph.NamedNode, names)


def _things(names: Iterable[str]) -> Iterator[pyoxigraph.NamedNode]:
    """Yield the nodes of those names that are IRIs; no triple is about another one."""
    for name in names:
        with suppress(ValueError):
            yield pyoxigraph.NamedNode(name)
