"""What the tests stand on.

- `project` and `store`: the real project and its graph, built once, only read.
- `copied`: a copy of the real project in a folder of the test's own, to break.
- `empty`: a project as `policygraph init` makes it.
- `sources`: the folder of the real source texts; tests that need it are skipped without it.
- `run`: the real command in a process of its own.
- `pool`: workers on the real graph, in processes of their own.
- `snapshot` and `served`: the real project as a server holds it.
- `client`: a client of the web application, in this process, on the real graph.
- `scheme`, `width`: how a browser (playwright's `page`) shows a page; scripts are off elsewhere.
- `start_server`: starts real servers, on any project; `address`: one on the real project.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest
from flask.testing import FlaskClient

from policygraph import Project, Store, build, create_project, open_project
from policygraph.snapshots import Snapshot, take_snapshot
from policygraph.web import create_app
from policygraph.web.served import Served
from policygraph.web.settings import Settings
from policygraph.workers import Limits, Pool, pool_over

# These machines are shared: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("policygraph", deadline=None)
hypothesis.settings.load_profile("policygraph")

ROOT = Path(__file__).parents[1]
TEXTS = Path(__file__).parent / "texts"
SOURCES = Path(os.environ.get("POLICYGRAPH_TEST_SOURCES", ROOT.parent / "shared" / "sources"))

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_OPTIONS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
WIDTHS = {"wide": 1280, "narrow": 320}

Server = tuple[subprocess.Popen[str], str]
StartServer = Callable[..., Server]
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


@pytest.fixture(scope="session")
def pool(store: Store) -> Iterator[Pool]:
    """Return workers on the real graph."""
    with pool_over(store, Limits(seconds=5, running=2)) as pool:
        yield pool


@pytest.fixture(scope="session")
def snapshot(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return a snapshot of the real project, to be read only."""
    return take_snapshot(project, place=tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="session")
def served(snapshot: Snapshot, store: Store, pool: Pool) -> Served:
    """Return what an application serves of the real project."""
    return Served(snapshot, store, snapshot.questions(), pool, Settings(limits=pool.limits))


@pytest.fixture
def client(served: Served) -> FlaskClient:
    """Return a client of the web application that serves the real graph."""
    return create_app(served).test_client()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Return a function that starts `policygraph serve` on a free port: the process, its address.

    Options of the command `serve` itself go into `serving`.

    It does not wait for the server; its first line on standard output says that it answers. All
    servers share a cache of their own, and none outlives the session.
    """
    cache = tmp_path_factory.mktemp("cache")
    started = []

    def start(*options: object, serving: Sequence[object] = (), port: int | None = None) -> Server:
        port = port or _free_port()
        command = [*options, "serve", "--port", port, *serving]
        process = subprocess.Popen(
            [sys.executable, "-m", "policygraph", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        )
        started.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="session")
def address(start_server: StartServer) -> str:
    """Return the address of a real server on the real project."""
    process, address = start_server("--project", ROOT)
    assert process.stdout
    assert process.stdout.readline().startswith("serving ")
    return address


@pytest.fixture
def free_port() -> int:
    """Return a port that nothing listens on."""
    return _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Use the system's Chromium, which must not talk to anybody by itself; skip without it.

    POLICYGRAPH_REQUIRE_BROWSER makes that a failure.
    """
    if not Path(CHROMIUM).exists():
        if os.environ.get("POLICYGRAPH_REQUIRE_BROWSER"):
            pytest.fail(f"POLICYGRAPH_REQUIRE_BROWSER is set, and there is no {CHROMIUM}")
        pytest.skip(f"no {CHROMIUM} (Debian: apt-get install chromium)")
    return {"executable_path": CHROMIUM, "chromium_sandbox": False, "args": list(CHROMIUM_OPTIONS)}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Return each colour scheme in turn."""
    return str(request.param)


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> str:
    """Return each width of a window in turn, by its name."""
    return str(request.param)


@pytest.fixture
def browser_context_args(request: pytest.FixtureRequest) -> dict[str, object]:
    """Take scheme and width from the test, where it has them; scripts run only to measure."""
    names = request.fixturenames
    width = request.getfixturevalue("width") if "width" in names else "wide"
    scheme = request.getfixturevalue("scheme") if "scheme" in names else "light"
    return {
        "viewport": {"width": WIDTHS[width], "height": 900},
        "color_scheme": scheme,
        "java_script_enabled": bool({"scripted", "width"} & set(names)),
    }
