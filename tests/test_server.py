"""A real server process, over real HTTP: it answers, it refuses, it stops and leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from policygraph.cli import main
from policygraph.cli.serving import serve

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only read
ASK = {"query": "ASK { ?s ?p ?o }"}
LONG = {
    "query": "SELECT (COUNT(*) AS ?n) { VALUES ?x { 1 2 } ?a ?b ?c . ?d ?e ?f }",
    "format": "csv",
}
"""Takes some seconds."""
ENDLESS = {"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"}


def _ready(process):
    """Return the line with which a server says that it serves."""
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line


def _children(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _family(process):
    """Return the processes of a server besides its main one: web, fork server, workers."""
    children = _children(process.pid)
    return children + [each for child in children for each in _children(child)]


def _web_processes(process):
    """Return those that are forks of the main process; others run programs of their own."""
    own = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    paths = {pid: Path(f"/proc/{pid}/cmdline") for pid in _children(process.pid)}
    return [pid for pid, path in paths.items() if path.read_bytes() == own]


def _is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _wait_until_gone(pids):
    until = time.monotonic() + 15
    while any(map(_is_running, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return [pid for pid in pids if _is_running(pid)]


def _connected(address):
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def _wait_until_refused(address):
    """Wait until a server takes no new connection."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            _connected(address).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError(address)


def _end(process):
    """Wait for a server to end: its exit code and what it said on standard error."""
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def test_it_answers_over_http(address):
    with httpx.Client(base_url=address) as client:
        assert client.get("/sparql", params=ASK).json()["boolean"] is True
        form = client.post("/sparql", data=ASK, headers={"Accept": "application/json"})
        assert form.json()["boolean"] is True
        direct = client.post(
            "/sparql",
            content="SELECT ?s { ?s a <https://w3id.org/policygraph/ns#Actor> } ORDER BY ?s",
            headers={"Content-Type": "application/sparql-query", "Accept": "text/csv"},
        )
        assert direct.text.startswith("s\r\nhttps://w3id.org/policygraph/id/actor/")
        assert client.get("/").headers["Content-Type"] == "text/html; charset=utf-8"
        assert client.get("/static/favicon.svg").headers["Content-Type"].startswith("image/svg+xml")


def test_it_names_no_inner_part(address):
    response = httpx.get(f"{address}/nothing")
    assert response.headers.get_list("Server") == ["policygraph"]
    assert "granian" not in response.text
    assert "flask" not in response.text.lower()


def test_it_says_what_it_serves_once_it_answers(start_server, project):
    process, address = start_server("--project", project.root)
    line = _ready(process)
    assert httpx.get(f"{address}/sparql", params=ASK).status_code == 200
    number, words = line.removeprefix("serving ").split(" ", 1)
    assert int(number) > 100
    assert words == f"statements at {address}\n"


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_it_stops_without_a_word_and_leaves_nothing_running(start_server, project, signal_):
    process, address = start_server("--project", project.root)
    _ready(process)
    children = _family(process)
    assert children
    process.send_signal(signal_)
    assert _end(process) == (0, "")
    assert _wait_until_gone(children) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_ctrl_c_in_a_terminal_reaches_all_its_processes_and_is_no_crash(start_server, project):
    """A terminal signals the whole group: the worker must not be found dead by its parent."""
    process, _ = start_server("--project", project.root)
    _ready(process)
    os.killpg(process.pid, signal.SIGINT)
    assert _end(process) == (0, "")


@pytest.mark.parametrize("delay", [0.5, 0.7, 0.9, 1.1])
def test_it_stops_while_it_starts(start_server, copied, delay):
    process, _ = start_server("--project", copied.root)
    time.sleep(delay)
    children = _family(process)
    process.send_signal(signal.SIGTERM)
    code, said = _end(process)
    assert code in {0, -signal.SIGTERM}  # the latter while Python itself is still starting
    assert said == ""
    assert _wait_until_gone(children) == []


def test_no_process_outlives_a_main_process_that_was_killed(start_server, project):
    process, _ = start_server("--project", project.root)
    _ready(process)
    children = _family(process)
    process.kill()
    assert _wait_until_gone(children) == []


def test_a_web_process_that_dies_is_replaced(start_server, project):
    process, address = start_server("--project", project.root)
    _ready(process)
    for pid in _web_processes(process):
        os.kill(pid, signal.SIGKILL)
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(transport=transport) as client:
        assert client.get(f"{address}/sparql", params=ASK).status_code == 200


