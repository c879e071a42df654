"""SERVICE, where the operator allows it: what is asked, what comes back, and what goes wrong."""

import json
import re
import socket
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policygraph import Store
from policygraph.errors import TooManyFromOne
from policygraph.federation import (
    ServiceFailed,
    ServiceRefused,
    ServiceTimedOut,
    resolved,
)
from policygraph.federation.asking import DEPTH, MOST_AT_ONCE
from policygraph.federation.values import MOST_ROWS
from policygraph.screening import calls_out
from policygraph.web import asking

GENID = "http://here.example/.well-known/genid/"
XSD = "http://www.w3.org/2001/XMLSchema#"
RESULTS = "application/sparql-results+json"


def answer(names, *rows):
    """Return SPARQL results as JSON."""
    table = {"head": {"vars": names}, "results": {"bindings": list(rows)}}
    return json.dumps(table).encode()


def iri(value):
    return {"type": "uri", "value": value}


def literal(value, **more):
    return {"type": "literal", "value": value} | {k.replace("_", ":"): v for k, v in more.items()}


ONE = answer(["x"], {"x": literal("one")})
DEEP = b'{"type":"triple","value":{"object":' * 50_000 + b"1" + b"}}" * 50_000
BODIES = {
    "one": ONE,
    "garbage": b"\x00\xff not json",
    "cut": ONE[:-4],
    "boolean": b'{"head":{},"boolean":true}',
    "no-head": b'{"results":{"bindings":[{"x":{"type":"uri","value":"u:x"}}]}}',
    "deep": b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":' + DEEP + b"}]}}",
    "deep-arrays": b"[" * 500_000,
    "triple": answer(
        ["x"],
        {
            "x": {
                "type": "triple",
                "value": {"subject": iri("u:a"), "predicate": iri("u:a"), "object": iri("u:a")},
            }
        },
    ),
    "disguised-triple": (
        b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"tri\\u0070le",'
        b'"value":{"subject":{},"predicate":{},"object":{}},"type":"uri"}}]}}'
    ),
    "direction": answer(["x"], {"x": literal("x", xml_lang="en", its_dir="ltr")}),
    "bad-iri": answer(["x"], {"x": iri("http://e.org/> } INSERT")}),
    "relative-iri": answer(["x"], {"x": iri("rel")}),
    "bad-percent": answer(["x"], {"x": iri("http://e.org/%zz")}),
    "bad-language": answer(["x"], {"x": literal("x", xml_lang="en us")}),
    "bad-datatype": answer(["x"], {"x": literal("x", datatype="a b>")}),
    "bad-name": answer(["x) { } #"], {}),
    "rows": answer(["x"], *[{"x": literal("y")}] * (MOST_ROWS + 1)),
}
"""What an endpoint of the tests may answer, by the path it is asked at."""
MALFORMED = sorted(set(BODIES) - {"one", "rows", "triple", "direction", "disguised-triple"})


