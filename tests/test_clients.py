"""What people ask an endpoint with, against a real server: each has habits of its own.

Comunica is installed from `clients/`, once for each lock file, into a folder of the user's cache.
Where a client is missing its tests are skipped, unless POLICYGRAPH_REQUIRE_CLIENTS is set.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pandas as pd
import pytest
from rdflib import OWL, RDF, Graph, Literal, Namespace, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore, SPARQLUpdateStore
from SPARQLWrapper import (
    CSV,
    GET,
    JSON,
    JSONLD,
    N3,
    POST,
    POSTDIRECTLY,
    RDFXML,
    TSV,
    TURTLE,
    URLENCODED,
    XML,
    SPARQLWrapper,
)
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

ROOT = Path(__file__).parents[1]
CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "policygraph-tests"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OTHER = "http://other.example/policygraph/"

PG = Namespace("https://w3id.org/policygraph/ns#")
TRUMP = URIRef("https://w3id.org/policygraph/id/actor/donald-trump")
ROWS = """PREFIX pg: <https://w3id.org/policygraph/ns#>
SELECT ?actor { ?actor a pg:Actor } ORDER BY ?actor"""
GRAPH = """PREFIX pg: <https://w3id.org/policygraph/ns#>
CONSTRUCT { ?actor a pg:Actor } WHERE { ?actor a pg:Actor }"""
SAME = """PREFIX owl: <http://www.w3.org/2002/07/owl#>
SELECT DISTINCT ?mine ?theirs {
  ?mine owl:sameAs ?link .
  ?theirs owl:sameAs ?link .
  FILTER(STRSTARTS(STR(?mine), "https://w3id.org/") && STRSTARTS(STR(?theirs), "http://other."))
} ORDER BY ?mine"""


def missing(what):
    """Skip a test for want of a client, or fail it where all are required."""
    if os.environ.get("POLICYGRAPH_REQUIRE_CLIENTS"):
        pytest.fail(f"POLICYGRAPH_REQUIRE_CLIENTS is set, and there is {what}")
    pytest.skip(f"there is {what}")


@pytest.fixture(scope="module")
def endpoint(address):
    """Return the endpoint of a server on the real project."""
    return f"{address}/sparql"


@pytest.fixture(scope="module")
def other_endpoint(start_server):
    """Return the endpoint of another server, whose own IRIs are others."""
    process, address = start_server("--project", ROOT, "--base", OTHER)
    assert process.stdout.readline().startswith("serving ")
    return f"{address}/sparql"


@pytest.fixture(scope="module")
def actors(project, store):
    """Return the IRIs of all actors, sorted."""
    return [row["actor"] for row in store.query(ROWS).rows()]


# curl


@pytest.fixture
def curl(endpoint):
    """Return a function that runs curl on the endpoint: the status, and the body."""
    program = shutil.which("curl") or missing("no curl")

    def run(*arguments):
        command = [program, "--silent", "--write-out", "\n%{http_code}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    return run


CURLED = {
    "get": ("--get", "--data-urlencode", f"query={ROWS}"),
    "form": ("--data-urlencode", f"query={ROWS}"),
    "body": ("--header", "Content-Type: application/sparql-query", "--data-binary", ROWS),
    "query": (
        *("--request", "QUERY", "--header", "Content-Type: application/sparql-query"),
        *("--data-binary", ROWS),
    ),
}


@pytest.mark.parametrize("arguments", CURLED.values(), ids=CURLED)
def test_curl_asks_in_every_way_of_the_protocol(curl, endpoint, actors, arguments):
    status, body = curl(*arguments, "--header", "Accept: text/csv", endpoint)
    assert (status, body.split()) == (200, ["actor", *actors])


def test_curl_without_an_accept_header_gets_json(curl, endpoint, actors):
    _, body = curl("--data-urlencode", f"query={ROWS}", endpoint)
    assert len(json.loads(body)["results"]["bindings"]) == len(actors)


def test_curl_is_told_what_is_wrong(curl, endpoint):
    status, body = curl("--data-urlencode", "query=SELECT *", endpoint)
    assert (status, json.loads(body)["title"]) == (400, "The query cannot be run")
    status, body = curl("--data-urlencode", "update=CLEAR ALL", endpoint)
    assert (status, json.loads(body)["status"]) == (403, 403)


# SPARQLWrapper


def wrapped(endpoint, query, format_, method=GET, how=URLENCODED):
    wrapper = SPARQLWrapper(endpoint)
    wrapper.setQuery(query)
    wrapper.setReturnFormat(format_)
    wrapper.setMethod(method)
    wrapper.setRequestMethod(how)
    return wrapper


OLD_RDFLIB = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
"""SPARQLWrapper makes graphs of a class that rdflib would rather see gone."""
WAYS = [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)]
TABLES = {
    JSON: lambda found: [row["actor"]["value"] for row in found["results"]["bindings"]],
    XML: lambda found: [uri.firstChild.data for uri in found.getElementsByTagName("uri")],
    CSV: lambda found: found.decode().split()[1:],
    TSV: lambda found: [line.strip("<>") for line in found.decode().split()[1:]],
}
GRAPHS = {
    TURTLE: lambda found: Graph().parse(data=found, format="turtle"),
    N3: lambda found: Graph().parse(data=found, format="n3"),
    RDFXML: lambda found: found,
    XML: lambda found: found,
    JSONLD: lambda found: found,
}
"""What SPARQLWrapper makes of each of its formats, and how that is read."""


@pytest.mark.parametrize(("method", "how"), WAYS)
@pytest.mark.parametrize("format_", TABLES)
def test_sparqlwrapper_gets_a_table(endpoint, actors, method, how, format_):
    found = wrapped(endpoint, ROWS, format_, method, how).queryAndConvert()
    assert TABLES[format_](found) == actors


@OLD_RDFLIB
@pytest.mark.parametrize(("method", "how"), WAYS)
@pytest.mark.parametrize("format_", GRAPHS)
def test_sparqlwrapper_gets_a_graph(endpoint, actors, method, how, format_):
    found = GRAPHS[format_](wrapped(endpoint, GRAPH, format_, method, how).queryAndConvert())
    assert sorted(map(str, found.subjects(RDF.type, PG.Actor))) == actors


@OLD_RDFLIB
def test_sparqlwrapper_gets_a_yes_and_a_description(endpoint):
    assert wrapped(endpoint, "ASK { ?s ?p ?o }", JSON).queryAndConvert()["boolean"] is True
    found = wrapped(endpoint, f"DESCRIBE <{TRUMP}>", RDFXML).queryAndConvert()
    assert (TRUMP, RDF.type, PG.Actor) in found


@pytest.mark.parametrize("how", [URLENCODED, POSTDIRECTLY])
def test_sparqlwrapper_cannot_change_the_graph(endpoint, how):
    wrapper = wrapped(endpoint, "INSERT DATA { <u:a> <u:b> 1 }", JSON, POST, how)
    with pytest.raises(HTTPError) as refused:
        wrapper.query()
    refused.value.close()
    assert refused.value.code == 403


def test_sparqlwrapper_is_told_what_is_wrong(endpoint):
    with pytest.raises(QueryBadFormed, match="line 2"):
        wrapped(endpoint, "SELECT *\n{ ?s ?p }", JSON).query()


# rdflib


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("format_", ["xml", "json", "csv", "tsv"])
def test_rdflib_reads_the_endpoint_as_a_graph(endpoint, actors, method, format_):
    graph = Graph(SPARQLStore(endpoint, method=method, returnFormat=format_))
    assert sorted(map(str, graph.subjects(RDF.type, PG.Actor))) == actors


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("format_", ["xml", "json"])  # it asks for yes and no in its one format
def test_rdflib_knows_what_is_in_the_graph(endpoint, method, format_):
    graph = Graph(SPARQLStore(endpoint, method=method, returnFormat=format_))
    assert (TRUMP, RDF.type, PG.Actor) in graph
    assert (TRUMP, RDF.type, PG.Policy) not in graph


def test_rdflib_asks_with_its_own_prefixes_and_bindings(endpoint, actors):
    graph = Graph(SPARQLStore(endpoint))
    graph.bind("p", PG)
    assert [str(row.a) for row in graph.query("SELECT ?a { ?a a p:Actor } ORDER BY ?a")] == actors
    bound = graph.query("SELECT ?a { ?a a ?type }", initBindings={"type": PG.Actor})
    assert len(bound) == len(actors)
    assert bool(graph.query("ASK { ?s a p:Actor }"))
    assert len(graph.query("CONSTRUCT WHERE { ?s a p:Actor }").graph) == len(actors)


def test_rdflib_sees_one_graph_of_many(endpoint, store):
    (name,) = [name for name in store.graph_names() if name.endswith("graph/vocabulary")]
    graph = Graph(SPARQLStore(endpoint), identifier=URIRef(name))
    assert (PG.Actor, RDF.type, OWL.Class) in graph
    assert (TRUMP, RDF.type, PG.Actor) not in graph


def test_rdflib_cannot_change_the_graph(endpoint):
    store = SPARQLUpdateStore(endpoint, endpoint, autocommit=False)
    graph = Graph(store, identifier=TRUMP)  # it has no words for a graph without a name
    graph.add((TRUMP, RDF.value, Literal(1)))
    with pytest.raises(HTTPError) as refused:
        store.commit()
    refused.value.close()
    assert refused.value.code == 403


# pandas


def test_pandas_reads_the_address_of_a_table(endpoint, actors):
    table = pd.read_csv(f"{endpoint}?{urlencode({'query': ROWS, 'format': 'csv'})}")
    assert list(table["actor"]) == actors


def test_pandas_reads_text_numbers_and_what_is_missing(endpoint):
    query = 'SELECT * { VALUES (?text ?number) { ("a, \\"b\\"\\nc" 1) ("ü" UNDEF) } }'
    table = pd.read_csv(f"{endpoint}?{urlencode({'query': query, 'format': 'csv'})}")
    assert list(table["text"]) == ['a, "b"\nc', "ü"]
    assert list(table["number"].fillna(0)) == [1, 0]


# Comunica


@pytest.fixture(scope="session")
def comunica():
    """Return a function that asks by Comunica: the text of the answer."""
    node = shutil.which("node") or missing("no node")
    npm = shutil.which("npm") or missing("no npm")
    lock = (CLIENTS / "package-lock.json").read_bytes()
    folder = CACHE / f"clients-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        install(npm, folder)
    script = folder / "ask.mjs"
    shutil.copy(CLIENTS / script.name, script)

    def ask(query, *endpoints, format_="application/sparql-results+json"):
        sources = [{"type": "sparql", "value": endpoint} for endpoint in endpoints]
        task = json.dumps({"query": query, "sources": sources, "format": format_})
        done = subprocess.run(
            [node, script, task], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ask


def install(npm, folder):
    """Install what the lock file names, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        new = Path(place) / "clients"
        shutil.copytree(CLIENTS, new, ignore=shutil.ignore_patterns("node_modules"))
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
            cwd=new,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            missing(f"no Comunica: npm ci failed: {done.stderr[-500:]}")
        if not folder.is_dir():
            new.rename(folder)


