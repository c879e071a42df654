"""The commands of those who read sources and keep the graph in order."""

from pathlib import Path

import click

from policygraph.cli.running import VIOLATIONS, Settings, say

_folder = click.Path(path_type=Path)
_pass_settings = click.make_pass_decorator(Settings)


@click.command(epilog="Example: policygraph segment article.txt --name harris-immigration-2024")
@click.argument("text", type=_folder)
@click.option("--name", required=True, help="The source's short name: lower case, hyphens.")
@_pass_settings
def segment(settings: Settings, *, text: Path, name: str) -> None:
    """Write source.ttl and passages.ttl of a text: its headings and sentences.

    Running it again changes nothing. A changed text is refused, with the place where it differs.
    """
    from policygraph.passages import write_passages
    from policygraph.texts import read_text

    project = settings.open_to_write()
    done = write_passages(project, read_text(text), name=name)
    files = ", ".join(project.show(path) for path in done.written) or "nothing, all is up to date"
    click.echo(f"{len(done.passages)} passages of {name}; written: {files}")


@click.command(epilog="Example: policygraph check --sources ../texts --format json")
@click.option("--sources", type=_folder, help="The folder of the source texts, to check evidence.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "turtle"]), default="text")
@click.option(
    "--notes", is_flag=True, help="List the notes too (severity Info), not only the count."
)
@_pass_settings
def check(settings: Settings, *, sources: Path | None, format_: str, notes: bool) -> None:
    """Check every rule: SHACL, violation queries, evidence digests, wording.

    Exit 0: no violation (warnings allowed). 1: violations. 2: could not run.
    """
    from policygraph.checks import check as run
    from policygraph.reports import WRITERS

    project = settings.open()
    say(f"checking {project.root}")
    report = run(project, sources=sources)
    click.echo(WRITERS[format_](report, project.base, notes=notes), nl=False)
    raise SystemExit(0 if report.conforms else VIOLATIONS)


@click.command(
    epilog="Example: policygraph validate mine.ttl --shapes rules.ttl --output report.ttl"
)
@click.argument("data", nargs=-1, required=True, type=_folder)
@click.option("--shapes", multiple=True, type=_folder, help="Shapes; without it, the project's.")
@click.option("--output", type=_folder, help="Write the W3C report (Turtle) to this file.")
@_pass_settings
def validate(
    settings: Settings, *, data: tuple[Path, ...], shapes: tuple[Path, ...], output: Path | None
) -> None:
    """Validate any RDF files against SHACL shapes; nothing is added to the files' triples.

    Exit 0: conforms. 1: violations. 2: could not run.
    """
    from policygraph.checks.shapes import validate_files
    from policygraph.project import write_file
    from policygraph.reports import as_text

    project = settings.open()
    say("validating …")
    report, turtle = validate_files(data, shapes or [project.shapes], base=settings.base)
    if output:
        write_file(output, turtle.decode())
    click.echo(as_text(report, settings.base, notes=True), nl=False)
    raise SystemExit(0 if report.conforms else VIOLATIONS)


@click.command(epilog="Example: policygraph coverage harris-immigration-2024")
@click.argument("source", required=False)
@_pass_settings
def coverage(settings: Settings, *, source: str | None) -> None:
    """Show, section by section, which passages have statements and which assert nothing."""
    from policygraph.cli.printing import print_table
    from policygraph.coverage import coverage as sections_of
    from policygraph.coverage import total
    from policygraph.graph import build

    sections = sections_of(build(settings.open()), source)
    columns = ("source", "section", "passages", "with statements", "asserting nothing")
    rows = [
        (s.source, s.number, *map(str, s.counts()), f"{s.statements_a_passage:.1f}")
        for s in (*sections, total(sections))
    ]
    print_table((*columns, "unaccounted", "statements", "a passage"), rows)


@click.command(epilog="Example: policygraph evidence harris-immigration-2024/12 --sources ../texts")
@click.argument("statement")
@click.option("--sources", type=_folder, required=True, help="The folder of the source texts.")
@_pass_settings
def evidence(settings: Settings, *, statement: str, sources: Path) -> None:
    """Show a statement, and the passage it is read from, marked in its surroundings."""
    from policygraph.cli.printing import print_marked
    from policygraph.graph import build
    from policygraph.statements import passage_in_text, statement_named
    from policygraph.texts import find_text, texts_in

    project = settings.open()
    store = build(project)
    found = statement_named(project, store, statement)
    source = find_text(texts_in(sources), found.source, digest=found.source_digest)
    for passage in found.passages:
        line = source.line_at(passage.start)
        click.echo(f"{passage.position} ({source.path}:{line}):")
        print_marked(*passage_in_text(passage, source))
    click.echo(f"\nRead from it: {found.said}\n{found.attribution()}\n{found.iri}")


COMMANDS = (segment, check, validate, coverage, evidence)
