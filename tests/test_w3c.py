"""The W3C's own SPARQL tests, through the endpoint: what fails here must fail in the engine too.

The suites are not part of this project. They are taken from rdflib's source distribution, which
carries them, by pip into a cache; without them these tests are skipped (in CI: fail). All data is
loaded into one store, each file as a named graph, and each test names its graphs by the protocol's
parameters. The engine is asked the same on a store that holds just what the test wants.
"""

import csv
import io
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlencode

import pyoxigraph as ox
import pytest

from policygraph.errors import SyntaxFault
from policygraph.store import Store, parse_file
from policygraph.web import create_app
from policygraph.web.served import Served
from policygraph.web.settings import Settings
from policygraph.workers import Limits, pool_over

CARRIER = "rdflib==7.6.0"
SUITES = {
    "sparql11": "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/",
    "dawg-data-r2": "http://www.w3.org/2001/sw/DataAccess/tests/data-r2/",
}
NOT_FOR_A_QUERY_ENDPOINT = {
    "add", "basic-update", "clear", "copy", "delete", "delete-data", "delete-insert",
    "delete-where", "drop", "move", "update-silent", "syntax-update-1", "syntax-update-2",
    "http-rdf-update",
}  # fmt: skip
ELSEWHERE = {
    "protocol": "no machine-readable actions; test_protocol.py covers each",
    "service-description": "likewise",
    "service": "needs servers of its own; test_federation.py",
    "syntax-fed": "SERVICE is refused unless it is opened; test_federation.py",
    "entailment": "the endpoint has no entailment regime",
}
READ_TWICE = {
    "dataset/manifest#dawg-dataset-09b",
    "dataset/manifest#dawg-dataset-10b",
    "dataset/manifest#dawg-dataset-11",
    "dataset/manifest#dawg-dataset-12b",
    "graph/manifest#dawg-graph-09",
    "graph/manifest#dawg-graph-10",
    "graph/manifest#dawg-graph-10b",
    "graph/manifest#dawg-graph-11",
}
"""One file as default and as named graph, with other blank nodes in each: as if it were read twice.

A server holds a graph once, so that both parameters name the same blank nodes (RDF 1.1 Datasets).
"""
FEWEST = {"sparql11": 250, "dawg-data-r2": 400}
"""Tests that are run at least: a suite that is not found must not pass."""
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RESULTS = {"srx": "xml", "srj": "json", "tsv": "tsv", "csv": "csv"}
GRAPHS = {".ttl": ox.RdfFormat.TURTLE, ".rdf": ox.RdfFormat.RDF_XML, ".nt": ox.RdfFormat.N_TRIPLES}
NOWHERE = "http://example.org/a-graph-that-is-not-there"


@dataclass(frozen=True)
class Case:
    """One test: its name and kind, query, the graphs it wants, and the file of its result."""

    name: str
    kind: str
    query: str
    data: tuple[str, ...]
    graph_data: tuple[str, ...]
    result: str


@pytest.fixture(scope="module")
def suites(tmp_path_factory):
    """Return the folder of the suites."""
    named = os.environ.get("XDG_CACHE_HOME")
    cache_ = Path(named) if named else Path("~/.cache").expanduser()
    folder = cache_ / "policygraph-tests" / CARRIER.replace("==", "-")
    if not (folder / "complete").exists():
        _download(tmp_path_factory.mktemp("carrier"), folder)
    return folder / "w3c"


def _download(scratch, folder):
    pip = [getattr(sys, "_base_executable", sys.executable), "-m", "pip", "download", "--quiet"]
    command = [*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(scratch), CARRIER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        if os.environ.get("POLICYGRAPH_REQUIRE_CLIENTS"):
            pytest.fail(done.stderr)
        pytest.skip(f"the W3C suites could not be had: {done.stderr[-300:]}")
    (path,) = scratch.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        for member in archive:
            _, _, inside = member.name.partition("/test/data/suites/w3c/")
            if inside.split("/")[0] in SUITES and member.isfile():
                target = folder / "w3c" / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())
    (folder / "complete").touch()


@pytest.fixture(scope="module", params=SUITES)
def suite(request, suites, snapshot):
    """Return a suite's folder, base and cases, and a client of an endpoint with all its data."""
    folder, base = suites / request.param, SUITES[request.param]
    store = Store()
    for path in sorted(folder.rglob("*")):
        if path.suffix in GRAPHS and path.name != "manifest.ttl":
            _load(store, path, _iri(path, folder, base))
    with pool_over(store, Limits(seconds=20, running=2)) as pool:
        served = Served(snapshot, store, (), pool, Settings(limits=pool.limits))
        yield request.param, folder, base, create_app(served).test_client()


