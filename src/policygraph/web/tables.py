"""Answers as tables that people read: labels for columns, links, one column that cites."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from policygraph.namespaces import FOREIGN, shorten
from policygraph.store import Answer, Store
from policygraph.terms import Iri, Literal, Row, Term

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBERS = {FOREIGN["xsd"] + name for name in ("integer", "decimal", "double", "float")}
_CITED = ("statement", "section", "sentence")
"""The columns by which a question cites: all three become one column for readers."""
_TITLES = """
SELECT ?statement ?title {{
  VALUES ?statement {{ {iris} }}
  ?statement dcterms:source/skos:prefLabel ?title FILTER (LANG(?title) = "en") }}"""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: its text, its language, whether it is a number, where it leads.

    `describes` is an IRI of the project's own, `href` an address elsewhere.
    """

    text: str = ""
    language: str | None = None
    is_number: bool = False
    describes: str | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The headings, the rows, whether there are more, and the titles of the sources cited."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_more: bool
    sources: tuple[str, ...] = ()


def as_table(answer: Answer, store: Store, *, limit: int) -> Table:
    """Return the first rows of an answer as they are, IRIs shortened."""
    rows, has_more = _first(answer, limit)
    columns = answer.columns
    cells = tuple(tuple(_cell(row.get(name), store) for name in columns) for row in rows)
    return Table(tuple(f"?{name}" for name in columns), cells, has_more)


def as_cited_table(answer: Answer, store: Store, *, limit: int) -> Table:
    """Return the first rows of an answer to a question, each with its place in its source."""
    rows, has_more = _first(answer, limit)
    if not set(_CITED) <= set(answer.columns):
        columns, cite = tuple(answer.columns), None
    else:
        columns = tuple(name for name in answer.columns if name not in _CITED)
        cite = _cited(rows, store)
    return Table(
        headings=(*map(_heading, columns), *(["Where it says so"] if cite else [])),
        rows=tuple(
            (*(_cell(row.get(name), store) for name in columns), *([cite.cell(row)] if cite else []))
            for row in rows
        ),
        has_more=has_more,
        sources=cite.titles if cite else (),
    )
