"""One snapshot: a folder, what is in it, and the file that says that it is whole."""

import datetime as dt
import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from policygraph.catalogue import Query, read_query
from policygraph.errors import ProjectError
from policygraph.store import Store

ABOUT = "about.json"
"""The file that is written last: what the snapshot is, and its files with their sizes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable version of everything that is served: a folder.

    `id` (16 hex digits) names all that it was made from, this program included; `release` is the
    release id. It was checked and written at `made` (UTC).
    """

    folder: Path
    base: str
    id: str
    release: str
    made: dt.datetime
    statements: int
    triples: int

    @property
    def dumps(self) -> Path:
        """The folder with every file of a release."""
        return self.folder / "dumps"

    @property
    def queries(self) -> Path:
        """The folder of the questions."""
        return self.folder / "queries"

    @property
    def graph(self) -> Path:
        """What `Store.open` opens: the store on disk where there is one, else the N-Quads."""
        store = self.folder / "store"
        return store if store.is_dir() else self.dumps / "policygraph.nq"

    @property
    def context(self) -> Path:
        """The file of the JSON-LD context."""
        return self.dumps / "context.jsonld"

    def open_store(self) -> Store:
        """Open its graph."""
        return Store.open(self.graph, self.base)

    def questions(self) -> tuple[Query, ...]:
        """Return its questions, sorted by name."""
        return tuple(read_query(path, self.base) for path in sorted(self.queries.glob("*.rq")))

    def hold(self) -> IO[bytes]:
        """Keep the folder from being removed until the file that is returned is closed.

        Each process that serves it holds it. Raises ProjectError when it was removed before.
        """
        path = self.folder / ABOUT
        try:
            file = path.open("rb")
            fcntl.flock(file, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
            file.close()
        except OSError as error:
            raise _not_whole(self.folder, error.strerror) from error
        raise _not_whole(self.folder, "it was removed")


def open_snapshot(folder: Path) -> Snapshot:
    """Open the snapshot in a folder. Raises ProjectError when it is not there, or not whole."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        sizes, made = about.pop("files"), dt.datetime.fromisoformat(about.pop("made"))
        lost = [name for name, size in sizes.items() if (folder / name).stat().st_size != size]
        snapshot = Snapshot(folder=folder, made=made, **about)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _not_whole(folder, error) from error
    if lost:
        raise _not_whole(folder, f"{lost[0]} is not as it was written")
    return snapshot


def find_snapshot(folder: Path) -> Snapshot | None:
    """Return the snapshot in a folder, if there is one and it is whole, and count it as used."""
    try:
        snapshot = open_snapshot(folder)
    except ProjectError:
        return None
    with suppress(OSError):
        os.utime(folder / ABOUT)
    return snapshot


def write_about(snapshot: Snapshot) -> None:
    """Write what makes a folder a snapshot, when all else is in it."""
    folder = snapshot.folder
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    about = asdict(snapshot) | {
        "made": snapshot.made.isoformat(),
        "files": {str(path.relative_to(folder)): path.stat().st_size for path in files},
    }
    del about["folder"]
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _not_whole(folder: Path, reason: object) -> ProjectError:
    return ProjectError(f"{folder}: no snapshot that is whole ({reason}); start again to take one")