def test_comunica_gets_a_table(comunica, endpoint, actors):
    found = json.loads(comunica(ROWS, endpoint))
    assert [row["actor"]["value"] for row in found["results"]["bindings"]] == actors


def test_comunica_gets_a_graph(comunica, endpoint, actors):
    found = Graph().parse(data=comunica(GRAPH, endpoint, format_="text/turtle"), format="turtle")
    assert sorted(map(str, found.subjects(RDF.type, PG.Actor))) == actors


def pairs(table):
    """Return the pairs of two tables' names for the same thing, without their bases."""
    rows = [[row[name]["value"] for name in ("mine", "theirs")] for row in table]
    return [(mine.partition("/id/")[2], theirs.partition("/id/")[2]) for mine, theirs in rows]


def test_comunica_joins_two_servers(comunica, endpoint, other_endpoint):
    found = json.loads(comunica(SAME, endpoint, other_endpoint))
    same = pairs(found["results"]["bindings"])
    assert len(same) > 3
    assert all(mine == theirs for mine, theirs in same)


def test_a_server_of_ours_joins_another(start_server, other_endpoint):
    process, address = start_server("--project", ROOT, serving=["--allow-service", other_endpoint])
    assert process.stdout.readline().startswith("serving ")
    line = "?theirs owl:sameAs ?link ."
    query = SAME.replace(line, f"SERVICE <{other_endpoint}> {{ {line} }}")
    found = wrapped(f"{address}/sparql", query, JSON, POST).queryAndConvert()
    same = pairs(found["results"]["bindings"])
    assert len(same) > 3
    assert all(mine == theirs for mine, theirs in same)
    with pytest.raises(QueryBadFormed, match="which this server does not"):
        wrapped(f"{address}/sparql", "SELECT * { SERVICE <http://x.org/> {} }", JSON).query()