def _load(store, path, iri):
    """Load a file as a graph; some of the suites' files are wrong on purpose."""
    with suppress(SyntaxFault):
        store.load(parse_file(path, iri, graph=iri))


def _iri(path, folder, base):
    return base + str(path.relative_to(folder))


def _path(iri, folder, base):
    return folder / unquote(iri.removeprefix(base))


def test_nothing_fails_that_does_not_fail_in_the_engine(suite):
    name, folder, base, client = suite
    run, wrong = 0, {}
    for case in _cases(folder, base):
        run += 1
        ours = _verdict(case, _ask_endpoint(client, case), folder, base)
        if ours and not _verdict(case, _ask_engine(case, folder, base), folder, base):
            wrong[case.name] = ours
    assert set(wrong) <= {SUITES["dawg-data-r2"] + name for name in READ_TWICE}, wrong
    assert run >= FEWEST[name]


def _cases(folder, base):
    for path in sorted(folder.glob("*/manifest.ttl")):
        if path.parent.name in NOT_FOR_A_QUERY_ENDPOINT | set(ELSEWHERE):
            continue
        manifest = ox.Store()
        manifest.load(path=str(path), base_iri=_iri(path, folder, base))
        cases = _in_manifest(manifest)
        yield from (case for case in cases if _path(case.query, folder, base).exists())


def _in_manifest(manifest):
    query = f"""SELECT ?test ?kind ?query ?result {{ ?test a ?kind ; <{MF}action> ?action
        OPTIONAL {{ ?action <{QT}query> ?named }} OPTIONAL {{ ?test <{MF}result> ?result }}
        BIND (COALESCE(?named, ?action) AS ?query)
        FILTER (STRSTARTS(STR(?kind), '{MF}') && !CONTAINS(STR(?kind), 'Update')) }}"""
    for row in manifest.query(query):
        graphs = {
            name: tuple(
                found["graph"].value
                for found in manifest.query(
                    f"SELECT ?graph {{ <{row['test'].value}> <{MF}action>/<{QT}{name}> ?graph }}"
                )
            )
            for name in ("data", "graphData")
        }
        result = row["result"].value if row["result"] else ""
        kind = row["kind"].value.removeprefix(MF)
        yield Case(
            row["test"].value, kind, row["query"].value, graphs["data"], graphs["graphData"], result
        )


@cache
def _text(path, iri):
    """Return a query with the base it has where it lies."""
    return f"BASE <{iri}> " + path.read_bytes().decode("utf-8", "surrogateescape")


def _is_syntax(case):
    return "Syntax" in case.kind


def _ask_endpoint(client, case):
    """Ask over HTTP: the status, and the body in the format of the expected result."""

    def ask(folder, base):
        text = _text(_path(case.query, folder, base), case.query)
        ending = case.result.rpartition(".")[2]
        graphs = {"default-graph-uri": case.data, "named-graph-uri": case.graph_data}
        if "FROM" in text.upper() and not case.data:
            graphs = {}
        elif not case.data:
            graphs["default-graph-uri"] = [NOWHERE]
        accept = "application/sparql-results+json, text/tab-separated-values;q=0, text/turtle"
        form = {"query": text.encode("utf-8", "surrogateescape"), **graphs} | _format(case, ending)
        response = client.post(
            "/sparql",
            data=urlencode(form, doseq=True),
            headers={"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"},
        )
        return response.status_code, response.data, response.mimetype

    return ask


def _format(case, ending):
    return {"format": RESULTS[ending]} if ending in RESULTS else {}


def _ask_engine(case, folder, base):
    """Ask the engine itself, on a store that holds what the test wants, as one would by hand."""

    def ask(_folder, _base):
        text = _text(_path(case.query, folder, base), case.query)
        store = _wanted(case, text, folder, base)
        try:
            return 200, *_written(store.query(text), case)
        except (SyntaxError, ValueError, RuntimeError, OSError, UnicodeError):
            return 400, b"", ""

    return ask


def _wanted(case, text, folder, base):
    store = ox.Store()
    for iri in case.data:
        path = _path(iri, folder, base)
        parsed = ox.parse(path=str(path), format=GRAPHS[path.suffix], base_iri=iri)
        store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in parsed)
    named = re.findall(r"FROM\s+(?:NAMED\s+)?<([^>]*)>", text, re.IGNORECASE)
    for iri in (*case.graph_data, *(_resolved(name, case.query) for name in named)):
        path = _path(iri, folder, base)
        if path.suffix in GRAPHS and path.exists():
            store.load(path=str(path), base_iri=iri, to_graph=ox.NamedNode(iri))
    return store


