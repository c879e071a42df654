"""Print the answer to a query in the format asked for."""

import sys

import click

from policygraph.cli.printing import cells, print_table
from policygraph.jsonld import compact, project_context
from policygraph.project import Project
from policygraph.store import Answer, Kind, format_named


def default_format(kind: Kind) -> str:
    """Return what suits an answer: a table for a person, CSV for a program, Turtle for a graph."""
    if kind is Kind.GRAPH:
        return "ttl"
    if kind is Kind.BOOLEAN:
        return "json"
    return "table" if sys.stdout.isatty() else "csv"


def print_answer(answer: Answer, format_: str, project: Project) -> None:
    """Print an answer. Raises UnknownThing for a format there is not or that cannot hold it."""
    if format_ == "table":
        rows = [cells(answer.columns, row, project.base) for row in answer.rows()]
        print_table(answer.columns, rows, caption=f"{len(rows)} rows")
        return
    data = answer.write(format_named(format_))
    if format_ == "jsonld":
        data = compact(data, project_context(project))
    click.echo(data, nl=not data.endswith(b"\n"))
