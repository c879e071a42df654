"""Notices that a project's files have changed, once whoever changes them is done."""

from collections.abc import Iterator
from pathlib import Path

from policygraph.project import Project

Print = frozenset[tuple[str, int, int]]
"""Each file's path, time of change and size."""


class Watch:
    """Compares a project's files with what they were. Look about once a second."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known = self._last = _print(project)

    def has_changed(self) -> bool:
        """Say, once for each change, that files have changed and been still since the last look."""
        now, before = _print(self._project), self._last
        self._last = now
        if now == self._known or now != before:
            return False
        self._known = now
        return True


def _print(project: Project) -> Print:
    return frozenset(_states(project))


def _states(project: Project) -> Iterator[tuple[str, int, int]]:
    for folder in (project.ontology, project.data, project.queries):
        for path in folder.rglob("*"):
            state = _state(path)
            if state:
                yield state


def _state(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # it went between being listed and being looked at
    return str(path), found.st_mtime_ns, found.st_size