def _written(answer, case):
    if isinstance(answer, ox.QueryTriples):
        return ox.serialize(answer, format=ox.RdfFormat.TURTLE), "text/turtle"
    ending = case.result.rpartition(".")[2]
    format_ = getattr(ox.QueryResultsFormat, RESULTS.get(ending, "json").upper())
    return answer.serialize(format=format_), format_.media_type.partition(";")[0]


def _resolved(name, base):
    return name if ":" in name else base.rpartition("/")[0] + "/" + name


def _verdict(case, ask, folder, base):
    """Return what is wrong with an answer, or nothing."""
    status, body, media_type = ask(folder, base)
    if _is_syntax(case):
        is_good = case.kind.startswith("Positive")
        return "" if (status == 200) == is_good else f"status {status}"
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    expected = _path(case.result, folder, base)
    if expected.suffix == ".csv":
        return "" if _csv(body) == _csv(expected.read_bytes()) else body.decode()
    theirs, ours = _canonical(expected, case.result), _canonical_answer(body, media_type, expected)
    return "" if theirs == ours else body.decode()[:500]


def _csv(body):
    """Return the heading and the rows as a multiset, blank nodes without their names."""
    heading, *rows = csv.reader(io.StringIO(body.decode()))
    return heading, Counter(tuple(re.sub("^_:.*", "_:", cell) for cell in row) for row in rows)


def _canonical_answer(body, media_type, expected):
    if media_type == "text/turtle":
        return _labelled(ox.parse(body, format=ox.RdfFormat.TURTLE))
    format_ = ox.QueryResultsFormat.from_media_type(media_type)
    return _of_results(ox.parse_query_results(body, format=format_), is_ordered=_orders(expected))


def _canonical(path, iri):
    """Return the expected result in a form that can be compared, whatever its file."""
    if path.suffix in GRAPHS:
        quads = list(ox.parse(path=str(path), format=GRAPHS[path.suffix], base_iri=iri))
        if not any(quad.object == ox.NamedNode(f"{RS}ResultSet") for quad in quads):
            return _labelled(quads)
        return _of_result_set(quads)
    format_ = ox.QueryResultsFormat.from_extension(path.suffix.lstrip("."))
    return _of_results(ox.parse_query_results(path=str(path), format=format_), is_ordered=False)


def _orders(path):
    return path.suffix in GRAPHS and f"{RS}index" in _expanded(path)


def _expanded(path):
    quads = ox.parse(path=str(path), format=GRAPHS[path.suffix], base_iri="http://x.example/")
    return " ".join(quad.predicate.value for quad in quads)


def _of_results(results, *, is_ordered):
    """Return solutions as a canonical graph, in which equal rows stay apart."""
    if isinstance(results, ox.QueryBoolean):
        return bool(results)
    quads = []
    for index, solution in enumerate(results):
        row = ox.BlankNode()
        quads.append(ox.Quad(row, ox.NamedNode(f"{RS}row"), ox.Literal(index if is_ordered else 0)))
        quads.extend(
            ox.Quad(row, ox.NamedNode(f"{RS}{variable.value}"), solution[variable])
            for variable in results.variables
            if solution[variable] is not None
        )
    return _labelled(quads)


def _of_result_set(quads):
    """Return a result written in the DAWG's result set vocabulary as `_of_results` does."""
    store = ox.Store()
    store.extend(quads)
    for found in store.query(f"SELECT ?is {{ ?set <{RS}boolean> ?is }}"):
        return found["is"].value == "true"
    rows = store.query(f"""SELECT ?row ?index {{ ?set <{RS}solution> ?row
        OPTIONAL {{ ?row <{RS}index> ?index }} }} ORDER BY ?index""")
    made = []
    for index, found in enumerate(rows):
        row = ox.BlankNode()
        place = index if found["index"] else 0
        made.append(ox.Quad(row, ox.NamedNode(f"{RS}row"), ox.Literal(place)))
        for _, _, binding, _ in store.quads_for_pattern(
            found["row"], ox.NamedNode(f"{RS}binding"), None
        ):
            (name,) = store.quads_for_pattern(binding, ox.NamedNode(f"{RS}variable"), None)
            (value,) = store.quads_for_pattern(binding, ox.NamedNode(f"{RS}value"), None)
            made.append(ox.Quad(row, ox.NamedNode(RS + name.object.value), value.object))
    return _labelled(made)


def _labelled(quads):
    dataset = ox.Dataset(ox.Quad(q.subject, q.predicate, q.object) for q in quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
    return set(map(str, dataset))