class Endpoint(BaseHTTPRequestHandler):
    """An endpoint whose every path behaves in another way."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.heard.append((self.path, parse_qs(urlsplit(self.path).query), self.headers))
        self.act(urlsplit(self.path).path.strip("/"))

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.heard.append((self.path, form, self.headers))
        self.act(urlsplit(self.path).path.strip("/"))

    def act(self, name):
        if name in BODIES:
            self.answer(BODIES[name])
        else:
            getattr(self, name.replace("-", "_"))()

    def answer(self, body, content_type=RESULTS, length=None, **headers):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length or len(body)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def chosen(self):
        self.answer(self.server.chosen)

    def slow(self):
        self.server.until.wait(20)

    def trickle(self):
        """Send a byte of a header now and then, so that no single wait is long."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.drip()

    def trickle_body(self):
        self.answer(b" ", length=10_000_000)
        self.drip()

    def drip(self):
        while not self.server.until.wait(0.05):
            self.wfile.write(b"a")

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", RESULTS)
        self.end_headers()
        while not self.server.until.is_set():
            self.wfile.write(b" " * 65536)

    def endless_header(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.until.is_set():
            self.wfile.write(b"X-More: " + b"a" * 1000 + b"\r\n")

    def half(self):
        self.answer(ONE, length=len(ONE) + 100)
        self.close_connection = True

    def hang_up(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def elsewhere(self):
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/one")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def page(self):
        self.answer(b"<html>", content_type="text/html")

    def packed(self):
        self.answer(ONE, **{"Content-Encoding": "gzip"})

    def broken(self):
        self.send_error(500)

    def partial(self):
        self.send_response(206)
        self.send_header("Content-Type", RESULTS)
        self.send_header("Content-Length", str(len(ONE)))
        self.end_headers()
        self.wfile.write(ONE)

    def counted(self):
        with self.server.lock:
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        time.sleep(0.1)
        with self.server.lock:
            self.server.at_once -= 1
        self.answer(ONE)

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server of these endpoints: what it heard, and what it keeps in mind."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.heard, self.chosen = [], ONE
        self.until, self.lock = threading.Event(), threading.Lock()
        self.at_once = self.most_at_once = 0

    def handle_error(self, *_):
        """Say nothing of a client that has gone."""

    def address(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


@pytest.fixture(scope="module")
def running():
    """Return the server of the endpoints, for the module."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.until.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(running):
    """Return the server of the endpoints, which has heard nothing yet."""
    running.heard.clear()
    running.chosen = ONE
    return running


def resolve(query, *allowed, seconds=10, most_bytes=16 * 2**20, depth=0):
    return resolved(
        query,
        allowed=allowed,
        seconds=seconds,
        most_bytes=most_bytes,
        genid=GENID,
        depth=depth,
    )


def solutions(query):
    """Return what a query with its SERVICEs resolved answers on an empty graph."""
    return [{name: str(term) for name, term in row.items()} for row in Store().query(query).rows()]


def asked(remote):
    return [form["query"][0] for _, form, _ in remote.heard]


# What is put in place.


def test_solutions_take_the_place_of_the_call(remote):
    one = remote.address("one")
    query = f"SELECT * {{ VALUES ?y {{ 1 }} SERVICE <{one}> {{ ?s ?p ?x }} }}"
    expected = 'SELECT * { VALUES ?y { 1 } FILTER(true) VALUES (?x) { ("one") } }'
    assert resolve(query, one) == expected
    assert solutions(expected) == [{"x": "one", "y": "1"}]
    assert asked(remote) == ["SELECT * WHERE { ?s ?p ?x }"]


def test_a_query_without_service_is_left_alone():
    query = "SELECT * { ?s ?p 'SERVICE <http://x.org/> {}' } # SERVICE"
    assert resolve(query) is query


TERMS = {
    "an IRI": (iri("http://e.org/a?b#c'd"), "<http://e.org/a?b#c'd>"),
    "a string": (literal("a"), '"a"'),
    "a language": (literal("a", xml_lang="pt-br"), '"a"@pt-br'),
    "a datatype": (literal("7", datatype=f"{XSD}integer"), f'"7"^^<{XSD}integer>'),
    "the old spelling": (
        {"type": "typed-literal", "value": "1", "datatype": "u:x"},
        '"1"^^<u:x>',
    ),
    "an injection": (literal('") } } SERVICE <u:x> {} #'), r'"\") } } SERVICE <u:x> {} #"'),
    "lines": (literal("a\r\nb\u2028\\u0041"), r'"a\r\nb\u2028\\u0041"'),
}


@pytest.mark.parametrize(("term", "written"), TERMS.values(), ids=TERMS)
def test_a_term_is_written_so_that_the_engine_reads_the_same(remote, term, written):
    remote.chosen = answer(["x"], {"x": term})
    address = remote.address("chosen")
    query = resolve(f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?x }} }}", address)
    assert query == f"SELECT * {{ FILTER(true) VALUES (?x) {{ ({written}) }} }}"
    assert solutions(query) == [{"x": term["value"]}]


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=100)
def test_any_text_comes_through(running, text):
    running.chosen = answer(["x"], {"x": literal(text)})
    address = running.address("chosen")
    query = resolve(f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?x }} }}", address)
    assert solutions(query) == [{"x": text}]
    assert len(query.splitlines()) == 1


def test_what_is_not_bound_stays_so_and_order_and_number_are_kept(remote):
    b, a = {"b": literal("2")}, {"a": literal("1")}
    remote.chosen = answer(["b", "a"], b, a, a, {})
    address = remote.address("chosen")
    query = resolve(f"SELECT * {{ SERVICE <{address}> {{ ?a ?b ?c }} }}", address)
    assert 'VALUES (?b ?a) { ("2" UNDEF) (UNDEF "1") (UNDEF "1") (UNDEF UNDEF) }' in query
    assert len(solutions(query)) == 4


@pytest.mark.parametrize(
    ("names", "rows", "written", "count"),
    [
        (["x"], [], "VALUES (?x) {  }", 0),
        ([], [], "VALUES () {  }", 0),
        ([], [{}, {}], "VALUES () { () () }", 2),
    ],
)
def test_an_answer_may_have_no_rows_or_no_columns(remote, names, rows, written, count):
    remote.chosen = answer(names, *rows)
    address = remote.address("chosen")
    query = resolve(f"SELECT * {{ SERVICE <{address}> {{ ?x <u:p> 1 }} }}", address)
    assert written in query
    assert len(solutions(query)) == count


def test_blank_nodes_become_iris_of_their_answer(remote):
    blank = {"type": "bnode", "value": "b0"}
    address = remote.address("chosen")
    query = f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}"
    remote.chosen = answer(["s", "o"], {"s": blank, "o": blank})
    (row,) = solutions(resolve(query, address))
    assert row["s"] == row["o"]
    assert re.fullmatch(re.escape(GENID) + "[0-9a-f]{16}-b0", row["s"])
    assert solutions(resolve(query, address)) == [row]
    remote.chosen = answer(["s"], {"s": blank})
    assert solutions(resolve(query, address))[0]["s"] != row["s"]


def test_an_endpoint_binds_only_what_it_is_asked_for(remote):
    remote.chosen = answer(["x", "mine"], {"x": literal("1"), "mine": literal("2")})
    address = remote.address("chosen")
    query = f"SELECT * {{ BIND(3 AS ?mine) SERVICE <{address}> {{ ?s ?p ?x }} }}"
    assert solutions(resolve(query, address)) == [{"x": "1", "mine": "3"}]


def test_lines_and_columns_stay_where_they_were(remote):
    one = remote.address("one")
    query = f"SELECT * {{\n  SERVICE <{one}>\n  {{ ?s\n ?p ?x }} . ?fault\n}}"
    new = resolve(query, one)
    assert [line.find("?fault") for line in new.split("\n")] == [
        line.find("?fault") for line in query.split("\n")
    ]


# How calls are found.

NAMED = {
    "silent": "SERVICE SILENT <U> {G}",
    "lower case": "service silent <U> {G}",
    "glued": "SERVICE<U>{G}",
    "glued to silent": "SERVICE SILENT<U>{G}",
    "a prefixed name": "SERVICE p:one {G}",
    "a name with a dot": "SERVICE p:o.ne {G}",
    "an escaped name": r"SERVICE p:o\-ne {G}",
    "the empty prefix": "SERVICE :one {G}",
    "a prefix that is declared twice": "SERVICE twice:one {G}",
    "comments": "SERVICE # <x> {\n SILENT # {\n <U> # }\n{G}",
    "after a number": "?a ?b 1SERVICE<U>{G}",
    "a brace in a string": 'SERVICE <U> { ?x ?y "}" G}',
    "a brace in an IRI": "SERVICE <U> { ?x ?y <u:a#b> \n G}",
    "a string that looks like an IRI": "FILTER(?o<2||?p='>#'||true) SERVICE <U> {G}",
    "groups": "SERVICE <U> { { G} UNION { G} }",
    "another within": "SERVICE <U> { SERVICE <http://other.example/> { G} }",
    "within a filter": "FILTER EXISTS { SERVICE <U> {G} }",
}


@pytest.mark.parametrize("written", NAMED.values(), ids=NAMED)
def test_a_call_is_found_however_it_is_written(remote, written):
    names = ("one", "o.ne", "o-ne")
    allowed = [remote.address(name) for name in names]
    prologue = (
        f"PREFIX p: <{remote.address('')}>\nPREFIX : <{remote.address('')}>\n"
        f"PREFIX twice: <u:x>\nPREFIX twice: <{remote.address('')}>\n"
    )
    text = written.replace("<U>", f"<{allowed[0]}>").replace("G", "?s ?p ?x")
    Endpoint.o_ne = Endpoint.__dict__.get("o_ne") or (lambda self: self.answer(ONE))
    setattr(Endpoint, "o.ne", Endpoint.o_ne)
    new = resolve(f"{prologue}SELECT * {{ {text} }}", *allowed)
    assert not calls_out(new)
    assert len(asked(remote)) == 1
    assert asked(remote)[0].startswith(f"{prologue}SELECT * WHERE {{")
    solutions(new)


REFUSED = {
    "a variable": ("VALUES ?u { <U> } SERVICE ?u {G}", "only an endpoint that the query names"),
    "another endpoint": ("SERVICE <http://x.org/> {G}", "asks <http://x.org/>"),
    "a longer name": ("SERVICE <U/../one> {G}", "which this server does not"),
    "an escaped name": (r"SERVICE <http://x.org/\u0041> {G}", "which this server does not"),
    "a relative name": ("SERVICE <one> {G}", "which this server does not"),
    "a prefix that is not declared": ("SERVICE q:one {G}", "add a PREFIX line"),
    "glued to silent": ("SERVICESILENT<U>{G}", "set it apart"),
    "glued to a name": ("SERVICEp:one {G}", "set it apart"),
    "glued to what is before": ("?s ?p trueSERVICE<U>{G}", "set it apart"),
    "one that is glued among others": ("SERVICE <U> {G} SERVICEp:one {G}", "set it apart"),
    "no endpoint": ("SERVICE {G}", "not followed by an endpoint"),
    "two endpoints": ("SERVICE <U> <U> {G}", "no IRI"),
    "no group": ("SERVICE <U>", "not followed by an endpoint"),
    "an open group": ("SERVICE <U> { { { G}", "not followed by an endpoint"),
    "nothing after it": ("SERVICE", "not followed by an endpoint"),
    "another reading: a comment": (
        'FILTER(?o<?b#c>"""\n||true) SERVICE <U> {G} #"""\n',
        "may open an IRI",
    ),
    "another reading: a hidden brace": ("SERVICE <U> { ?a ?b <u:#> . G} ", "may open an IRI"),
    "too many": ("SERVICE <U> {G} " * 9, "at most 8"),
}


