"""Answers to queries: rows for the program, bytes in a format for everybody else."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeAlias

import pyoxigraph

from policygraph.errors import QueryFault, UnknownThing
from policygraph.namespaces import prefixes
from policygraph.screening import is_update
from policygraph.store.formats import Format, Kind, formats_for
from policygraph.store.parsing import Quads
from policygraph.store.writing import write_quads
from policygraph.terms import BlankNode, Iri, Literal, Row, Term

_Result: TypeAlias = pyoxigraph.QuerySolutions | pyoxigraph.QueryBoolean | pyoxigraph.QueryTriples
_KINDS = {
    pyoxigraph.QuerySolutions: Kind.ROWS,
    pyoxigraph.QueryBoolean: Kind.BOOLEAN,
    pyoxigraph.QueryTriples: Kind.GRAPH,
}
LARGEST_TIDY = 10_000
"""Triples of a graph that is laid out for readers; a larger one goes out as the engine gives it."""
_AT = re.compile(r"error at (\d+):(\d+): ")


class Answer:
    """The answer to one query. It is evaluated while it is read, so it can be read once."""

    def __init__(self, result: _Result, base: str) -> None:
        self._result = result
        self._base = base
        self.kind = _KINDS[type(result)]

    @property
    def columns(self) -> list[str]:
        """The variables of a SELECT, in its order; none for other kinds."""
        if isinstance(self._result, pyoxigraph.QuerySolutions):
            return [variable.value for variable in self._result.variables]
        return []

    def rows(self) -> Iterator[Row]:
        """Yield the solutions of a SELECT. Raises QueryFault for another kind of answer."""
        if not isinstance(self._result, pyoxigraph.QuerySolutions):
            raise QueryFault("not a SELECT: this answer has no rows; choose another format")
        columns = self.columns
        try:
            for solution in self._result:
                yield {
                    name: _term(solution[name]) for name in columns if solution[name] is not None
                }
        except (RuntimeError, OSError) as error:
            raise query_fault(error, "") from error

    def write(self, format_: Format) -> bytes:
        """Write the whole answer. Raises UnknownThing when the format cannot hold its kind."""
        if self.kind not in format_.kinds:
            names = ", ".join(fit.name for fit in formats_for(self.kind))
            raise UnknownThing(f"'{format_.name}' cannot hold this kind of answer; use {names}")
        try:
            return self._serialised(format_)
        except (RuntimeError, OSError) as error:
            raise query_fault(error, "") from error

    def _serialised(self, format_: Format) -> bytes:
        if isinstance(self._result, pyoxigraph.QueryTriples):
            return self._graph(self._result, format_)
        assert isinstance(format_.engine, pyoxigraph.QueryResultsFormat), format_.name
        return self._result.serialize(format=format_.engine) or b""

    def _graph(self, triples: pyoxigraph.QueryTriples, format_: Format) -> bytes:
        assert isinstance(format_.engine, pyoxigraph.RdfFormat), format_.name
        first = list(islice(triples, LARGEST_TIDY + 1))
        if len(first) <= LARGEST_TIDY:
            quads = Quads(tuple(pyoxigraph.Quad(t.subject, t.predicate, t.object) for t in first))
            return write_quads(quads, format_, base=self._base, kind=Kind.GRAPH)
        every = chain(first, triples)
        names = prefixes(self._base)
        return pyoxigraph.serialize(every, format=format_.engine, prefixes=names) or b""


def read_answer(body: bytes, format_: Format, base: str) -> Answer:
    """Return an answer that was written as JSON, XML or TSV results, to be read once more."""
    assert isinstance(format_.engine, pyoxigraph.QueryResultsFormat), format_.name
    return Answer(pyoxigraph.parse_query_results(body, format=format_.engine), base)


def query_fault(error: Exception, query: str) -> QueryFault:
    """Turn the engine's complaint into one that shows the place and says what to do."""
    at = _AT.search(str(error))
    if at is None:
        return QueryFault(f"the query cannot be run: {error}")
    line, column = int(at[1]), int(at[2])
    shown = (query.splitlines() or [""])[line - 1 : line]
    rest = (shown[0] if shown else "")[max(column - 1, 0) :].strip()
    return QueryFault(
        f"line {line}, column {column}: {_reason(str(error), rest, query)}",
        line=line,
        column=column,
    )


def _reason(complaint: str, rest: str, query: str) -> str:
    if is_update(query):
        return "only SELECT, ASK, CONSTRUCT and DESCRIBE are answered here; this is an update"
    if "Prefix not found" in complaint:
        return f"a prefix is used here that is not declared ({_missing_prefixes(query)})"
    if not rest:
        return "the query ends too early, or a bracket is not closed"
    return f"not understood from here on: {rest[:60]}"


def _missing_prefixes(query: str) -> str:
    declared = set(re.findall(r"(?i)\bprefix\s+([\w-]*):", query))
    used = re.findall(r"(?<![\w<\"'/:#])([A-Za-z][\w-]*):[\w-]", re.sub(r"<[^<>\s]*>", "", query))
    missing = sorted(set(used) - declared)
    return ", ".join(missing) + ": add a PREFIX line" if missing else "add a PREFIX line"


def _term(term: object) -> Term:
    match term:
        case pyoxigraph.NamedNode():
            return Iri(term.value)
        case pyoxigraph.Literal():
            return Literal(term.value, term.datatype.value, term.language)
        case pyoxigraph.BlankNode():
            return BlankNode(term.value)
        case _:
            return Literal(str(term), "http://www.w3.org/2001/XMLSchema#string")
