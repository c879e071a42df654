"""Answers to queries: rows for the program, bytes in a format for everybody else."""

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, Self, TypeAlias

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
_REASONS = {
    "The SELECT contains a variable that is unbound": (
        "SELECT names a variable that is neither in GROUP BY nor within an aggregate"
    ),
    "SELECT * is not authorized": "SELECT * cannot stand with GROUP BY; name the variables",
    "Duplicated variable name in SELECT": "SELECT names the same variable twice",
    "The SELECT overrides an existing variable": (
        "SELECT gives a value to a variable that has one; take another name after AS"
    ),
    "BIND is overriding an existing variable": (
        "BIND gives a value to a variable that has one; take another name after AS"
    ),
    "IRI parsing failed": (
        "the IRI before this place is not absolute, or has a character that no IRI has"
    ),
}
"""What the engine complains of by name. To explain one more complaint, add a row."""
_NO_NAMES = re.compile(r"<[^<>\s]*>|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*")
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
                pairs = zip(columns, solution, strict=True)
                yield {name: _term(term) for name, term in pairs if term is not None}
        except (RuntimeError, OSError) as error:
            raise query_fault(error, "") from error

    def first(self, count: int) -> tuple[Self, bool]:
        """Return the first rows of a SELECT as an answer, and whether there are more.

        No more are evaluated than one beyond. Raises QueryFault for another kind of answer.
        """
        if not isinstance(self._result, pyoxigraph.QuerySolutions):
            raise QueryFault("not a SELECT: this answer has no rows; choose another format")
        names = [str(variable) for variable in self._result.variables]
        try:
            rows = [list(map(_written, row)) for row in islice(self._result, count + 1)]
        except (RuntimeError, OSError) as error:
            raise query_fault(error, "") from error
        # The engine has no rows that are made in Python, but it reads those that are written.
        text = "".join("\t".join(row) + "\n" for row in [names, *rows[:count]])
        tsv = pyoxigraph.QueryResultsFormat.TSV
        kept = pyoxigraph.parse_query_results(text, format=tsv)
        return type(self)(kept, self._base), len(rows) > count

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
    rest = "\n".join(query.split("\n")[line - 1 :])[column - 1 :].strip()
    return QueryFault(
        f"line {line}, column {column}: {_reason(str(error), rest, query)}",
        line=line,
        column=column,
    )


def _reason(complaint: str, rest: str, query: str) -> str:
    if is_update(query):
        return "only SELECT, ASK, CONSTRUCT and DESCRIBE are answered here; this is an update"
    found = next((reason for sign, reason in _REASONS.items() if sign in complaint), None)
    if found:
        return found
    missing = _missing_prefixes(query)
    if missing:
        return f"a prefix is used that is not declared ({missing}); add a PREFIX line"
    if not rest:
        return f"the query ends too early, or {_what_else(query)}"
    return f"not understood from here on: {rest.splitlines()[0][:60]}"


def _what_else(query: str) -> str:
    """Return what else is wrong where the engine read to the end: then it names no better place."""
    text = _NO_NAMES.sub(" ", query)
    if all(text.count(opening) == text.count(closing) for opening, closing in ("()", "{}", "[]")):
        return "something before is not complete, such as a comparison without its second side"
    return "has a bracket too many or too few"


def _missing_prefixes(query: str) -> str:
    """Return the prefixes that are used and not declared; strings and comments do not count."""
    text = _NO_NAMES.sub(" ", query)
    declared = set(re.findall(r"(?i)\bprefix\s+([\w.-]*):", text))
    used = set(re.findall(r"(?<![\w?$:@-])([A-Za-z][\w.-]*):", text))
    return ", ".join(sorted(used - declared))


def _written(term: object) -> str:
    """Write a term as in TSV results; one that is not bound as nothing."""
    if isinstance(term, pyoxigraph.Triple):
        return f"<<( {term} )>>"
    return "" if term is None else str(term)


def _term(term: object) -> Term:
    make = _TERMS.get(type(term), _as_string)
    return make(term)


def _as_string(term: object) -> Term:
    """Return a triple term as it is written: nothing of ours has any."""
    return Literal(str(term), "http://www.w3.org/2001/XMLSchema#string")


_TERMS: dict[type, Callable[[Any], Term]] = {
    pyoxigraph.NamedNode: lambda term: Iri(term.value),
    pyoxigraph.Literal: lambda term: Literal(term.value, term.datatype.value, term.language),
    pyoxigraph.BlankNode: lambda term: BlankNode(term.value),
}
