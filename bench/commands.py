"""Time the commands side by side with plain rdflib and pyshacl doing the same, in one run.

    .venv/bin/python bench/commands.py [--runs N]

Whole processes, in turn (ours, theirs, ours, …), so that a change in the machine's speed hits both;
medians and the ratio theirs/ours go to standard output as Markdown. The peer reads all triples,
edges included, from one N-Triples file made beforehand; ours reads the project's files, makes the
edges and runs the violation queries too. `serve` is timed from its start to the first answered
query; it has no peer here. Nothing is asserted: this is no test.
"""

import argparse
import datetime as dt
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from importlib.metadata import version
from pathlib import Path

from policygraph import build, open_project
from policygraph.store import format_named

ROOT = Path(__file__).parents[1]
OURS = [sys.executable, "-m", "policygraph"]
QUESTION = "who-advocates-what"
PATIENCE = 60
"""Seconds that a server has to answer its first query."""

_READ = """
import rdflib, pathlib
root, base = pathlib.Path({root!r}), "https://w3id.org/policygraph/"
graph = rdflib.Graph().parse({dump!r})
"""
_CHECK = """
import pyshacl
shapes = rdflib.Graph().parse(root / "ontology" / "shapes.ttl", publicID=base)
SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
for node, name in list(shapes.subject_objects(SH.namespace)):
    shapes.set((node, SH.namespace, rdflib.Literal(base + name, datatype=rdflib.XSD.anyURI)))
print(pyshacl.validate(graph, shacl_graph=shapes, allow_infos=True)[0])
"""
_QUERY = """
print(graph.query((root / "queries" / {question!r}).with_suffix(".rq").read_text())
      .serialize(format="csv").decode())
"""


def main() -> None:
    """Time each pair and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=7)
    runs = arguments.parse_args().runs
    scratch = tempfile.TemporaryDirectory()
    dump = Path(scratch.name) / "union.nt"
    store = build(open_project(ROOT))
    dump.write_bytes(store.dump(format_named("nt")))
    read = _READ.format(root=str(ROOT), dump=str(dump))
    pairs = {
        "check (SHACL, queries, digests)": ([*OURS, "check"], read + _CHECK),
        f"query {QUESTION}": ([*OURS, "query", QUESTION], read + _QUERY.format(question=QUESTION)),
        "start of Python alone": ([sys.executable, "-c", ""], ""),
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, {machine}, {_versions()};")
    print(f"median of {runs} runs in turn, seconds, whole processes.\n")
    print("| command | policygraph | rdflib + pyshacl | ratio |\n|---|--:|--:|--:|")
    for name, (ours, theirs) in pairs.items():
        a, b = in_turn(ours, [sys.executable, "-c", theirs], runs)
        print(f"| {name} | {a:.2f} | {b:.2f} | {b / a:.1f} |")
    with tempfile.TemporaryDirectory() as cache:
        cold = first_answer(cache)
        warm = statistics.median(first_answer(cache) for _ in range(runs))
    print(f"| serve, first start, to the first answer | {cold:.2f} | | |")
    print(f"| serve, warm start, to the first answer | {warm:.2f} | | |")
    scratch.cleanup()


def in_turn(ours: list[str], theirs: list[str], runs: int) -> tuple[float, float]:
    """Return the medians of two commands run in turn, after one run of each that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for command, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if turn:
                kept.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def first_answer(cache: str) -> float:
    """Return the seconds from starting `serve` to its first answered query."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    query = urllib.parse.urlencode({"query": "ASK { ?s ?p ?o }"})
    start = time.perf_counter()
    with subprocess.Popen(
        [*OURS, "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"XDG_CACHE_HOME": cache},
    ) as server:
        try:
            while time.perf_counter() - start < PATIENCE:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/sparql?{query}").read()
                    return time.perf_counter() - start
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.01)
        finally:
            server.terminate()
    raise SystemExit("the server did not answer within a minute")


def _versions() -> str:
    names = ("policygraph", "pyoxigraph", "rdflib", "pyshacl")
    return f"Python {platform.python_version()}, " + ", ".join(f"{n} {version(n)}" for n in names)


if __name__ == "__main__":
    main()
