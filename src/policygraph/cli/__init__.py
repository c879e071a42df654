"""The `policygraph` command. No logic: each command calls the API and prints what it returns."""

from pathlib import Path

import click

from policygraph import __version__
from policygraph.cli import curating, publishing, serving
from policygraph.cli.running import Group, Settings
from policygraph.namespaces import DEFAULT_BASE


@click.group(
    cls=Group,
    context_settings={
        "auto_envvar_prefix": "POLICYGRAPH",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__)
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="The project's folder. Without it: the project around the current folder, else the data "
    "that comes with policygraph, to read.",
)
@click.option("--base", default=DEFAULT_BASE, show_default=True, help="The base of the own IRIs.")
@click.pass_context
def main(context: click.Context, *, project: Path | None, base: str) -> None:
    """Turn policy texts into a checked, queryable graph of who says what, and where."""
    context.obj = Settings(project, base)


for _command in (*curating.COMMANDS, *publishing.COMMANDS, *serving.COMMANDS):
    main.add_command(_command)
