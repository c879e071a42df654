"""Releases: a checked graph as files to publish, with what describes and what proves them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from policygraph.checks import Subject, check_subject, subject_of
from policygraph.errors import CheckFailed, ProjectError
from policygraph.findings import Report, Severity
from policygraph.project import Project, new_folder
from policygraph.release.dumps import DUMPS, TERMS, release_id, write_dumps, write_terms
from policygraph.release.metadata import DESCRIPTIONS, write_descriptions
from policygraph.texts import digest_of

CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Release:
    """A release as written.

    `id` is the SHA-256 (hex digits) of the data set's canonical N-Quads (RDFC-1.0), which are the
    bytes of policygraph.nq. `triples` counts each triple once, however many graphs hold it.
    """

    id: str
    folder: Path
    files: tuple[Path, ...]
    triples: int
    skipped: tuple[str, ...]
    """What could not be checked, and why."""


def write_release(
    project: Project,
    folder: Path,
    *,
    sources: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Release:
    """Check a project and write its release: whole, or not at all. A release there is replaced.

    With `sources`, the folder of the source texts, evidence and wording are checked too. Raises
    CheckFailed when a rule is violated; ProjectError when the folder holds anything but a release,
    or cannot be written.
    """
    target = folder.resolve()
    _refuse_other_files(target)
    progress("checking the graph")
    subject = subject_of(project, sources=sources)
    _refuse_violations(check_subject(subject))
    with new_folder(target) as part:
        done = write_files(subject, part, progress=progress)
    files = tuple(target / path.name for path in done.files)
    return replace(done, folder=target, files=files)


def write_files(
    subject: Subject, folder: Path, *, progress: Callable[[str], None] = lambda _: None
) -> Release:
    """Write the release of a graph that was checked already into an empty folder.

    Raises ProjectError when a file of the project cannot be read.
    """
    project, store = subject.project, subject.store
    dumps = write_dumps(project, store, folder, progress=progress)
    write_terms(project, store, folder)
    id_ = release_id(dumps)
    write_descriptions(store, dumps, folder, id_=id_)
    names = sorted(path.name for path in folder.iterdir())
    sums = (f"{digest_of((folder / name).read_bytes())}  {name}\n" for name in names)
    (folder / CHECKSUMS).write_text("".join(sums), encoding="utf-8")
    files = tuple(folder / name for name in (CHECKSUMS, *names))
    return Release(id_, folder, files, len(store), subject.skipped)


def _refuse_other_files(folder: Path) -> None:
    """Raise ProjectError unless the folder is new, empty, or holds a release and nothing else."""
    try:
        found = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise ProjectError(
            f"{folder}: not a folder that can be used ({error.strerror}); give another"
        ) from error
    others = sorted(found - {CHECKSUMS, *DUMPS, *TERMS, *DESCRIPTIONS})
    if found and (others or CHECKSUMS not in found):
        what = f"it holds {others[0]}" if others else f"it has no {CHECKSUMS}"
        raise ProjectError(
            f"{folder}: not empty and not just a release, {what}; give a new folder, "
            "nothing was written"
        )


def _refuse_violations(report: Report) -> None:
    violations = report.of(Severity.VIOLATION)
    if not violations:
        return
    first = violations[0]
    place = f"{first.place}: " if first.place else ""
    count = f"{len(violations)} violation{'s' * (len(violations) > 1)}"
    raise CheckFailed(
        f"{place}{first.rule}: {first.node}: {first.message} ({count}, nothing was written; "
        "'policygraph check' with the same --sources lists them)"
    )
