"""Where snapshots lie, who may write there, and which of them are removed."""

import atexit
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from policygraph.errors import ProjectError
from policygraph.project import Project
from policygraph.snapshots.snapshot import ABOUT
from policygraph.texts import digest_of

KEPT = 2
"""Snapshots of a project that stay although nobody holds them: those that were used last."""


def cache() -> Path:
    """Return the folder for snapshots in XDG_CACHE_HOME, by its specification an absolute path."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    folder = named if named.is_absolute() else Path("~/.cache").expanduser()
    return folder / "policygraph" / "snapshots"


def snapshot_place() -> Path:
    """Return where to write snapshots: in the user's cache, else in a temporary folder.

    That is removed when the process ends that asked for it first.
    """
    place = cache()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return _temporary()


def key_of(project: Project) -> str:
    """Return what the names of a project's snapshots begin with."""
    return digest_of(str(project.root))[:12]


@contextmanager
def alone(place: Path, key: str) -> Iterator[None]:
    """Wait until no other process makes a snapshot of this project, and let none begin.

    Raises ProjectError when the place cannot be written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        file = (place / f".{key}.lock").open("ab")
    except OSError as error:
        raise ProjectError(
            f"{place}: cannot be written ({error.strerror}); give another folder for snapshots"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_old(place: Path, key: str) -> None:
    """Make room for a new snapshot: remove parts that nobody finishes, and old ones nobody holds.

    To be called `alone`.
    """
    for part in place.glob(f".{key}-*"):
        shutil.rmtree(part, ignore_errors=True)
    last_used_first = sorted(place.glob(f"{key}-*"), key=_used, reverse=True)
    for folder in last_used_first[KEPT - 1 :]:
        with suppress(OSError), (folder / ABOUT).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part = folder.with_name(f".{folder.name}.part")
            folder.rename(part)
            shutil.rmtree(part)


def _used(folder: Path) -> float:
    try:
        return (folder / ABOUT).stat().st_mtime
    except OSError:
        return 0.0


@functools.cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="policygraph-"))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and not a fork, which may end earlier
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
