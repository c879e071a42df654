"""The fork server: the graph is loaded once, and no process is left when it is not needed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from policygraph.errors import PolicygraphError, QueryFault, TimedOut, TooBusy, TooComplex
from policygraph.store import write_disk_store
from policygraph.workers import ForkServer, Limits, Places, Pool, Task
from policygraph.workers.pool import READY

LIMITS = Limits(seconds=60.0, memory=256 * 2**20, running=2, per_client=1, patience=30)
BASE = "http://x.example/"
ANYTHING = "ASK { ?s ?p ?o }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { " + "".join(f"?a{n} ?b{n} ?c{n} . " for n in range(9)) + "}"
HUGE = "SELECT (STRLEN(?v24) AS ?n) { BIND ('xxxxxxxxxx' AS ?v0) " + " ".join(
    f"BIND (CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(24)
)

WEB_PROCESS = """
import sys
from pathlib import Path
from policygraph.workers import Limits, Places, Pool, Task
limits = Limits(running=2)
pool = Pool(Path(sys.argv[1]), "", limits, Places(Path(sys.argv[2]), limits))
task = Task(sys.argv[3], {"rows": "json"}, 2**20)
pool.run(task, is_gone=lambda: print("runs", flush=True))
"""
MAIN_PROCESS = """
import sys, time
from pathlib import Path
from policygraph.workers.pool import READY
from policygraph.workers import ForkServer, Limits
server = ForkServer(Path(sys.argv[1]), "", Path(sys.argv[2]), Limits())
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def tiny(tmp_path):
    """Return the dump of a small graph."""
    lines = (f"<x:{n}> <x:p> <x:{n + 1}> <x:g> .\n" for n in range(200))
    (tmp_path / "tiny.nq").write_text("".join(lines))
    return tmp_path / "tiny.nq"


@pytest.fixture
def serve(short_folder):
    """Return a function that starts a fork server over a graph."""
    started = []

    def start(graph, limits=LIMITS):
        server = ForkServer(graph, BASE, short_folder, limits)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def short_folder(tmp_path_factory):
    """Return a folder with a path that is short enough for a socket."""
    return tmp_path_factory.mktemp("s")


@contextmanager
def _pool(server, folder, limits=LIMITS):
    """Have a pool as a web process has it: with its own view of the places they share."""
    places = Places(folder / "places", limits)
    pool = Pool(server.socket, BASE, limits, places)
    try:
        yield pool
    finally:
        pool.close()
        places.close()


def _ask(pool, query, **options):
    return pool.run(Task(query, {"rows": "json", "boolean": "json"}, 2**20), **options)


def _running(many, pool, query, **options):
    """Let a query run in a thread, and return its future when it does."""
    runs = threading.Event()
    future = many.submit(_ask, pool, query, is_gone=runs.set, **options)
    assert runs.wait(20)
    return future


def test_a_store_on_disk_is_served_too(tiny, tmp_path, serve, short_folder):
    write_disk_store(tiny, tmp_path / "disk")
    with _pool(serve(tmp_path / "disk"), short_folder) as pool:
        reply = _ask(pool, "SELECT ?s { ?s ?p ?o }")
        assert len(json.loads(reply.body)["results"]["bindings"]) == 200
        with pytest.raises(TooComplex):
            _ask(pool, "ASK " + "{" * 50000 + "}" * 50000)
        assert b"true" in _ask(pool, ANYTHING).body


def test_a_graph_that_cannot_be_loaded_is_refused(tmp_path, serve):
    (tmp_path / "wrong.nq").write_text("no quads")
    (tmp_path / "empty").mkdir()
    for name in ("wrong.nq", "empty", "missing.nq"):
        with pytest.raises(PolicygraphError, match=name):
            serve(tmp_path / name)


def test_a_folder_too_deep_for_a_socket_is_named(tiny, tmp_path):
    with pytest.raises(PolicygraphError, match="TMPDIR"):
        ForkServer(tiny, BASE, tmp_path / ("x" * 100), LIMITS)


