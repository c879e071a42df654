"""Nothing reaches out: what could make a server or a command call somebody, and who must not hear.

Each thing is tried on a real process. A listener takes every connection, and there must be none.
"""

import contextlib
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pyoxigraph
import pytest

from policygraph import Project

ANYTHING = "?s ?p ?o"
PREFIXES = ("u", "", "SERVICEu", "service")


class Listener:
    """Takes every connection on a port, and keeps what it hears of each."""

    def __init__(self):
        self.heard = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    connection.settimeout(5)
                    self.heard.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def listening():
    """Return the listener of the module."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def listener(listening):
    """Return a listener that must hear nothing as long as the test runs."""
    listening.heard.clear()
    yield listening
    assert listening.heard == []


def test_the_listener_would_hear(listening):
    """The guard, tried: an engine without our fences calls, and so does a plain client."""
    listening.heard.clear()
    query = f"SELECT * {{ SERVICE SILENT <{listening.address}engine> {{ {ANYTHING} }} }}"
    list(pyoxigraph.Store().query(query))
    httpx.get(f"{listening.address}client")
    assert [line.split()[1] for line in listening.heard] == [b"/engine?"[:7], b"/client"]


# A project whose files name other documents.


def tempt(project, address):
    """Write into a project's files all that could make a reader fetch another document."""
    owl = f"<{address}A> a owl:Ontology ; owl:imports <{address}B> ."
    prefix = "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
    for path in (project.data / "dataset.ttl", project.ontology / "schemes.ttl", project.shapes):
        text = path.read_text()
        path.write_text(prefix + text + "\n" + owl.replace("/A>", f"/{path.stem}>") + "\n")
    with (project.data / "dataset.ttl").open("a") as file:
        file.write(
            f"<dataset> owl:imports <{address}data> ;\n"
            f"  <http://www.w3.org/ns/shacl#shapesGraph> <{address}shapes> ;\n"
            f"  <http://www.w3.org/2000/01/rdf-schema#seeAlso> <{address}also> .\n"
        )
    with project.shapes.open("a") as file:
        file.write(f"<shapes> owl:imports <{address}shapes> .\n")
    (project.data / "entities.rdf").write_text(entities(address))


def entities(address):
    """Return RDF/XML whose entities and document type are elsewhere."""
    return f"""<?xml version="1.0"?>
<!DOCTYPE rdf:RDF SYSTEM "{address}type.dtd" [
  <!ENTITY remote SYSTEM "{address}entity">
  <!ENTITY local SYSTEM "file:///etc/passwd">
  <!ENTITY % more SYSTEM "{address}more.dtd">
  %more;
]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">
  <rdf:Description rdf:about="http://e.org/a"><e:b>&remote;&local;</e:b></rdf:Description>
</rdf:RDF>
"""


@pytest.fixture(scope="module")
def tempted(tmp_path_factory, project, listening):
    """Return a copy of the real project that names the listener wherever it can."""
    root = tmp_path_factory.mktemp("tempted")
    for name in ("ontology", "data", "queries"):
        shutil.copytree(project.root / name, root / name)
    copy = Project(root)
    tempt(copy, listening.address)
    return copy


@pytest.fixture(scope="module")
def endpoint(start_server, tempted, listening):
    """Return the endpoint of a real server on that project; its start reached nobody."""
    listening.heard.clear()
    process, address = start_server("--project", tempted.root)
    assert process.stdout.readline().startswith("serving ")
    assert listening.heard == []
    return f"{address}/sparql"


def test_what_is_served_names_the_listener(endpoint, listener):
    query = f"ASK {{ ?s <http://www.w3.org/2002/07/owl#imports> <{listener.address}data> }}"
    assert httpx.get(endpoint, params={"query": query}).json()["boolean"] is True


def test_no_check_imports_what_a_file_names(run, tempted, listener):
    assert run("--project", tempted.root, "check").returncode == 0


def test_no_release_fetches_what_a_file_names(run, tempted, listener, tmp_path):
    assert run("--project", tempted.root, "release", tmp_path / "release").returncode == 0


FILES = {
    "data.ttl": "<a> <http://www.w3.org/2002/07/owl#imports> <U> ; "
    "<http://www.w3.org/ns/shacl#shapesGraph> <U> .",
    "data.rdf": None,
    "data.jsonld": '{"@context": "U", "@id": "http://e.org/a", "http://e.org/b": "c"}',
    "import.jsonld": '{"@context": {"@import": "U"}, "@id": "http://e.org/a"}',
    "list.jsonld": '{"@context": [{}, "U"], "@id": "http://e.org/a"}',
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_that_is_validated_reaches_out(run, listener, tmp_path, name):
    text = FILES[name] or entities(listener.address)
    path = tmp_path / name
    path.write_text(text.replace("<U>", f"<{listener.address}>").replace("U", listener.address))
    done = run("validate", path, "--output", tmp_path / "report.ttl")
    assert done.returncode in {0, 2}, done.stderr
    assert "root:" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["shapes.ttl", "shapes.rdf"])
