"""The embedded engine: a pyoxigraph store in memory.

The default graph of a query is the union of all named graphs. The engine can make that union as it
goes, but then repeats a triple once for each graph that holds it, so that COUNT and every query
without DISTINCT would be wrong. So the union is kept as the default graph (`unite`).
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import pyoxigraph

from policygraph.errors import QueryFault
from policygraph.namespaces import DEFAULT_BASE, prologue
from policygraph.screening import calls_out
from policygraph.store.answers import Answer, query_fault
from policygraph.store.formats import Format, Kind
from policygraph.store.parsing import Quads
from policygraph.store.writing import write_quads
from policygraph.terms import Row

_DEFAULT = pyoxigraph.DefaultGraph()


class Store:
    """Named graphs in memory, and, once united, their union as the default graph."""

    def __init__(self, base: str = DEFAULT_BASE) -> None:
        self.base = base
        self._engine = pyoxigraph.Store()

    def __len__(self) -> int:
        """Return the number of triples in the default graph."""
        return sum(1 for _ in self._engine.quads_for_pattern(None, None, None, _DEFAULT))

    @classmethod
    def of_dump(cls, path: Path, base: str = DEFAULT_BASE) -> Self:
        """Return a store with the named graphs of an N-Quads file, and their union."""
        store = cls(base)
        store._engine.bulk_load(path=str(path), format=pyoxigraph.RdfFormat.N_QUADS)
        store.unite()
        return store

    def load(self, quads: Quads) -> None:
        """Add parsed quads to their graphs."""
        self._engine.bulk_extend(quads.items)

    def unite(self) -> None:
        """Make the default graph the union of the named graphs, each triple once."""
        named = [quad for quad in self._engine if quad.graph_name != _DEFAULT]
        self._engine.bulk_extend(
            pyoxigraph.Quad(q.subject, q.predicate, q.object, _DEFAULT) for q in named
        )

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

    def select(self, text: str) -> list[Row]:
        """Run a SELECT of the program's own; the project's prefixes are known in it."""
        return list(self.query(prologue(self.base) + text).rows())

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
