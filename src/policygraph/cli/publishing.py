"""The commands of those who ask and publish."""

import sys
from pathlib import Path

import click

from policygraph.cli.running import Settings, say
from policygraph.errors import ProjectError, UnknownThing

_folder = click.Path(path_type=Path)
_pass_settings = click.make_pass_decorator(Settings)


@click.command(epilog="Example: policygraph query who-advocates-what --format csv")
@click.argument("query", required=False)
@click.option("--list", "list_", is_flag=True, help="List the questions of the project.")
@click.option(
    "--format",
    "format_",
    help="table, json, xml, csv, tsv; ttl, nt, jsonld, rdf, nq, trig for CONSTRUCT and DESCRIBE. "
    "Without it: a table on a terminal, else CSV; Turtle for graphs.",
)
@_pass_settings
def query(settings: Settings, *, query: str | None, list_: bool, format_: str | None) -> None:
    """Ask a question by its name, or run a SPARQL file, or standard input ('-')."""
    from policygraph.catalogue import questions
    from policygraph.cli.answering import default_format, print_answer
    from policygraph.cli.printing import print_table
    from policygraph.graph import build
    from policygraph.spelling import unknown_names

    project = settings.open()
    if list_ or query is None:
        rows = [(question.name, question.summary) for question in questions(project)]
        print_table(("name", "question"), rows)
        return
    text = _query_text(settings, query)
    store = build(project)
    answer = store.query(text)
    for iri in unknown_names(store, text):
        click.echo(f"policygraph: {iri} is not in the graph; check its spelling", err=True)
    print_answer(answer, format_ or default_format(answer.kind), project)


@click.command(epilog="Example: policygraph release dist/2026-11")
@click.argument("folder", type=_folder)
@click.option("--sources", type=_folder, help="The folder of the source texts, to check evidence.")
@_pass_settings
def release(settings: Settings, *, folder: Path, sources: Path | None) -> None:
    """Write the dumps, vocabulary, rules, metadata and checksums, whole or not at all.

    The same graph gives the same bytes. Refused (exit 1) when a rule is violated.
    """
    from policygraph.release import write_release

    done = write_release(settings.open(), folder, sources=sources, progress=say)
    files = f"{len(done.files)} files, {done.triples} triples, in {done.folder}"
    click.echo("\n".join([f"release {done.id}", files, *done.skipped]))


@click.command(epilog="Example: policygraph init my-project && cd my-project && policygraph check")
@click.argument("folder", type=_folder)
def init(*, folder: Path) -> None:
    """Make an empty project: the vocabulary, the rules and the questions, and no data."""
    from policygraph.project import create_project

    project = create_project(folder)
    click.echo(
        f"made {project.root}; next: policygraph --project {folder} segment TEXT --name NAME"
    )


def _query_text(settings: Settings, query: str) -> str:
    """Return the text of a query given as a name, a file or '-'."""
    from policygraph.catalogue import find_query, read_query

    if query == "-":
        return sys.stdin.read()
    path = Path(query)
    if path.suffix in {".rq", ".sparql"} or path.is_file():
        if not path.is_file():
            raise ProjectError(f"{path}: no such file; give a query file, a question's name or '-'")
        return read_query(path, settings.base).text
    try:
        return find_query(settings.open(), query).text
    except UnknownThing as error:
        raise UnknownThing(f"{error}; or give a file, or '-' for standard input") from error


COMMANDS = (query, release, init)