def test_no_shapes_reach_out(run, listener, tmp_path, name):
    shapes, data = tmp_path / name, tmp_path / "data.ttl"
    data.write_text("<a> <b> <c> .")
    shapes.write_text(
        entities(listener.address)
        if name.endswith("rdf")
        else f"<s> <http://www.w3.org/2002/07/owl#imports> <{listener.address}> ; "
        f"a <http://www.w3.org/2002/07/owl#Ontology> ."
    )
    done = run("validate", data, "--shapes", shapes)
    assert done.returncode in {0, 2}, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("named", ['"U"', '[{}, "U"]', '{"@import": "U"}'])
def test_no_server_starts_on_a_context_that_is_elsewhere(start_server, copied, listener, named):
    text = f'{{"@context": {named.replace("U", listener.address)}}}'
    copied.context.write_text(text)
    process, _ = start_server("--project", copied.root)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "context" in said


# What a stranger sends.

CALLS = {
    "plain": "SELECT * { SERVICE <U> { A } }",
    "lower case": "SELECT * { service <U> { A } }",
    "silent": "SELECT * { SERVICE SILENT <U> { A } }",
    "glued to silent": "SELECT * { SERVICESILENT<U>{A} }",
    "a variable": "SELECT * { VALUES ?u { <U> } SERVICE ?u { A } }",
    "a variable, silent": "SELECT * { VALUES ?u { <U> } SERVICE SILENT ?u { A } }",
    "a name": "SELECT * { SERVICE u:x { A } }",
    "glued to a name": "SELECT * { SERVICEu:x { A } }",
    "glued to an empty prefix": "SELECT * { SERVICE:x { A } }",
    "after a number": "SELECT * { ?s ?p 1SERVICE<U>{A} }",
    "after true": "SELECT * { ?s ?p trueSERVICE<U>{A} }",
    "after a string": "SELECT * { ?s ?p ''SERVICE<U>{A} }",
    "after a language": 'SELECT * { ?s ?p ""@en SERVICE<U>{A} }',
    "after a name with dots": "SELECT * { ?s ?p u:1.0.SERVICE<U>{A} }",
    "after a comparison": "SELECT * { A FILTER(?o<?b)SERVICE#c>\n<U> {A} }",
    "as a comment in an IRI": 'SELECT * { A FILTER(?o<?b#c>"""\n||true) SERVICE <U> {A} #"""\n }',
    "as a string in an IRI": "SELECT * { A FILTER(?o<2||?p='>#'||true) SERVICE <U> {A} }",
    "after another line end": "SELECT * { # x\rSERVICE <U> {A} }",
    "within a filter": "SELECT * { A FILTER EXISTS { SERVICE <U> {A} } }",
    "within an expression": "SELECT (EXISTS { SERVICE <U> {A} } AS ?x) { A }",
    "within a sub-query": "SELECT * { { SELECT * { SERVICE <U> {A} } } }",
    "within minus": "SELECT * { A MINUS { SERVICE <U> {A} } }",
    "in an ask": "ASK { SERVICE <U> {A} }",
    "in a construct": "CONSTRUCT { A } WHERE { SERVICE <U> {A} }",
    "in a describe": "DESCRIBE ?s { SERVICE <U> {A} }",
    "in an order": "SELECT * { A } ORDER BY EXISTS { SERVICE <U> {A} }",
    "in having": "SELECT ?s { A } GROUP BY ?s HAVING (EXISTS { SERVICE <U> {A} })",
    "after spaces of Unicode": "SELECT * { \u00a0SERVICE\u2003<U> {A} }",
    "with an escape": r"SELECT * { \u0053ERVICE <U> {A} }",
    "with an escaped address": r"SELECT * { SERVICE <\u0068ttp://127.0.0.1:9/> {A} }",
}
ELSEWHERE = {
    "from": "SELECT * FROM <U> { A }",
    "from, a file of RDF": "SELECT * FROM <Udata.ttl> { A }",
    "from named": "SELECT * FROM NAMED <U> { GRAPH ?g { A } }",
    "graph": "SELECT * { GRAPH <U> { A } }",
    "describe": "DESCRIBE <U>",
    "construct": "CONSTRUCT { <U> <U> <U> } WHERE { }",
    "a function": "SELECT (<U>(1) AS ?x) { }",
    "imports": "CONSTRUCT { <U> <http://www.w3.org/2002/07/owl#imports> <U> } WHERE { }",
}
UPDATES = {
    "load": "LOAD <U>",
    "load silent": "LOAD SILENT <U>",
    "load into": "LOAD <U> INTO GRAPH <U>",
    "glued": "LOAD<U>INTO GRAPH<U>",
    "service": "INSERT { A } WHERE { SERVICE <U> { A } }",
    "using": "INSERT { A } USING <U> WHERE { A }",
}


