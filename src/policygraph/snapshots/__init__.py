"""Snapshots: all that is served, as it was when it was checked, in a folder that never changes.

A snapshot is known by the state of what it was made from (`checks.verdict`), so that a server need
neither check nor parse the same files twice. One of a project that breaks a rule is never written.
"""

import datetime as dt
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from policygraph.checks import Subject, check_subject, subject_of
from policygraph.checks.verdict import state_of
from policygraph.errors import CheckFailed, ProjectError
from policygraph.findings import Severity
from policygraph.project import Project, new_folder
from policygraph.release import write_files
from policygraph.reports import as_text
from policygraph.snapshots.place import alone, cache, key_of, remove_old, snapshot_place
from policygraph.snapshots.snapshot import Snapshot, find_snapshot, open_snapshot, write_about
from policygraph.store import write_disk_store

__all__ = ["Snapshot", "open_snapshot", "snapshot_id", "snapshot_place", "take_snapshot"]

_TRIES = 3
_STATEMENTS = """
SELECT (COUNT(DISTINCT ?statement) AS ?count) { ?statement a/rdfs:subClassOf* pg:Statement }"""


def take_snapshot(
    project: Project, *, place: Path | None = None, on_disk: bool = False
) -> Snapshot:
    """Return a snapshot of a project as its files are now: the one there is, else a new one.

    It is a folder in `place`, else in the user's cache or, where that cannot be written, in a
    temporary folder that is removed when this process ends. Raises CheckFailed, after writing the
    findings to standard error, when a rule is violated; ProjectError when the project cannot be
    read, or `place` not written.
    """
    for _ in range(_TRIES):
        wanted = _Wanted(project, snapshot_id(project), on_disk)
        found = find_snapshot((place or cache()) / wanted.name)
        if found:
            return found
        with suppress(_ChangedMeanwhile):
            return _made(wanted, (place or snapshot_place()).absolute())
    raise ProjectError(
        f"{project.root}: its files change while they are read; try again when nothing writes them"
    )


def snapshot_id(project: Project) -> str:
    """Return the id of the snapshot that would be taken now: while it stays, nothing changed."""
    return state_of(project)[:16]


class _ChangedMeanwhile(Exception):
    """A file of the project changed while it was read: what was made is of no known state."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    project: Project
    id: str
    on_disk: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{key_of(self.project)}-{self.id}{'-disk' * self.on_disk}"


def _made(wanted: _Wanted, place: Path) -> Snapshot:
    """Check a project and write its snapshot, unless another process did that meanwhile."""
    key = key_of(wanted.project)
    with alone(place, key):
        found = find_snapshot(place / wanted.name)
        if found:
            return found
        remove_old(place, key)
        subject = _checked(wanted.project)
        with new_folder(place / wanted.name) as part:
            _write(wanted, subject, part)
            if snapshot_id(wanted.project) != wanted.id:
                raise _ChangedMeanwhile
        return open_snapshot(place / wanted.name)


def _checked(project: Project) -> Subject:
    subject = subject_of(project)
    report = check_subject(subject)
    violations = len(report.of(Severity.VIOLATION))
    if violations:
        sys.stderr.write(as_text(report, project.base))
        count = f"{violations} violation{'s' * (violations != 1)}"
        raise CheckFailed(f"{count}, see above, so this is not served; mend that and try again")
    return subject


def _write(wanted: _Wanted, subject: Subject, folder: Path) -> None:
    """Write what is served into a folder, and last what says that it is whole."""
    (row,) = subject.store.select(_STATEMENTS)
    (folder / "dumps").mkdir()
    release = write_files(subject, folder / "dumps")
    snapshot = Snapshot(
        folder=folder,
        base=wanted.project.base,
        id=wanted.id,
        release=release.id,
        made=dt.datetime.now(dt.UTC),
        statements=int(str(row["count"])),
        triples=release.triples,
    )
    snapshot.queries.mkdir()
    for path in wanted.project.queries.glob("*.rq"):
        shutil.copyfile(path, snapshot.queries / path.name)
    if wanted.on_disk:
        write_disk_store(snapshot.dumps / "policygraph.nq", folder / "store")
    write_about(snapshot)
