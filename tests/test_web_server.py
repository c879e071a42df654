"""A real server process, over real HTTP: it answers, it refuses, it stops and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ASK = {"query": "ASK { ?s ?p ?o }"}


def _ready(process):
    """Return the line with which a server says that it serves."""
    return process.stdout.readline()


def _children(process):
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


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
    children = _children(process)
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
    children = _children(process)
    process.send_signal(signal.SIGTERM)
    code, said = _end(process)
    assert code in {0, -signal.SIGTERM}  # the latter while Python itself is still starting
    assert said == ""
    assert _wait_until_gone(children) == []


def test_no_worker_outlives_a_parent_that_was_killed(start_server, project):
    process, _ = start_server("--project", project.root)
    _ready(process)
    children = _children(process)
    process.kill()
    assert _wait_until_gone(children) == []


def test_a_worker_that_dies_is_replaced(start_server, project):
    process, address = start_server("--project", project.root)
    _ready(process)
    (worker,) = _children(process)
    os.kill(worker, signal.SIGKILL)
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
    assert said.endswith("so nothing is served; mend that and start again\n")
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_project_without_data_is_served(start_server, empty):
    process, address = start_server("--project", empty.root)
    assert _ready(process).startswith("serving 0 statements at ")
    assert "No text has been read" in httpx.get(address).text


def test_a_worker_that_is_spawned_serves_too(project, tmp_path, free_port):
    """As on macOS, and where Python no longer forks."""
    code = (
        "import multiprocessing, sys; from pathlib import Path\n"
        "from policygraph import open_project; from policygraph.web.server import serve\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    serve(open_project(Path(sys.argv[1])), host='127.0.0.1', port=int(sys.argv[2]))\n"
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


def test_the_time_to_the_first_answer_is_printed(start_server, project, address, capsys):
    """The verdict is known by then (`address`): a warm start. Nothing is asserted of the time."""
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
