"""The last verdict on a project, kept so that a server need not check the same files twice.

It is a file in the user's cache folder: one for each project, naming the state of all that a check
depends on. Only "no violation" is kept. A cache that cannot be read or written is no cache.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from policygraph.errors import ProjectError
from policygraph.project import Project, write_file
from policygraph.texts import digest_of

_PACKAGE = Path(__file__).parents[1]


def state_of(project: Project) -> str:
    """Return a digest of everything a check without source texts depends on.

    That is the base, the project's files, and this program: a version number alone would not
    notice that a rule's code was edited. The state of files that cannot be read is "", which is
    never known.
    """
    state = hashlib.sha256(project.base.encode())
    try:
        for path in _files(project):
            state.update(f"\0{path}\0{digest_of(path.read_bytes())}".encode())
    except OSError:
        return ""
    return state.hexdigest()


def is_known_to_conform(project: Project, state: str) -> bool:
    """Say whether this state of a project was checked before, and no rule was violated."""
    try:
        return bool(state) and _place(project).read_text(encoding="utf-8") == state
    except (OSError, UnicodeDecodeError):
        return False


def remember(project: Project, state: str) -> None:
    """Keep that a state conforms, in place of the one kept before."""
    if not state:
        return
    try:
        write_file(_place(project), state)
    except (ProjectError, UnicodeDecodeError):
        return


def _files(project: Project) -> Iterator[Path]:
    for folder in (project.ontology, project.data, project.violation_queries):
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())
    yield from sorted(_PACKAGE.rglob("*.py"))


def _place(project: Project) -> Path:
    """Return the file for a project: in XDG_CACHE_HOME, by that specification an absolute path."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    cache = named if named.is_absolute() else Path("~/.cache").expanduser()
    return cache / "policygraph" / "verdicts" / digest_of(str(project.root))
