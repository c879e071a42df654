"""Read what an endpoint answered, and write it as VALUES, to stand in a query.

The answer is another's. A name is taken only where the question has it, and no term is written that
the engine has not read as one.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from urllib.parse import quote

from policygraph.errors import PolicygraphError
from policygraph.federation.calls import Question
from policygraph.federation.faults import ServiceFailed
from policygraph.store import Kind, format_named, read_answer
from policygraph.terms import BlankNode, Iri, Row, Term

MOST_ROWS = 50_000
NOTHING_KNOWN = "VALUES () { () }"
"""The one solution that binds nothing: what SERVICE SILENT gives when it fails."""

_JSON = format_named("json")
_STRING = "http://www.w3.org/2001/XMLSchema#string"
_ESCAPES = str.maketrans(
    {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
    | {mark: f"\\u{ord(mark):04X}" for mark in "\v\f\x1c\x1d\x1e\x85\u2028\u2029"}
)
"""What may not stand in a string, and what would make a new line of a query."""


def as_values(question: Question, body: bytes | None, genid: str) -> str:
    """Return an answer as a VALUES block on one line; None as the one that SILENT gives.

    Raises ServiceFailed for what cannot be read, where the question is not silent.
    """
    if body is None:
        return NOTHING_KNOWN
    try:
        return _written(question, body, genid)
    except ServiceFailed:
        if question.is_silent:
            return NOTHING_KNOWN
        raise


def _written(question: Question, body: bytes, genid: str) -> str:
    # The engine's answer lives in `_table` alone: kept by an error, it might die in another thread,
    # which it does not bear.
    read = _table(body, question.names)
    if isinstance(read, str):
        raise ServiceFailed(question.endpoint, read)
    columns, rows = read
    # The same answer gives the same IRIs; another one, others: labels mean nothing beyond theirs.
    digest = hashlib.sha256(f"{question.endpoint}\n{question.query}\n".encode() + body)
    prefix = f"{genid}{digest.hexdigest()[:16]}-"
    head = " ".join(f"?{name}" for name in columns)
    return f"VALUES ({head}) {{ {' '.join(_line(row, columns, prefix) for row in rows)} }}"


def _table(body: bytes, names: Collection[str]) -> tuple[list[str], list[Row]] | str:
    """Return the columns that have these names, and the rows; or what is wrong with the answer."""
    try:
        # First by a parser that no nesting can crash.
        json.loads(body, object_pairs_hook=_refuse_what_is_new)
        answer = read_answer(body, _JSON, "")
        if answer.kind is not Kind.ROWS:
            return "answered yes or no where a table was asked for"
        rows = list(islice(answer.rows(), MOST_ROWS + 1))
    except _TooNew:
        return "answered with a triple term or a direction of text (RDF 1.2)"
    except (ValueError, RecursionError, SyntaxError, PolicygraphError):
        return "answered with what are no SPARQL results"
    if len(rows) > MOST_ROWS:
        return f"answered with more than {MOST_ROWS:,} solutions"
    return [name for name in answer.columns if name in names], rows


class _TooNew(Exception):
    """An answer has what RDF 1.1 has not."""


def _refuse_what_is_new(pairs: Iterable[tuple[str, object]]) -> None:
    """Look at one object of JSON; of what it says, nothing is kept."""
    if any(pair == ("type", "triple") or pair[0] == "its:dir" for pair in pairs):
        raise _TooNew


def _line(row: Row, columns: Sequence[str], prefix: str) -> str:
    terms = (_term(row[name], prefix) if name in row else "UNDEF" for name in columns)
    return f"({' '.join(terms)})"


def _term(term: Term, prefix: str) -> str:
    match term:
        case Iri():
            return f"<{term}>"
        case BlankNode():
            return f"<{prefix}{quote(term, safe='')}>"
    text = f'"{term.value.translate(_ESCAPES)}"'
    if term.language:
        return f"{text}@{term.language}"
    return text if term.datatype == _STRING else f"{text}^^<{term.datatype}>"
