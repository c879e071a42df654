"""A real server whose data changes: no request is lost, and nothing broken is ever served."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

NAMES = {
    "query": """
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?name { <https://w3id.org/policygraph/id/actor/kamala-harris> skos:altLabel ?name }""",
    "format": "csv",
}
PREFERRED = 'skos:prefLabel "Kamala Harris"@en'
LABEL = 'skos:altLabel "Kamala D. Harris"@en'
PATIENCE = 60
"""Seconds to wait for what must happen; how long it takes is not asserted."""


@pytest.fixture
def start(copied, start_server):
    """Return a function that starts a server on a copy of the real project.

    It gives its process, its address and the project. Who waits for words of it does so in vain
    after some minutes, for then it is killed.
    """
    timers = []

    def start_it(*options):
        process, address = start_server("--project", copied.root, serving=options)
        timers.append(threading.Timer(3 * PATIENCE, process.kill))
        timers[-1].start()
        assert process.stdout.readline().startswith("serving ")
        return process, address, copied

    yield start_it
    for timer in timers:
        timer.cancel()


@pytest.fixture
def changing(start):
    """Return such a server."""
    return start()


def _rename(project, name):
    """Give an actor another name beside its first."""
    _replace(project, LABEL, f'{LABEL}, "{name}"@en')


def _replace(project, old, new):
    path = project.data / "actors.ttl"
    text = path.read_text()
    assert old in text
    part = path.with_suffix(".part")  # whole or not at all, as an editor does
    part.write_text(text.replace(old, new))
    part.replace(path)


def _break(project):
    """Give an actor two preferred names of one language."""
    _replace(project, PREFERRED, f'{PREFERRED}, "Harris"@en')


def _names(address):
    return httpx.get(f"{address}/sparql", params=NAMES, timeout=PATIENCE).text.splitlines()[1:]


def _wait_for(claim):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if claim():
            return
        time.sleep(0.05)
    raise AssertionError("what must happen did not")


def _fork_servers(process):
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in task.read_text().split()]
    return [pid for pid in pids if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Hammer:
    """Threads that ask without a pause, each over a connection of its own."""

    def __init__(self, address, count=8):
        self.answers = set()
        self.faults = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(address,)) for _ in range(count)]

    def __enter__(self):  # noqa: D105
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):  # noqa: D105
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, address):
        with httpx.Client(base_url=address, timeout=PATIENCE) as client:
            for number in range(10**9):
                if self._is_over.is_set():
                    return
                # Each is another to the cache, so that the workers are asked as well.
                params = NAMES | {"query": f"# {threading.get_ident()} {number}\n{NAMES['query']}"}
                try:
                    answer = client.get("/sparql", params=params)
                except httpx.HTTPError as error:
                    self.faults.append(repr(error))
                    continue
                if answer.status_code == 200:
                    self.answers.add(answer.text)
                else:
                    self.faults.append(f"{answer.status_code} {answer.text}")


def test_no_request_is_lost_while_the_data_changes(changing):
    process, address, project = changing
    with Hammer(address) as hammer:
        for name in ("First", "Second", "Third"):
            _rename(project, name)
            process.send_signal(signal.SIGHUP)
            line = process.stdout.readline()
            assert line.startswith("serving ")
            assert line.endswith(" statements, reloaded\n")
            _wait_for(lambda name=name: any(name in answer for answer in hammer.answers))
    assert hammer.faults == []
    assert set(_names(address)) >= {"First", "Second", "Third"}


def test_the_old_fork_server_ends_when_nothing_uses_it(changing):
    process, address, project = changing
    (old,) = _fork_servers(process)
    _names(address)
    _rename(project, "First")
    process.send_signal(signal.SIGHUP)
    process.stdout.readline()
    _wait_for(lambda: old not in _fork_servers(process))
    assert len(_fork_servers(process)) == 1


def test_a_query_that_runs_is_answered_from_what_it_began_with(changing):
    process, address, project = changing
    long = {"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f }", "format": "csv"}
    expected = httpx.get(f"{address}/sparql", params=long, timeout=PATIENCE).text
    long["query"] = f"# not from the cache\n{long['query']}"
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{address}/sparql", params=long, timeout=PATIENCE))
    )
    _rename(project, "First")
    process.send_signal(signal.SIGHUP)
    asking.start()
    process.stdout.readline()
    asking.join()
    assert answers[0].text == expected


def test_broken_data_is_reported_and_what_was_served_goes_on_being_served(changing):
    process, address, project = changing
    before = _names(address)
    _break(project)
    process.send_signal(signal.SIGHUP)
    said = [process.stderr.readline()]
    while said[-1] and not said[-1].startswith("policygraph: "):
        said.append(process.stderr.readline())
    assert any("actors.ttl:" in line for line in said)
    assert said[-1].startswith("policygraph: not reloaded: 1 violation, see above")
    assert _names(address) == before
    _replace(project, f'{PREFERRED}, "Harris"@en', PREFERRED)
    _rename(project, "Mended")
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline().endswith("reloaded\n")
    _wait_for(lambda: "Mended" in _names(address))


def test_what_the_last_check_found_is_told(changing):
    process, address, project = changing

    def conforms():
        return httpx.get(f"{address}/health").json()["last_check"]["conforms"]

    assert conforms() is True
    _break(project)
    process.send_signal(signal.SIGHUP)
    _wait_for(lambda: conforms() is False)


def test_files_that_have_not_changed_are_said_to_be_unchanged(changing):
    process, _, _ = changing
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline().endswith(" statements, unchanged\n")


def test_several_signals_in_a_row_are_one_or_two_checks(changing):
    process, address, project = changing
    _rename(project, "First")
    for _ in range(20):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.005)
    assert process.stdout.readline().endswith("reloaded\n")
    _wait_for(lambda: "First" in _names(address))
    _rename(project, "Last")
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    lines = [process.stdout.readline()]
    while lines[-1] and not lines[-1].endswith("reloaded\n"):
        lines.append(process.stdout.readline())
    assert len(lines) <= 2


def test_a_change_is_served_by_itself_when_the_files_are_watched(start):
    process, address, project = start("--watch")
    _rename(project, "Watched")
    assert process.stdout.readline().endswith("reloaded\n")
    _wait_for(lambda: "Watched" in _names(address))


def test_a_fork_server_that_was_killed_is_replaced(changing):
    process, address, _ = changing
    before = _names(address)
    (old,) = _fork_servers(process)
    os.kill(old, signal.SIGKILL)
    _wait_for(lambda: _fork_servers(process) not in ([], [old]))

    def is_answered():
        query = f"# {time.monotonic()}\n{NAMES['query']}"
        answer = httpx.get(f"{address}/sparql", params=NAMES | {"query": query}, timeout=PATIENCE)
        return answer.text.splitlines()[1:] == before

    _wait_for(is_answered)


def test_a_reload_is_broken_off_when_the_server_stops(changing):
    process, _, project = changing
    _rename(project, "First")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_a_reload_from_disk_is_served_too(start, tmp_path):
    process, address, project = start("--store", tmp_path / "snapshots")
    _rename(project, "First")
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline().endswith("reloaded\n")
    _wait_for(lambda: "First" in _names(address))
    kept = list((tmp_path / "snapshots").glob("*/about.json"))
    assert all(json.loads(path.read_text())["files"] for path in kept)
