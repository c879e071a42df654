"""What is in deploy/ fits the command: its options, limits and routes. Nothing is installed."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from policygraph.cli import main
from policygraph.cli.serving import serve
from policygraph.server.processes import SECONDS_FOR_HEADERS
from policygraph.web.settings import Settings
from policygraph.workers import LIMITS

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "policygraph.service"
CONTAINER = ROOT / "deploy" / "Containerfile"
NGINX = ROOT / "deploy" / "nginx.conf"
OPERATING = ROOT / "docs" / "operating.md"


def _parsed(arguments, monkeypatch, environment=()):
    """Return what `serve` is told by a command line and an environment."""
    for name, value in environment:
        monkeypatch.setenv(name, value)
    group = main.make_context("policygraph", arguments)
    assert arguments[0] == "serve"
    return serve.make_context("serve", arguments[1:], parent=group).params


def _directives(name):
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def _variables(text):
    return set(re.findall(r"POLICYGRAPH_SERVE_[A-Z_]+", text))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_finds_no_fault_with_the_unit(tmp_path):
    unit = tmp_path / UNIT.name
    # The command is not installed here; everything else is as it is.
    unit.write_text(UNIT.read_text().replace("/opt/policygraph/venv/bin/policygraph", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_of_the_unit_is_understood(monkeypatch):
    (command,) = _directives("ExecStart")
    environment = [line.split("=", 1) for line in _directives("Environment")]
    _, *arguments = shlex.split(command)
    found = _parsed(arguments, monkeypatch, environment)
    assert (found["host"], found["proxies"], found["access_log"]) == ("127.0.0.1", 1, "-")


def test_systemd_waits_for_running_queries_and_reloads_by_the_signal():
    (seconds,) = _directives("TimeoutStopSec")
    assert int(seconds) > Settings().seconds_to_stop
    assert _directives("ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_the_command_of_the_container_is_understood(monkeypatch):
    *_, command = re.findall(r"^CMD (\[.*\])$", CONTAINER.read_text(), re.MULTILINE)
    name, *arguments = json.loads(command)
    found = _parsed(arguments, monkeypatch)
    assert name == "policygraph"
    port = re.search(r"^EXPOSE (\d+)$", CONTAINER.read_text(), re.MULTILINE)
    assert (found["host"], found["port"]) == ("0.0.0.0", int(port[1]))  # noqa: S104 - only read
    assert not CONTAINER.read_text().rpartition("\nUSER ")[2].startswith("root")


def test_the_health_check_of_the_container_works(address):
    (command,) = re.findall(r"^  CMD (\[.*\])$", CONTAINER.read_text(), re.MULTILINE)
    _, flag, code = json.loads(command)
    port = address.rsplit(":", 1)[1]
    here = ["python3", flag, code.replace(":8000", f":{port}")]
    assert subprocess.run(here, check=False).returncode == 0
    nowhere = ["python3", flag, code.replace(":8000", ":1")]
    assert subprocess.run(nowhere, check=False, capture_output=True).returncode != 0


@pytest.mark.parametrize("path", [UNIT, CONTAINER, NGINX, OPERATING], ids=lambda path: path.name)
def test_every_variable_that_is_named_is_read(path):
    known = {f"POLICYGRAPH_SERVE_{option.name.upper()}" for option in serve.params}
    assert _variables(path.read_text()) <= known


def test_nginx_leaves_refusals_to_the_server():
    text = NGINX.read_text()
    assert int(re.search(r"client_max_body_size (\d+)m;", text)[1]) * 2**20 > LIMITS.body
    longest = LIMITS.seconds + LIMITS.patience
    assert int(re.search(r"proxy_read_timeout (\d+)s;", text)[1]) > longest
    assert int(re.search(r"keepalive_timeout (\d+)s;", text)[1]) < SECONDS_FOR_HEADERS


def test_the_table_of_options_is_complete():
    rows = re.findall(
        r"^\| `(--[a-z-]+)[^`]*` \| `([A-Z_]+)` \|", OPERATING.read_text(), re.MULTILINE
    )
    expected = {
        (option.opts[0], f"POLICYGRAPH_SERVE_{option.name.upper()}") for option in serve.params
    }
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_the_defaults_in_the_table_are_the_defaults():
    text = OPERATING.read_text()
    for name in ("--host", "--port", "--timeout", "--memory", "--proxies", "--store"):
        option = next(each for each in serve.params if name in each.opts)
        default = f"{option.default:g}" if isinstance(option.default, float) else option.default
        assert re.search(rf"^\| `{name} .*` \| {default} \|", text, re.MULTILINE), name
