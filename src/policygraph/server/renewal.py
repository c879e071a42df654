"""A check of the project's files beside a running server, in a process of its own.

    python -m policygraph.server.renewal ROOT BASE PLACE KIND

What it needs (rdflib, pyshacl, the parsed files) goes when it ends. Findings go to standard error;
its one line on standard output says where the snapshot is, or why there is none.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from policygraph.errors import PolicygraphError
from policygraph.project import Project, open_project
from policygraph.snapshots import Snapshot, open_snapshot, take_snapshot

DISK, MEMORY = "disk", "memory"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check: a snapshot, or a message that says why there is none."""

    snapshot: Snapshot | None
    message: str = ""


class Renewal:
    """One check that runs."""

    def __init__(self, project: Project, place: Path, *, on_disk: bool) -> None:
        kind = DISK if on_disk else MEMORY
        module = [sys.executable, "-m", "policygraph.server.renewal"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*module, str(project.root), project.base, str(place), kind],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for the server, which ends this
        )

    def is_running(self) -> bool:
        """Say whether it is still at it."""
        return self._process.poll() is None

    def outcome(self) -> Outcome:
        """Wait for the end and return what came of it."""
        told, _ = self._process.communicate()
        try:
            name, message = json.loads(told)
            return Outcome(open_snapshot(Path(name)) if name else None, message)
        except ValueError:
            code = self._process.returncode
            return Outcome(None, f"the check ended early (exit code {code}); see the memory left")
        except PolicygraphError as error:
            return Outcome(None, str(error))

    def stop(self) -> None:
        """End it, whatever it has got to: a snapshot is written whole or not at all."""
        self._process.kill()
        self._process.communicate()


def main(root: str, base: str, place: str, kind: str) -> None:
    """Take a snapshot, and tell of it."""
    name, message = "", ""
    try:
        project = open_project(Path(root), base)
        snapshot = take_snapshot(project, place=Path(place), on_disk=kind == DISK)
        name = str(snapshot.folder)
    except PolicygraphError as error:
        message = str(error)
    sys.stdout.write(json.dumps((name, message)))


if __name__ == "__main__":
    main(*sys.argv[1:])