def test_a_port_in_use_is_refused_in_one_line(start_server, project, address):
    port = int(address.rsplit(":", 1)[1])
    process, _ = start_server("--project", project.root, port=port)
    said = "port in use; stop what uses it, or give another with --port"
    assert _end(process) == (2, f"policygraph: 127.0.0.1:{port}: {said}\n")
    assert httpx.get(f"{address}/sparql", params=ASK).status_code == 200


def test_a_port_in_use_is_found_before_the_project_is_read(start_server, copied, address):
    (copied.data / "actors.ttl").write_text("nonsense")
    port = int(address.rsplit(":", 1)[1])
    process, _ = start_server("--project", copied.root, port=port)
    assert "port in use" in _end(process)[1]


def test_a_port_can_be_used_again_at_once(start_server, project):
    process, address = start_server("--project", project.root)
    _ready(process)
    with httpx.Client() as client:
        client.get(address)
        process.terminate()
        _end(process)
    again, same = start_server("--project", project.root, port=int(address.rsplit(":", 1)[1]))
    assert _ready(again).startswith("serving")
    assert same == address


def test_a_broken_rule_is_refused_with_its_findings(start_server, copied):
    path = copied.source("harris-immigration-2024") / "statements.ttl"
    path.write_text(path.read_text().replace("    pg:evidence p:0-1 ;\n", "", 1))
    process, address = start_server("--project", copied.root)
    code, said = _end(process)
    assert code == 1
    assert "statements.ttl:" in said
    assert said.endswith("so this is not served; mend that and try again\n")
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_project_without_data_is_served(start_server, empty):
    process, address = start_server("--project", empty.root)
    assert _ready(process).startswith("serving 0 statements at ")
    assert "No text has been read" in httpx.get(address).text