def test_a_worker_has_no_sockets(tiny, short_folder):
    """The screening of queries is off here: what holds is that the process cannot call out."""
    program = """
import sys
import policygraph.store.embedded
from policygraph.workers import forkserver
policygraph.store.embedded.calls_out = lambda query: False
forkserver.main(*sys.argv[1:])
"""
    path = short_folder / "socket"
    what = [path, tiny, BASE, "", LIMITS.memory]
    command = [sys.executable, "-c", program, *map(str, what)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        query = f"SELECT * {{ SERVICE <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }}"
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout.readline() == b"ready\n"
            places = Places(short_folder / "places", LIMITS)
            pool = Pool(path, BASE, LIMITS, places)
            with pytest.raises(QueryFault, match="cannot be run"):
                _ask(pool, query)
            pool.close()
            places.close()
        with pytest.raises(TimeoutError):
            listener.accept()


def test_two_web_processes_share_the_places(tiny, serve, short_folder):
    limits = replace(LIMITS, assured=0.0)
    server = serve(tiny, limits)
    with (
        _pool(server, short_folder, limits) as one,
        _pool(server, short_folder, limits) as other,
        ThreadPoolExecutor(2) as many,
    ):
        oldest = _running(many, one, ENDLESS, client="a")
        newer = _running(many, one, ENDLESS, client="b", seconds=4)
        with pytest.raises(TimedOut):
            _ask(other, ENDLESS, client="c", seconds=1)
        assert isinstance(oldest.exception(), TooBusy)
        assert isinstance(newer.exception(), TimedOut)


def test_workers_share_the_graph(tmp_path, serve, short_folder):
    lines = (
        f"<http://x.example/{n}> <http://x.example/p{n % 9}> <http://x.example/{n * 7}> <x:g> .\n"
        for n in range(100_000)
    )
    (tmp_path / "graph.nq").write_text("".join(lines))
    server = serve(tmp_path / "graph.nq")
    with _pool(server, short_folder) as pool:
        assert b"true" in _ask(pool, ANYTHING).body
        held = _kibibytes(server.pid, "Rss")
        for worker in _children_of(server.pid):
            assert _kibibytes(worker, "Private_Dirty") < held / 4


def test_a_worker_that_grew_answers_and_is_replaced(tiny, serve, short_folder):
    limits = replace(LIMITS, memory=2**30)
    server = serve(tiny, limits)
    with _pool(server, short_folder, limits) as pool:
        before = _children_of(server.pid)
        assert b"167772160" in _ask(pool, HUGE + "}").body
        assert _soon(lambda: len(_children_of(server.pid)) == READY)
        assert _children_of(server.pid) != before


def test_a_fork_server_that_died_is_noticed(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder) as pool:
        assert b"true" in _ask(pool, ANYTHING).body
        os.kill(server.pid, signal.SIGKILL)
        assert _soon(lambda: not server.is_alive())
        for _ in range(3):
            with pytest.raises(TooBusy, match="no process can be had"):
                _ask(pool, ANYTHING)
    with pytest.raises(TooBusy, match="no process can be had"), _pool(server, short_folder):
        pass


def test_a_query_ends_with_the_fork_server(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder) as pool, ThreadPoolExecutor(1) as one:
        running = _running(one, pool, ENDLESS)
        os.kill(server.pid, signal.SIGKILL)
        assert isinstance(running.exception(), TooBusy)


def test_workers_that_died_while_idle_are_not_asked(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder) as pool:
        for worker in _children_of(server.pid):
            os.kill(worker, signal.SIGKILL)
        assert _soon(lambda: _children_of(server.pid) == [])
        assert b"true" in _ask(pool, ANYTHING).body


def test_a_retired_fork_server_ends_with_its_last_worker(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder) as pool:
        server.retire()
        assert b"true" in _ask(pool, ANYTHING).body
        assert server.is_alive()
    assert _soon(lambda: not server.is_alive())


def test_closing_the_pool_leaves_no_process(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder):
        assert len(_children_of(server.pid)) == READY
    assert _children_of(server.pid) == []


def test_a_closed_pool_ends_its_busy_worker_when_its_query_has_ended(tiny, serve, short_folder):
    server = serve(tiny)
    with _pool(server, short_folder) as pool, ThreadPoolExecutor(1) as one:
        running = _running(one, pool, ENDLESS, seconds=2)
        pool.close()
        assert len(_children_of(server.pid)) == 1
        assert isinstance(running.exception(), TimedOut)
        assert _children_of(server.pid) == []


def test_a_dead_web_process_leaves_no_worker(tiny, serve, short_folder):
    server = serve(tiny)
    command = [sys.executable, "-c", WEB_PROCESS, server.socket, short_folder / "places", ENDLESS]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"runs\n"
        assert len(_children_of(server.pid)) >= 2
        process.kill()
    assert _soon(lambda: _children_of(server.pid) == [])


def test_nothing_outlives_the_process_that_started_it(tiny, short_folder):
    command = [sys.executable, "-c", MAIN_PROCESS, str(tiny), str(short_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        (path,) = (path for path in short_folder.iterdir() if path.is_socket())
        places = Places(short_folder / "places", LIMITS)
        pool = Pool(path, "", LIMITS, places)
        pids = [pid, *_children_of(pid)]
        assert len(pids) == 1 + READY
        process.kill()
    assert _soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    pool.close()
    places.close()


def _soon(claim):
    """Wait for a claim to hold, but not for ever."""
    deadline = time.monotonic() + 20
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.02)
    return claim()


def _kibibytes(pid, name):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{name}: +(\d+) kB", text, re.MULTILINE)[1])


def _children_of(pid):
    """Return the processes that another has started and that still run (Linux: /proc)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return [int(child) for child in children]
