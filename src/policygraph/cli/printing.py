"""Tables and passages for a terminal."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from policygraph.namespaces import shorten
from policygraph.terms import Iri, Row

_WIDE = 200
"""Columns of a table that goes to a file: no line is broken for a terminal that is not there."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = ""
) -> None:
    """Print a table, its cells broken to fit the terminal."""
    table = Table(caption=caption or None, caption_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    _console().print(table)


def cells(columns: Sequence[str], row: Row, base: str) -> list[str]:
    """Return a row's cells: IRIs shortened, the unbound empty."""
    return [_cell(row[name], base) if name in row else "" for name in columns]


def print_marked(before: str, passage: str, after: str) -> None:
    """Print a passage in its line, set off by brackets and, on a terminal, by reverse video."""
    marked = Text(before) + Text(f"[{passage}]", style="reverse") + Text(after)
    _console().print(marked)


def _cell(term: object, base: str) -> str:
    return shorten(term, base) if isinstance(term, Iri) else str(term)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
