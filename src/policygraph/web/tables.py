"""Answers as tables that people read: words for headings, links, one column that cites."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from policygraph.namespaces import FOREIGN, shorten
from policygraph.store import Answer, Store
from policygraph.terms import Iri, Literal, Row, Term

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBERS = {FOREIGN["xsd"] + name for name in ("integer", "decimal", "double", "float")}
_CITING = ("section", "sentence", "statement")
"""The columns in which a question says where a row is read from: one column for readers."""
_TITLES = """
SELECT ?statement ?title {{
  VALUES ?statement {{ {statements} }}
  ?statement dcterms:source/skos:prefLabel ?title FILTER (LANG(?title) = "en") }}"""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: its text, the text's language, whether it is a number.

    `about` is an IRI of the project's own, which this site can describe; `address` one elsewhere.
    """

    text: str = ""
    language: str | None = None
    is_number: bool = False
    about: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, rows, whether there are more rows, and the titles of the sources cited."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_more: bool
    sources: tuple[str, ...] = ()


def as_table(answer: Answer, store: Store, *, limit: int) -> Table:
    """Return the first rows of an answer as they are, IRIs shortened."""
    rows, has_more = _first(answer, limit)
    columns = answer.columns
    cells = (tuple(_cell(row.get(name), store.base) for name in columns) for row in rows)
    return Table(tuple(f"?{name}" for name in columns), tuple(cells), has_more)


def as_cited_table(answer: Answer, store: Store, *, limit: int) -> Table:
    """Return the first rows of the answer to a question, its headings in words.

    Where the question names the statement of a row, the last column says where that stands.
    """
    rows, has_more = _first(answer, limit)
    if "statement" not in answer.columns:
        plain = [_words(row, answer.columns, store.base) for row in rows]
        return Table(tuple(map(_heading, answer.columns)), tuple(plain), has_more)
    columns = [name for name in answer.columns if name not in _CITING]
    titles = _titles(rows, store)
    sources = tuple(sorted(set(titles.values())))
    cells = (
        (*_words(row, columns, store.base), _citation(row, titles, name_it=len(sources) > 1))
        for row in rows
    )
    headings = (*map(_heading, columns), "Where it says so")
    return Table(headings, tuple(cells), has_more, sources)


def _first(answer: Answer, limit: int) -> tuple[list[Row], bool]:
    """Return up to `limit` rows, and whether there was another: the rest is never evaluated."""
    rows = list(islice(answer.rows(), limit + 1))
    return rows[:limit], len(rows) > limit


def _words(row: Row, columns: Iterable[str], base: str) -> tuple[Cell, ...]:
    return tuple(_cell(row.get(name), base) for name in columns)


def _heading(column: str) -> str:
    """Return the name of a variable in words: `drawnBy` as "Drawn by"."""
    return _WORD_STARTS.sub(" ", column).capitalize()


def _cell(term: Term | None, base: str) -> Cell:
    match term:
        case None:
            return Cell()
        case Iri() if term.startswith(base):
            return Cell(shorten(term, base), about=term)
        case Iri():
            # Only these: an IRI from data may be javascript: or anything else.
            is_address = term.startswith(("http://", "https://"))
            return Cell(shorten(term, base), address=term if is_address else None)
        case Literal():
            return Cell(term.value, term.language, is_number=term.datatype in _NUMBERS)
        case _:
            return Cell(f"_:{term}")


def _titles(rows: Iterable[Row], store: Store) -> dict[str, str]:
    """Return the title of the source of each statement that rows name."""
    named = {row["statement"] for row in rows if isinstance(row.get("statement"), Iri)}
    statements = " ".join(f"<{iri}>" for iri in sorted(map(str, named)))
    found = store.select(_TITLES.format(statements=statements))
    return {str(row["statement"]): str(row["title"]) for row in found}


def _citation(row: Row, titles: dict[str, str], *, name_it: bool) -> Cell:
    statement = str(row.get("statement", ""))
    title = titles.get(statement) if name_it else None
    sentence = str(row.get("sentence", ""))
    parts = (
        title,
        f"section\u00a0{row['section']}" if "section" in row else None,
        "heading" if sentence == "0" else f"sentence\u00a0{sentence}" if sentence else None,
    )
    said = ", ".join(part for part in parts if part) or statement.rsplit("/", 1)[-1]
    return Cell(said, about=statement or None)
