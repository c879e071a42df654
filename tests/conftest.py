"""What the tests stand on.

- `project` and `store`: the real project and its graph, built once, only read.
- `copied`: a copy of the real project in a folder of the test's own, to break.
- `empty`: a project as `policygraph init` makes it.
- `sources`: the folder of the real source texts; tests that need it are skipped without it.
- `run`: the real command in a process of its own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policygraph import Project, Store, build, create_project, open_project

ROOT = Path(__file__).parents[1]
TEXTS = Path(__file__).parent / "texts"
SOURCES = Path(os.environ.get("POLICYGRAPH_TEST_SOURCES", ROOT.parent / "shared" / "sources"))

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def project() -> Project:
    """Return the real project, to be read only."""
    return open_project(ROOT)


@pytest.fixture(scope="session")
def store(project: Project) -> Store:
    """Return the real project's graph, to be read only."""
    return build(project)


@pytest.fixture
def copied(tmp_path: Path, project: Project) -> Project:
    """Return a copy of the real project that a test may break."""
    for name in ("ontology", "data", "queries"):
        shutil.copytree(project.root / name, tmp_path / "project" / name)
    return open_project(tmp_path / "project")


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """Return a project as `policygraph init` makes it."""
    return create_project(tmp_path / "empty")


@pytest.fixture(scope="session")
def sources() -> Path:
    """Return the folder of the real source texts."""
    if not (SOURCES / "harris-immigration-2024.txt").is_file():
        pytest.skip(f"the source texts are not at {SOURCES} (POLICYGRAPH_TEST_SOURCES names them)")
    return SOURCES


@pytest.fixture
def small_text() -> Path:
    """Return a short text written for the tests."""
    return TEXTS / "parks.txt"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs the real command and gives its output and exit code."""

    def run_command(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "policygraph", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run_command
