"""What all commands share: the project they work on, and how errors become one line."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from policygraph.errors import CheckFailed, PolicygraphError, ProjectError
from policygraph.project import Project, open_project, project_around

COULD_NOT_RUN = 2
VIOLATIONS = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that stand before the command's name."""

    folder: Path | None
    base: str

    def open(self) -> Project:
        """Open the project that the options name, else the one around the current folder."""
        return open_project(self.folder or project_around(Path.cwd()), self.base)

    def open_to_write(self) -> Project:
        """Open a project of the user's own. Raises ProjectError where none is named or around."""
        if self.folder is None and project_around(Path.cwd()) is None:
            raise ProjectError(
                f"{Path.cwd()}: in no project, so there is nowhere to write; name one with "
                "--project, or make one with 'policygraph init DIR'"
            )
        return self.open()


class Group(click.Group):
    """A group whose commands end in one line, not a traceback, on an error a user can cause."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command; exit 1 when a rule is broken, 2 when it could not run."""
        try:
            return super().invoke(ctx)
        except CheckFailed as error:
            fail(str(error), VIOLATIONS)
        except PolicygraphError as error:
            fail(str(error), COULD_NOT_RUN)


def fail(message: str, code: int) -> NoReturn:
    """Print an error and end the command."""
    click.echo(f"policygraph: {message}", err=True)
    raise SystemExit(code)


def say(message: str) -> None:
    """Tell a person what is being done; nothing is said to a pipe."""
    if sys.stderr.isatty():
        click.echo(message, err=True)
