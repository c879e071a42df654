"""Measure the server side by side with `oxigraph serve` and `rdflib-endpoint`, in one run.

    python bench/serve.py [--policies 200 100000] [--rounds 3] [--seconds 4] [--peers FOLDER]

All serve the same made-up graph (policy-shaped, ten triples a policy) and are asked the same
queries by `wrk` (Debian package), 8 connections, in turn: ours, theirs, ours, … so that a change in
the machine's speed hits all. What varies has a comment with a counter, so that nobody can answer it
from a cache. Medians go to standard output as Markdown. Peers are taken from a virtual
environment made in FOLDER on first use (`oxigraph` and `rdflib-endpoint` from PyPI). Ours is served
from a snapshot written by hand: checking a million triples is no matter of serving.
"""

import argparse
import contextlib
import datetime as dt
import functools
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from policygraph import create_project
from policygraph.namespaces import DEFAULT_BASE as BASE
from policygraph.snapshots import Snapshot, snapshot_id
from policygraph.snapshots.place import key_of
from policygraph.snapshots.snapshot import write_about
from policygraph.store import write_disk_store

CONNECTIONS = 8
LARGEST_FOR_RDFLIB = 100_000
"""Triples; beyond that rdflib takes minutes to load and gigabytes."""
PATIENCE = 300
SKOS = "http://www.w3.org/2004/02/skos/core#"
POINT = f"SELECT ?p ?o {{ <{BASE}id/policy/p-7> ?p ?o }}"
ROWS = f"SELECT ?s ?label {{ ?s <{SKOS}prefLabel> ?label }} LIMIT 10000"
COUNTS = "SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class"
LUA = """
local number = 0
local thread = 0
function setup(made) made:set("id", thread); thread = thread + 1 end
function init(args) id = id or 0; math.randomseed(os.time() + id) end
function request()
  number = number + 1
  return wrk.format("GET", "%s%%0A%%23" .. id .. "." .. number .. "." .. math.random(1000000))
end
"""
_REQUESTS = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s|m)")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests a second, and the milliseconds that half and 99 of a hundred answers took."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked: a query, or a path of ours; whether it varies, whether it asks for a 304."""

    name: str
    query: str = ""
    path: str = ""
    varies: bool = False
    is_conditional: bool = False
    fewest: int = 0
    """Policies in the graph without which it would measure something else."""


ITEMS = (
    Item("304 (of a point query)", POINT, is_conditional=True),
    Item("cached point query", POINT),
    Item("point query, uncached", POINT, varies=True),
    Item("page of a policy, cached", path="/doc/policy/p-7.html"),
    Item("10,000 rows, uncached", ROWS, varies=True, fewest=10_000),
    Item("aggregate, uncached", COUNTS, varies=True),
)


def main() -> None:
    """Measure each size and print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--policies", type=int, nargs="+", default=[200, 100_000])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=4)
    arguments.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    options = arguments.parse_args()
    programs = peers(options.peers)
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, {platform.machine()}, {os.cpu_count()} cores,")
    print(f"Python {platform.python_version()}, {_versions(programs)}; wrk, {CONNECTIONS}")
    print(f"connections, {options.rounds} rounds of {options.seconds} s in turn, medians.\n")
    for policies in options.policies:
        with tempfile.TemporaryDirectory() as scratch:
            compare(Path(scratch), policies, programs, options)


def compare(
    scratch: Path, policies: int, programs: dict[str, str], options: argparse.Namespace
) -> None:
    """Serve a graph by each server, measure them in turn, and print one table."""
    dump = scratch / "graph.nq"
    triples = write_graph(dump, policies)
    starts: dict[str, Callable[[], contextlib.AbstractContextManager[str]]] = {
        "policygraph": functools.partial(ours, scratch, dump),
        "policygraph, on disk": functools.partial(ours, scratch, dump, on_disk=True),
        "oxigraph serve, on disk": functools.partial(oxigraph, scratch, dump, programs),
    }
    if triples <= LARGEST_FOR_RDFLIB:
        starts["rdflib-endpoint"] = functools.partial(rdflib_endpoint, dump, programs)
    with contextlib.ExitStack() as running:
        endpoints = {name: running.enter_context(start()) for name, start in starts.items()}
        print(
            f"### {triples:,} triples\n\nRequests a second (p50, p99 in ms); ratio to oxigraph.\n"
        )
        print(f"| | {' | '.join(endpoints)} |\n|---|{'--:|' * len(endpoints)}")
        for item in (item for item in ITEMS if item.fewest <= policies):
            measured = in_turn(item, endpoints, options)
            cells = [_cell(name, measured) for name in endpoints]
            print(f"| {item.name} | {' | '.join(cells)} |", flush=True)
    print()