# A page of another origin


@pytest.fixture
def browser_context_args():
    """Let the page run scripts, which is what it is for."""
    return {"java_script_enabled": True}


@pytest.fixture
def elsewhere():
    """Return the address of an empty page that is not ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


FETCH = """async ([url, options]) => {
    const response = await fetch(url, options);
    return [response.status, response.headers.get("ETag"), await response.text()];
}"""
ADDRESSED = ("?" + urlencode({"query": ROWS}), {"headers": {"Accept": "text/csv"}})
SENT = {"headers": {"Accept": "text/csv", "Content-Type": "application/sparql-query"}, "body": ROWS}
FETCHED = {
    "GET": ADDRESSED,
    "POST": ("", SENT | {"method": "POST"}),
    "QUERY": ("", SENT | {"method": "QUERY"}),
}
"""What is fetched, and how; all but the first need the server's leave beforehand (CORS)."""


@pytest.mark.browser
@pytest.mark.parametrize("fetched", FETCHED.values(), ids=FETCHED)
def test_a_page_of_another_origin_asks(page, elsewhere, endpoint, actors, fetched):
    rest, options = fetched
    page.goto(elsewhere)
    status, etag, body = page.evaluate(FETCH, [endpoint + rest, options])
    assert (status, body.split()) == (200, ["actor", *actors])
    assert etag or fetched is not ADDRESSED


@pytest.mark.browser
def test_a_page_of_another_origin_is_told_what_is_wrong(page, elsewhere, endpoint):
    page.goto(elsewhere)
    status, _, body = page.evaluate(FETCH, [f"{endpoint}?query=SELECT", {}])
    assert (status, json.loads(body)["title"]) == (400, "The query cannot be run")