def test_a_web_process_that_is_spawned_serves_too(project, tmp_path, free_port):
    """As on macOS, and where Python no longer forks."""
    code = (
        "import multiprocessing, sys; from pathlib import Path\n"
        "from policygraph import open_project; from policygraph.server import serve\n"
        "from policygraph.web.settings import Settings\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    serve(open_project(Path(sys.argv[1])), Settings(port=int(sys.argv[2])))\n"
    )
    script = tmp_path / "spawned.py"
    script.write_text(code)
    process = subprocess.Popen(
        [sys.executable, script, project.root, str(free_port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
    )
    assert _ready(process).startswith("serving")
    assert httpx.get(f"http://127.0.0.1:{free_port}/sparql", params=ASK).json()["boolean"] is True
    process.terminate()
    assert _end(process) == (0, "")


def test_a_query_that_runs_is_answered_when_the_server_is_told_to_stop(start_server, project):
    process, address = start_server("--project", project.root, serving=["--timeout", 60])
    _ready(process)
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(httpx.get, f"{address}/sparql", params=LONG, timeout=60)
        time.sleep(1)
        assert not answer.done(), "the query is to run while the server is told to stop"
        process.terminate()
        _wait_until_refused(address)
        assert not answer.done()
        assert answer.result().text.startswith("n\r\n")
    assert _end(process) == (0, "")


@pytest.mark.parametrize(
    "sent",
    [b"", b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n"],
    ids=["that were never used", "that are kept alive"],
)
def test_idle_connections_do_not_delay_the_stop(start_server, project, sent):
    # so that it would wait that long
    process, address = start_server("--project", project.root, serving=["--timeout", 3600])
    _ready(process)
    with ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(_connected(address))
            connection.sendall(sent)
            if sent:
                assert connection.recv(10_000)
        process.terminate()
        assert _end(process) == (0, "")


def test_a_second_signal_stops_at_once(start_server, project):
    process, address = start_server("--project", project.root, serving=["--timeout", 3600])
    _ready(process)
    family = _family(process)
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(httpx.get, f"{address}/sparql", params=ENDLESS, timeout=60)
        time.sleep(1)
        process.terminate()
        _wait_until_refused(address)
        process.terminate()
        assert _end(process) == (0, "")
        assert isinstance(answer.exception(), httpx.TransportError)
    assert _wait_until_gone(family) == []


@pytest.mark.parametrize("attempt", range(5))
def test_no_signal_to_stop_is_lost_while_the_processes_start(start_server, project, attempt):
    process, _ = start_server("--project", project.root)
    until = time.monotonic() + 20
    while not _web_processes(process) and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(attempt * 0.02)
    process.terminate()
    code, said = _end(process)
    assert (code, said) == (0, "")


@pytest.mark.parametrize("delay", [0.15, 0.25, 0.35, 0.45, 0.55])
def test_ctrl_c_while_it_loads_says_nothing(start_server, project, delay):
    process, _ = start_server("--project", project.root)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    code, said = _end(process)
    assert "Aborted" not in said
    assert (code, said) == (0, "") or "KeyboardInterrupt" in said  # Python itself is still starting


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch):
    """Return the temporary folder of what the test starts; the path of a socket in it is short."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_it_leaves_no_file(start_server, project, temporary):
    before = set(SHARED_MEMORY.iterdir())
    process, address = start_server("--project", project.root)
    _ready(process)
    assert httpx.get(f"{address}/sparql", params=ASK).status_code == 200
    (folder,) = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    process.terminate()
    assert _end(process) == (0, "")
    assert list(temporary.iterdir()) == []
    assert set(SHARED_MEMORY.iterdir()) <= before


def test_what_a_killed_server_left_does_not_matter(start_server, project, temporary):
    process, address = start_server("--project", project.root)
    _ready(process)
    family = _family(process)
    process.kill()
    assert _wait_until_gone(family) == []
    assert len(list(temporary.iterdir())) == 1
    again, _ = start_server("--project", project.root, port=int(address.rsplit(":", 1)[1]))
    assert _ready(again).startswith("serving")


def test_of_two_servers_that_start_on_one_port_one_is_refused(start_server, project, free_port):
    started = [start_server("--project", project.root, port=free_port)[0] for _ in range(2)]
    said = [process.stdout.readline() for process in started]
    assert sorted(map(bool, said)) == [False, True]
    (refused,) = (process for process, line in zip(started, said, strict=True) if not line)
    code, reason = _end(refused)
    assert code == 2
    assert "port in use" in reason


@pytest.mark.parametrize("count", [1, 3])
def test_there_are_as_many_web_processes_as_asked_for(start_server, project, count):
    process, address = start_server("--project", project.root, serving=["--workers", count])
    _ready(process)
    assert len(_web_processes(process)) == count
    for _ in range(10):
        assert httpx.get(f"{address}/sparql", params=ASK).status_code == 200


def test_a_graph_on_disk_is_served_from_the_folder_given(start_server, project, tmp_path):
    process, address = start_server("--project", project.root, serving=["--store", tmp_path])
    _ready(process)
    assert httpx.get(f"{address}/sparql", params=ASK).json()["boolean"] is True
    assert list(tmp_path.glob("*/store/CURRENT"))


ENDPOINTS = ("http://a.example/", "http://b.example/")
VALUES = {
    "host": ("0.0.0.0", "0.0.0.0"),  # noqa: S104 - only read
    "port": ("8123", 8123),
    "workers": ("3", 3),
    "timeout": ("2.5", 2.5),
    "memory": ("64", 64),
    "queries": ("7", 7),
    "store": ("/somewhere", Path("/somewhere")),
    "allow_service": ("http://a.example/ http://b.example/", ENDPOINTS),
    "proxies": ("2", 2),
    "access_log": ("-", "-"),
    "watch": ("true", True),
}


@pytest.mark.parametrize("option", serve.params, ids=lambda option: option.name)
def test_every_option_has_an_environment_variable(option, monkeypatch):
    text, value = VALUES[option.name]
    monkeypatch.setenv(f"POLICYGRAPH_SERVE_{option.name.upper()}", text)
    group = main.make_context("policygraph", ["serve"])
    context = serve.make_context("serve", [], parent=group)
    assert context.params[option.name] == value


def test_an_endpoint_that_is_none_is_refused(run):
    done = run("serve", "--allow-service", "file:///etc/passwd")
    assert done.returncode == 2
    assert "give the http(s) address of a SPARQL endpoint" in done.stderr


def test_the_time_to_the_first_answer_is_printed(start_server, project, address, capsys):
    """The snapshot is there by then (`address`): a warm start. Nothing is asserted of the time."""
    start = time.monotonic()
    _, url = start_server("--project", project.root)
    while True:
        try:
            assert httpx.get(f"{url}/sparql", params=ASK).status_code == 200
            break
        except httpx.ConnectError:
            time.sleep(0.005)
    with capsys.disabled():
        sys.stdout.write(f" [first answer {time.monotonic() - start:.2f} s after a warm start] ")