def _cell(name: str, measured: dict[str, Measured | None]) -> str:
    found, peer = measured[name], measured["oxigraph serve, on disk"]
    if found is None:
        return "–"
    ratio = f"; **{found.rate / peer.rate:.2f}**" if peer and name.startswith("policygraph") else ""
    return f"{found.rate:,.0f} ({found.p50:.2f}, {found.p99:.1f}){ratio}"


def in_turn(
    item: Item, endpoints: dict[str, str], options: argparse.Namespace
) -> dict[str, Measured | None]:
    """Return the medians of one item for each server that can be asked it."""
    found: dict[str, list[Measured]] = {name: [] for name in endpoints}
    for _ in range(options.rounds):
        for name, endpoint in endpoints.items():
            if item.query or name.startswith("policygraph"):
                found[name].append(load(item, endpoint, options.seconds))
    return {name: _median(rounds) if rounds else None for name, rounds in found.items()}


def _median(rounds: list[Measured]) -> Measured:
    return Measured(
        *(statistics.median(getattr(one, name) for one in rounds) for name in Measured.__slots__)
    )


def load(item: Item, endpoint: str, seconds: int) -> Measured:
    """Let wrk ask one thing for some seconds. Ends the program when anything is refused."""
    root, _, _ = endpoint.rpartition("/")
    query = urllib.parse.urlencode({"query": item.query})
    address = f"{root}{item.path}" if item.path else f"{endpoint}?{query}"
    headers = ["-H", f"Accept: {'text/html' if item.path else 'application/sparql-results+json'}"]
    with urllib.request.urlopen(_request(address)) as answer:
        tag = answer.headers.get("ETag")
    if item.is_conditional and tag:
        headers += ["-H", f"If-None-Match: {tag}"]
    command = ["wrk", "--latency", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", *headers]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if item.varies:
            path = urllib.parse.urlsplit(address)
            script.write(LUA % f"{path.path}?{path.query}")
            script.flush()
            command += ["-s", script.name]
        said = subprocess.run([*command, address], check=True, capture_output=True, text=True)
    if _REFUSED.search(said.stdout):
        raise SystemExit(f"{item.name} at {address}: some were refused\n{said.stdout}")
    latency = {part: float(number) * _UNITS[unit] for part, number, unit in
               _LATENCY.findall(said.stdout)}  # fmt: skip
    return Measured(float(_REQUESTS.findall(said.stdout)[0]), latency["50"], latency["99"])


def _request(address: str) -> urllib.request.Request:
    return urllib.request.Request(
        address, headers={"Accept": "application/sparql-results+json, */*"}
    )


@contextlib.contextmanager
def ours(scratch: Path, dump: Path, *, on_disk: bool = False) -> Iterator[str]:
    """Serve a dump by policygraph, as if its project had been checked."""
    kind = "disk" if on_disk else "memory"
    project = create_project(scratch / kind)
    place = scratch / f"{kind}-snapshots"
    id_ = snapshot_id(project)
    folder = place / f"{key_of(project)}-{id_}{'-disk' * on_disk}"
    (folder / "dumps").mkdir(parents=True)
    (folder / "queries").mkdir()
    (folder / "dumps" / "policygraph.nq").symlink_to(dump)
    (folder / "dumps" / "context.jsonld").write_bytes(project.context.read_bytes())
    if on_disk:
        write_disk_store(dump, folder / "store")
    write_about(Snapshot(folder, BASE, id_, "0" * 64, dt.datetime.now(dt.UTC), 0, 0))
    store = ["--store", str(place)] if on_disk else []
    if not on_disk:
        place.rename(scratch / "cache-snapshots")
        cache = scratch / "cache" / "policygraph"
        cache.mkdir(parents=True)
        (scratch / "cache-snapshots").rename(cache / "snapshots")
    port = free_port()
    command = [sys.executable, "-m", "policygraph", "--project", str(project.root), "serve"]
    environment = os.environ | {"XDG_CACHE_HOME": str(scratch / "cache")}
    with running([*command, "--port", str(port), *store], port, "/health", environment):
        yield f"http://127.0.0.1:{port}/sparql"


@contextlib.contextmanager
def oxigraph(scratch: Path, dump: Path, programs: dict[str, str]) -> Iterator[str]:
    """Serve a dump by `oxigraph serve-read-only`, from its disk store."""
    store, port = scratch / "oxigraph", free_port()
    program = programs["oxigraph"]
    loaded = [program, "load", "--location", str(store), "--file", str(dump), "--lenient"]
    subprocess.run(loaded, check=True, capture_output=True)
    subprocess.run([program, "optimize", "--location", str(store)], check=True, capture_output=True)
    command = [program, "serve-read-only", "--location", str(store), "--union-default-graph"]
    with running([*command, "--bind", f"127.0.0.1:{port}"], port, "/"):
        yield f"http://127.0.0.1:{port}/query"


@contextlib.contextmanager
def rdflib_endpoint(dump: Path, programs: dict[str, str]) -> Iterator[str]:
    """Serve a dump by rdflib-endpoint."""
    port = free_port()
    command = [programs["rdflib-endpoint"], "serve", "--port", str(port), str(dump)]
    with running(command, port, "/"):
        yield f"http://127.0.0.1:{port}/"


@contextlib.contextmanager
def running(
    command: list[str], port: int, path: str, environment: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a server; begin when it answers, stop it at the end."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **quiet) as server:
        try:
            until = time.monotonic() + PATIENCE
            while not answers(f"http://127.0.0.1:{port}{path}"):
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"did not start: {' '.join(command)}")
                time.sleep(0.05)
            yield
        finally:
            server.terminate()


def answers(address: str) -> bool:
    """Say whether somebody answers at an address, whatever it says."""
    try:
        urllib.request.urlopen(address, timeout=5).read()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def write_graph(path: Path, policies: int) -> int:
    """Write a graph of policies with labels, goals, regions and advocates; return its triples."""
    ns, ids = f"{BASE}ns#", f"{BASE}id/"
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for n in range(policies):
            thing = f"<{ids}policy/p-{n}>"
            facts = (
                f"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{ns}Policy>",
                f'<{SKOS}prefLabel> "measure number {n}"@en',
                f'<{SKOS}prefLabel> "medida número {n}"@es',
                f'<{SKOS}definition> "What measure {n} does, in a sentence of usual length."@en',
                f"<{ns}hasGoal> <{ids}goal/g-{n % 1000}>",
                f"<{ns}hasGoal> <{ids}goal/g-{n * 7 % 1000}>",
                f"<{ns}appliesIn> <{ids}region/r-{n % 60}>",
                f"<{ns}targetsGroup> <{ids}group/u-{n % 40}>",
                f"<{ns}addresses> <{ids}issue/i-{n % 25}>",
                f"<{ns}advocatedBy> <{ids}actor/a-{n % 300}>",
            )
            file.writelines(f"{thing} {fact} <{BASE}graph/reference> .\n" for fact in facts)
            count += len(facts)
    return count


def peers(folder: Path) -> dict[str, str]:
    """Return the programs of the peers, installed where they are not yet."""
    names = ("oxigraph", "rdflib-endpoint")
    programs = {name: str(folder / "bin" / name) for name in names}
    if not all(Path(program).exists() for program in programs.values()):
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "oxigraph", "rdflib-endpoint[cli]"], check=True)
    return programs


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _versions(programs: dict[str, str]) -> str:
    own = ", ".join(f"{name} {version(name)}" for name in ("policygraph", "pyoxigraph", "granian"))
    python = Path(programs["oxigraph"]).with_name("python")
    show = "import importlib.metadata as m, json; print(json.dumps([m.version(n) for n in %r]))"
    said = subprocess.run([python, "-c", show % list(programs)], capture_output=True, check=True)
    theirs = zip(programs, json.loads(said.stdout), strict=True)
    return f"{own}, " + ", ".join(f"{name} {number}" for name, number in theirs)


if __name__ == "__main__":
    main()
