"""The numbers for Prometheus and the access log: over all processes, and never in the way."""

import json
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from policygraph.front.accesslog import AccessLog

COUNTING = """
import sys
from pathlib import Path
from types import SimpleNamespace
from policygraph.web import metrics
metrics.start(Path(sys.argv[1]))
for _ in range(1000):
    metrics.note_request("sparql", "GET", 200, "hit")
metrics.note_request("page", "GET", 404)
metrics.note_seconds("page", 0.02)
metrics.note_query("answered")
version = SimpleNamespace(id="abc", release="def", statements=7, triples=9)
sys.stdout.buffer.write(metrics.page(version))
"""


@pytest.fixture
def counted(tmp_path):
    """Return the page of the second of two processes, as values by name and labels."""
    for _ in range(2):
        command = [sys.executable, "-c", COUNTING, tmp_path]
        page = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.stdout)
        for sample in family.samples
    }


def test_what_all_processes_noted_is_counted(counted):
    assert counted["policygraph_requests_total", "200", "GET", "sparql"] == 2000
    assert counted["policygraph_requests_total", "404", "GET", "page"] == 2
    assert counted["policygraph_cache_hits_total", "hit"] == 2000
    assert counted["policygraph_queries_total", "answered"] == 2


def test_how_long_requests_took_is_told_in_buckets(counted):
    assert counted["policygraph_request_seconds_count", "page"] == 2
    assert counted["policygraph_request_seconds_bucket", "0.01", "page"] == 0
    assert counted["policygraph_request_seconds_bucket", "0.03", "page"] == 2


def test_what_is_served_is_told(counted):
    assert counted["policygraph_snapshot_info", "abc", "def"] == 1
    assert counted[("policygraph_statements",)] == 7
    assert counted[("policygraph_triples",)] == 9


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_one_line_whatever_is_in_it(tmp_path):
    log = AccessLog(str(tmp_path / "log"))
    log.write({"path": "/a\nb\x1b[31m\u2028\ud800", "note": SimpleNamespace(a=1)})
    log.write({"path": "/é"})
    first, second = _lines(tmp_path / "log")
    assert first["path"].startswith("/a\nb\x1b[31m")
    assert second["path"] == "/é"
    assert first["time"].endswith("Z")
    assert len(first["time"]) == len("2026-01-01T00:00:00.000Z")
    assert b"\x1b" not in (tmp_path / "log").read_bytes()


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("policygraph.front.accesslog._BETWEEN_LOOKS", 0.0)
    log = AccessLog(str(tmp_path / "log"))
    log.write({"number": 1})
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.write({"number": 2})
    assert [line["number"] for line in _lines(tmp_path / "log.1")] == [1]
    assert [line["number"] for line in _lines(tmp_path / "log")] == [2]


def test_a_log_that_cannot_be_written_is_no_error(tmp_path):
    AccessLog(str(tmp_path / "no such folder" / "log")).write({"number": 1})


def test_lines_of_many_threads_do_not_mix(tmp_path):
    logs = [AccessLog(str(tmp_path / "log")) for _ in range(4)]

    def write(log):
        for number in range(200):
            log.write({"number": number, "text": "x" * 500})

    threads = [threading.Thread(target=write, args=(log,)) for log in logs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["number"] for line in _lines(tmp_path / "log")) == sorted([*range(200)] * 8)


def test_the_log_of_standard_error_goes_there(capfd):
    AccessLog("-").write({"number": 1})
    assert json.loads(capfd.readouterr().err)["number"] == 1