def written(text, address):
    prologue = "".join(f"PREFIX {name}: <{address}>\n" for name in PREFIXES)
    return prologue + text.replace("<U", f"<{address}").replace(" A ", f" {ANYTHING} ").replace(
        "{A}", f"{{{ANYTHING}}}"
    )


def ways(endpoint, query, *fields):
    """Yield the answer to a query in each way that it can be sent."""
    parameters = [("query", query), *fields]
    yield httpx.get(endpoint, params=parameters)
    yield httpx.post(endpoint, data=dict(parameters))
    sent = {"Content-Type": "application/sparql-query"}
    for method in ("POST", "QUERY"):
        yield httpx.request(method, endpoint, params=fields, content=query, headers=sent)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_query_calls_another_server(endpoint, listener, call):
    for response in ways(endpoint, written(call, listener.address)):
        assert response.status_code == 400, response.text


@pytest.mark.parametrize("query", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("format_", ["json", "ttl", "jsonld", "html"])
def test_no_name_in_a_query_is_fetched(endpoint, listener, query, format_):
    query = written(query, listener.address)
    for response in ways(endpoint, query, ("format", format_)):
        assert response.status_code in {200, 400, 406}, response.text


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
def test_no_graph_of_the_protocol_is_fetched(endpoint, listener, name):
    query = f"SELECT * {{ {{ {ANYTHING} }} UNION {{ GRAPH ?g {{ {ANYTHING} }} }} }}"
    for response in ways(endpoint, query, (name, listener.address)):
        assert response.json()["results"]["bindings"] == []


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_no_update_loads_anything(endpoint, listener, update):
    update = written(update, listener.address)
    sent = {"Content-Type": "application/sparql-update"}
    assert httpx.get(endpoint, params={"update": update}).status_code == 403
    assert httpx.post(endpoint, data={"update": update}).status_code == 403
    assert httpx.post(endpoint, content=update, headers=sent).status_code == 403
    for response in ways(endpoint, update):
        assert response.status_code in {400, 403}
    for name in ("using-graph-uri", "using-named-graph-uri"):
        response = httpx.post(endpoint, params={name: listener.address}, data={"update": update})
        assert response.status_code in {400, 403}


@pytest.mark.parametrize(
    "header", ["Referer", "Origin", "Link", "Host", "X-Forwarded-Host", "From"]
)
def test_no_header_is_followed(endpoint, listener, header):
    context = f'<{listener.address}>; rel="http://www.w3.org/ns/json-ld#context"'
    value = {"Link": context, "Host": listener.address[7:-1]}.get(header, listener.address)
    profile = f'application/ld+json;profile="{listener.address}"'
    query = f"DESCRIBE <{listener.address}>"
    for accept in (profile, "text/html"):
        httpx.get(endpoint, params={"query": query}, headers={header: value, "Accept": accept})


# A server that may call one endpoint, and no other.


@pytest.fixture(scope="module")
def sending_on(listening):
    """Return the address of an endpoint that sends its clients on to the listener."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(307)
            self.send_header("Location", listening.address)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/sparql"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def open_endpoint(start_server, project, sending_on):
    """Return the endpoint of a server that may ask that one."""
    process, address = start_server(
        "--project", project.root, serving=["--allow-service", sending_on]
    )
    assert process.stdout.readline().startswith("serving ")
    return f"{address}/sparql"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_other_endpoint_is_called_than_is_allowed(open_endpoint, listener, call):
    query = written(call, listener.address)
    assert httpx.post(open_endpoint, data={"query": query}).status_code == 400


def test_nobody_is_called_whom_an_allowed_endpoint_names(open_endpoint, sending_on, listener):
    query = f"SELECT * {{ SERVICE <{sending_on}> {{ {ANYTHING} }} }}"
    response = httpx.post(open_endpoint, data={"query": query})
    assert response.status_code == 502
    assert f"sends its clients on to <{listener.address}>" in response.json()["detail"]
    silent = query.replace("SERVICE", "SERVICE SILENT")
    response = httpx.post(open_endpoint, data={"query": silent})
    assert response.json()["results"]["bindings"] == [{}]


def test_a_query_that_was_sent_on_is_not_sent_on_again(open_endpoint, sending_on, listener):
    query = f"SELECT * {{ SERVICE <{sending_on}> {{ {ANYTHING} }} }}"
    sent = {"Policygraph-Federation-Depth": "1"}
    response = httpx.post(open_endpoint, data={"query": query}, headers=sent)
    assert response.status_code == 400
    assert "another server's SERVICE" in response.json()["detail"]
