"""The state of a project: a digest of all that what is served of it depends on.

Where the state is the same, so is the verdict, and whatever else is made of the project.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from sysconfig import get_path

from policygraph.project import Project
from policygraph.texts import digest_of

_PACKAGE = Path(__file__).parents[1]
_NOT_READ = {".pyc"}


def state_of(project: Project) -> str:
    """Return a digest of everything that a check without source texts, and a page, depends on.

    That is the base, the project's files, this program with its pages (a version number alone would
    not notice that a rule's code was edited), and the versions of the libraries that it uses.
    """
    state = hashlib.sha256(f"{project.base}\0{_libraries()}".encode())
    for path in _files(project):
        state.update(f"\0{path}\0{_digest(path)}".encode())
    return state.hexdigest()


def _files(project: Project) -> Iterator[Path]:
    for folder in (project.ontology, project.data, project.queries, _PACKAGE):
        for path in sorted(folder.rglob("*")):
            if path.suffix not in _NOT_READ and path.is_file():
                yield path


def _libraries() -> list[str]:
    """Return the names and versions of what is installed beside this program."""
    return sorted(path.name for path in Path(get_path("purelib")).glob("*.dist-info"))


def _digest(path: Path) -> str:
    """Return the digest of a file; one that cannot be read, or has gone by now, has none."""
    try:
        return digest_of(path.read_bytes())
    except OSError:
        return ""