@pytest.mark.parametrize(("written", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_in_doubt_is_refused_and_nothing_is_asked(remote, written, said):
    one = remote.address("one")
    text = written.replace("<U", f"<{one}").replace("G", "?s ?p ?x")
    with pytest.raises(ServiceRefused, match=re.escape(said)):
        resolve(f"PREFIX p: <{remote.address('')}>\nSELECT * {{ {text} }}", one)
    assert remote.heard == []


@pytest.mark.parametrize("query", ["INSERT { ?s ?p ?x } WHERE { @ }", "@", "BASE <u:x>\n{ @ }"])
def test_only_queries_ask(remote, query):
    one = remote.address("one")
    with pytest.raises(ServiceRefused, match="only for SELECT"):
        resolve(query.replace("@", f"SERVICE <{one}> {{ ?s ?p ?x }}"), one)
    assert remote.heard == []


def test_nothing_is_asked_where_nothing_is_allowed(remote):
    with pytest.raises(ServiceRefused, match="this server calls no other"):
        resolve(f"SELECT * {{ SERVICE SILENT <{remote.address('one')}> {{ ?s ?p ?x }} }}")
    assert remote.heard == []


def test_no_two_servers_ask_each_other_in_a_ring(remote):
    one = remote.address("one")
    query = f"SELECT * {{ SERVICE <{one}> {{ ?s ?p ?x }} }}"
    resolve(query, one)
    ((_, _, headers),) = remote.heard
    assert headers[DEPTH] == "1"
    with pytest.raises(ServiceRefused, match="from another server"):
        resolve(query, one, depth=int(headers[DEPTH]))
    assert len(remote.heard) == 1
    assert resolve("ASK { ?s ?p ?o }", one, depth=1) == "ASK { ?s ?p ?o }"


PIECES = st.sampled_from(
    [
        "?s ?p ?o .",
        '?s ?p "} SERVICE <u:x> {" .',
        "?s ?p '''{ SERVICE ''' .",
        "# SERVICE { }\n",
        "{ ?s ?p 1 } UNION { ?s ?p 2 }",
        "OPTIONAL { ?s ?p ?o . FILTER(?o < 3 && ?o > 1) }",
        "FILTER(?s<3||?p>2)",
        "FILTER(?s != <http://x.org/SERVICE>)",
        "GRAPH <http://x.org/a#service> { ?s ?p ?o }",
        "VALUES ?s { <u:service> }",
        "?service ?p <http://x.org/#(> .",
        "{ SELECT ?s { ?s ?p ?o } }",
        "MINUS { ?s ?p 3 }",
    ]
)
INNER = st.lists(PIECES | st.just("SERVICE <http://other.example/> { ?s ?p ?o }"), max_size=3)
OUTER = st.lists(PIECES | st.tuples(st.booleans(), INNER), min_size=1, max_size=6)


@given(parts=OUTER.filter(lambda parts: sum(isinstance(part, tuple) for part in parts) <= 8))
@settings(max_examples=150)
def test_what_is_replaced_is_exactly_the_calls(running, parts):
    """Made-up queries whose calls are known, since they are put together here."""
    running.chosen = answer(["s"], {"s": literal("1")})
    address = running.address("chosen")
    query, expected, groups = "SELECT * {", "SELECT * {", []
    for part in parts:
        if isinstance(part, str):
            query, expected = f"{query} {part}", f"{expected} {part}"
            continue
        is_silent, inner = part
        group = "{ ?s ?p ?o . " + " ".join(inner) + " }"
        keyword = "SERVICE SILENT" if is_silent else "SERVICE"
        query += f" {keyword} <{address}> {group}"
        expected += ' FILTER(true) VALUES (?s) { ("1") }' + "\n" * group.count("\n")
        groups.append(f"SELECT * WHERE {group}")
    running.heard.clear()
    new = resolve(query + " }", address)
    assert " ".join(new.split()) == " ".join((expected + " }").split())
    assert new.count("\n") == query.count("\n")
    assert set(asked(running)) == set(groups)
    assert not calls_out(new)
    pyoxigraph.Store().query(new)


SURROUNDINGS = {
    "a group": "SELECT * { ?s ?p ?o . @ ?x ?y ?z }",
    "a group of its own": "SELECT * { { @ } UNION { @ } }",
    "optional": "SELECT * { ?s ?p ?o OPTIONAL { @ } }",
    "optional without braces": "SELECT * { ?s ?p ?o OPTIONAL @ }",
    "union on the right": "SELECT * { { ?s ?p ?o } UNION @ }",
    "union on the left": "SELECT * { @ UNION { ?s ?p ?o } }",
    "minus": "SELECT * { ?s ?p ?o MINUS @ }",
    "graph": "SELECT * { GRAPH ?g @ }",
    "exists": "SELECT * { FILTER EXISTS @ }",
    "instead of the group": "SELECT * @",
    "after the query": "ASK { } @",
    "after a sub-query": "SELECT * { { SELECT * { ?a ?b ?c } @ } }",
    "in a template": "CONSTRUCT { @ } WHERE { ?s ?p ?o }",
    "construct where": "CONSTRUCT WHERE { @ }",
    "construct": "CONSTRUCT { ?s ?p ?x } WHERE { @ }",
    "a dot before": "SELECT * { . @ }",
    "a dot after": "SELECT * { @ . ?s ?p ?o }",
    "two dots after": "SELECT * { @ . . ?s ?p ?o }",
    "within a triple": "SELECT * { ?s @ }",
    "an assignment after": "SELECT * { @ BIND(1 AS ?x) }",
    "an assignment before": "SELECT * { BIND(1 AS ?x) @ }",
}


@pytest.mark.parametrize("query", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_a_call_is_understood_where_the_grammar_has_one_and_nowhere_else(remote, query):
    one = remote.address("one")
    before = query.replace("@", f"SERVICE <{one}> {{ ?s ?p ?x }}")
    assert parses(before) == parses(resolve(before, one))


def parses(query):
    try:
        pyoxigraph.Store().query(query)
    except SyntaxError:
        return False
    return True


# How endpoints are asked.


def test_it_asks_plainly(remote):
    one = remote.address("one?key=a+b")
    resolve(f"SELECT * {{ SERVICE <{one}> {{ ?s ?p 'ü&' }} }}", one)
    ((_, form, headers),) = remote.heard
    assert form == {"key": ["a b"], "query": ["SELECT * WHERE { ?s ?p 'ü&' }"]}
    assert headers["Accept"] == RESULTS
    assert headers["Accept-Encoding"] == "identity"
    assert {"Authorization", "Cookie", "Referer"}.isdisjoint(headers)


def test_a_long_query_goes_in_the_body(remote):
    one = remote.address("one?key=a")
    resolve(f"SELECT * {{ SERVICE <{one}> {{ ?s ?p '{'a' * 5000}' }} }}", one)
    ((path, form, _),) = remote.heard
    assert path == "/one?key=a"
    assert len(form["query"][0]) > 5000


def test_no_proxy_is_taken_from_the_environment(remote, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    one = remote.address("one")
    resolve(f"SELECT * {{ SERVICE <{one}> {{ ?s ?p ?x }} }}", one)
    assert len(remote.heard) == 1


def test_some_are_asked_at_once_and_what_is_the_same_once(remote):
    remote.most_at_once = 0
    address = remote.address("counted")
    calls = "".join(f"SERVICE <{address}> {{ ?s ?p {n % 6} }}\n" for n in range(8))
    resolve(f"SELECT * {{ {calls} }}", address)
    assert len(remote.heard) == 6
    assert 1 < remote.most_at_once <= MOST_AT_ONCE


# What goes wrong.

FAILURES = {
    "slow": (ServiceTimedOut, "did not answer in time"),
    "trickle": (ServiceTimedOut, "did not answer in time"),
    "trickle-body": (ServiceTimedOut, "did not answer in time"),
    "endless": (ServiceFailed, "more than 1,000,000 bytes"),
    "endless-header": (ServiceFailed, "cannot be asked"),
    "half": (ServiceFailed, "cannot be asked"),
    "hang-up": (ServiceFailed, "cannot be asked"),
    "elsewhere": (ServiceFailed, "sends its clients on to <http://127.0.0.1:"),
    "page": (ServiceFailed, "not read here (text/html)"),
    "packed": (ServiceFailed, "not read here"),
    "broken": (ServiceFailed, "the status 500"),
    "partial": (ServiceFailed, "the status 206"),
    "boolean": (ServiceFailed, "yes or no"),
    "triple": (ServiceFailed, "RDF 1.2"),
    "disguised-triple": (ServiceFailed, "RDF 1.2"),
    "direction": (ServiceFailed, "RDF 1.2"),
    "rows": (ServiceFailed, f"more than {MOST_ROWS:,} solutions"),
} | dict.fromkeys(MALFORMED, (ServiceFailed, "no SPARQL results"))
FAILURES["boolean"] = (ServiceFailed, "yes or no")
FAILURES["deep"] = (ServiceFailed, "answered with")
LARGE = {"rows", "deep"}


def fail(remote, name, keyword="SERVICE"):
    address = remote.address(name)
    return resolve(
        f"SELECT * {{ {keyword} <{address}> {{ ?s ?p ?x }} }}",
        address,
        seconds=0.5 if FAILURES[name][0] is ServiceTimedOut else 20,
        most_bytes=2**24 if name in LARGE else 1_000_000,
    )


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_which_endpoint_and_what_happened(remote, name):
    class_, said = FAILURES[name]
    with pytest.raises(class_, match=re.escape(said)) as caught:
        fail(remote, name)
    assert type(caught.value) is class_
    assert str(caught.value).startswith(f"<{remote.address(name)}>, which the query asks, ")
    assert len(remote.heard) == 1


@pytest.mark.parametrize("name", FAILURES)
def test_silent_goes_on_with_what_is_known(remote, name):
    query = fail(remote, name, "SERVICE SILENT")
    assert query == "SELECT * { FILTER(true) VALUES () { () } }"
    assert solutions(query) == [{}]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:{port}/",
        "https://127.0.0.1:{own}/",
        "ftp://x.example/",
        "urn:x",
        "http://[",
    ],
)
def test_an_endpoint_that_cannot_be_reached_is_named(remote, free_port, endpoint):
    endpoint = endpoint.format(port=free_port, own=remote.server_port)
    with pytest.raises(ServiceFailed, match="cannot be asked") as caught:
        resolve(f"SELECT * {{ SERVICE <{endpoint}> {{ ?s ?p ?x }} }}", endpoint)
    assert endpoint in str(caught.value)
    assert "httpx" not in str(caught.value)


def test_one_failure_ends_the_wait_for_the_others(remote):
    slow, broken = remote.address("slow"), remote.address("broken")
    query = f"SELECT * {{ SERVICE <{slow}> {{ ?s ?p ?x }} SERVICE <{broken}> {{ ?s ?p ?x }} }}"
    with pytest.raises(ServiceFailed, match="500"):
        resolve(query, slow, broken, seconds=600)


def test_all_answers_together_keep_to_the_limit(remote):
    remote.chosen = answer(["x"], {"x": literal("a" * 1000)})
    address = remote.address("chosen")
    calls = [f"SERVICE <{address}> {{ ?s ?p {n} ; <u:p> ?x }}" for n in range(2)]
    resolve(f"SELECT * {{ {calls[0]} }}", address, most_bytes=1500)
    with pytest.raises(ServiceFailed, match="more than 750 bytes"):
        resolve(f"SELECT * {{ {' '.join(calls)} }}", address, most_bytes=1500)


def test_a_large_answer_is_taken(remote):
    rows = ({"x": iri(f"http://e.org/{n}")} for n in range(MOST_ROWS))
    remote.chosen = answer(["x"], *rows)
    address = remote.address("chosen")
    query = f"SELECT (COUNT(*) AS ?n) {{ SERVICE <{address}> {{ ?s ?p ?x }} }}"
    assert solutions(resolve(query, address)) == [{"n": str(MOST_ROWS)}]


# The real thing.


def test_another_server_of_ours_answers(address):
    endpoint = f"{address}/sparql"
    query = f"""PREFIX pg: <https://w3id.org/policygraph/ns#>
SELECT ?actor {{ SERVICE <{endpoint}> {{ ?actor a pg:Actor }} }} ORDER BY ?actor"""
    mine = httpx.post(
        endpoint,
        data={"query": query.replace(f"SERVICE <{endpoint}>", "")},
        headers={"Accept": RESULTS},
    ).json()
    actors = [row["actor"]["value"] for row in mine["results"]["bindings"]]
    assert len(actors) > 3
    assert [row["actor"] for row in solutions(resolve(query, endpoint))] == actors


def test_few_queries_of_one_client_hold_a_thread_for_other_endpoints():
    with ExitStack() as held:
        for _ in range(asking.MOST_CALLING_OF_ONE):
            held.enter_context(asking.place_to_call("one"))
        with pytest.raises(TooManyFromOne), asking.place_to_call("one"):
            pass
        with asking.place_to_call("another"):
            pass
    with asking.place_to_call("one"):
        pass
