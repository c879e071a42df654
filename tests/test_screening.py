"""What is known of a query before it is parsed, and that nothing goes out."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from policygraph.catalogue import questions, violation_queries
from policygraph.errors import QueryFault
from policygraph.screening import (
    calls_out,
    is_nested_too_deeply,
    is_update,
    is_volatile,
    screen,
    tokens_of,
)

# <U> stands for the address of a server that must hear nothing.
CALLS = {
    "plain": "SELECT * { SERVICE <U> { ?s ?p ?o } }",
    "lower case": "SELECT * { service <U> { ?s ?p ?o } }",
    "silent": "SELECT * { SERVICE SILENT <U> { ?s ?p ?o } }",
    "glued to silent": "SELECT * { SERVICESILENT<U>{?s ?p ?o} }",
    "a variable": "SELECT * { VALUES ?u { <U> } SERVICE ?u { ?s ?p ?o } }",
    "a name": "SELECT * { SERVICE u:x { ?s ?p ?o } }",
    "glued to a name": "SELECT * { SERVICEu:x { ?s ?p ?o } }",
    "glued to an empty prefix": "SELECT * { SERVICE:x { ?s ?p ?o } }",
    "glued to a name with a dot": "SELECT * { SERVICEu:x.y{?s ?p ?o} }",
    "after a number": "SELECT * { ?s ?p 1SERVICE<U>{?s ?p ?o} }",
    "after true": "SELECT * { ?s ?p trueSERVICE<U>{?s ?p ?o} }",
    "after a prefix and a dot": "SELECT * { ?s ?p u:.SERVICE<U>{?s ?p ?o} }",
    "after a name with two dots": "SELECT * { ?s ?p u:1.0.SERVICE<U>{?s ?p ?o} }",
    "after a comparison": "SELECT * { ?s ?p ?o FILTER(?o<?b)SERVICE#c>\n<U> {?s ?p ?o} }",
    "a comment that looks like an IRI": (
        'SELECT * { ?s ?p ?o FILTER(?o<?b#c>"""\n||true) SERVICE <U> {?s ?p ?o} #"""\n }'
    ),
    "a string that looks like an IRI": (
        "SELECT * { ?s ?p ?o FILTER(?o<2||?p='>#'||true) SERVICE <U> {?s ?p ?o} }"
    ),
    "inside a filter": "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE <U> {?s ?p ?o} } }",
    "after a comment": "SELECT * { SERVICE # <nothing>\n <U> {?s ?p ?o} }",
    "after an escaped quote": r"""SELECT * { ?s ?p "\\" . SERVICE <U> {?s ?p ?o} }""",
}
NO_CALLS = {
    "a string": 'SELECT * { ?s ?p "SERVICE <U> {}" }',
    "a long string": 'SELECT * { ?s ?p """a "SERVICE" ""\n SERVICE <U> {} """ }',
    "single quotes": "SELECT * { ?s ?p 'SERVICE', '''x ' SERVICE''' }",
    "an IRI": "SELECT * { ?s <http://example.org/SERVICE> <http://x.org/a#service> }",
    "a relative IRI": "BASE <http://x.org/> SELECT * { ?s <SERVICE> ?o }",
    "another scheme": "SELECT * { ?s <tag:x.org,2024:service> <urn:x:a/service> }",
    "a comment": "SELECT * # SERVICE <U> {\n{ ?s ?p ?o }",
    "a variable": "SELECT ?service { ?service ?p $SERVICE }",
    "a name": "PREFIX ex: <http://x.org/> SELECT * { ex:service ex:p ex:SERVICE }",
    "a prefix": "PREFIX service: <http://x.org/> SELECT * { ?s service:p ?o }",
    "a language": 'SELECT * { ?s ?p "x"@en-service }',
    "an escape": r'SELECT * { ?s ?p "\" SERVICE <U> {" }',
}
VOLATILE = {
    "now": "SELECT (NOW() AS ?t) {}",
    "lower case, and space": "SELECT * { BIND (rand () AS ?t) }",
    "strings of identifiers": "SELECT (STRUUID() AS ?t) {}",
    "identifiers": "SELECT (IRI(UUID()) AS ?t) {}",
    "blank nodes": "SELECT (BNODE() AS ?t) {}",
    "glued to a keyword": "SELECT * { ?s ?p ?o } ORDER BYRAND()",
    "after a comparison": "ASK { FILTER (?o<NOW()||?b>1) }",
    "after a comment": "SELECT * # NOW\n { FILTER (NOW() > 1) }",
}
LASTING = {
    "a string": "SELECT * { ?s ?p 'NOW() RAND()' }",
    "an IRI": "SELECT * { ?s <http://x.org/NOW()> <http://x.org/uuid#rand> }",
    "a comment": "SELECT * { ?s ?p ?o } # BNODE()",
    "a variable": "SELECT ?now { ?now ?rand $uuid }",
    "a name": "PREFIX now: <http://x.org/> SELECT * { ?s now:uuid now:RAND }",
    "a language": "SELECT * { ?s ?p 'x'@en-now }",
    "none of the words": "SELECT * { ?s ?p ?o }",
}
DEEP = {
    "groups": ("SELECT * {", "{", "}", "}"),
    "filters": ("ASK {", "FILTER EXISTS {", "}", "}"),
    "brackets": ("ASK { FILTER(", "(", ")", "1) }"),
    "nodes": ("ASK { ?s ?p ", "[ <a:b> ", "]", "}"),
}


@pytest.fixture(scope="module")
def listener():
    """Return the address of a server, and the requests it has heard."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(self.path)
            self.send_error(404)

        do_GET = do_POST  # noqa: N815 - the name that http.server calls

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("query", CALLS.values(), ids=CALLS)
def test_a_query_that_asks_another_server_is_refused(client, listener, query):
    address, heard = listener
    prologue = "".join(f"PREFIX {name}: <{address}>\n" for name in ("u", "", "SERVICEu"))
    text = prologue + query.replace("<U>", f"<{address}>")
    response = client.post("/sparql", data={"query": text})
    assert (response.status_code, response.json["title"]) == (400, "The query asks another server")
    assert heard == []


def test_the_listener_would_hear(store, listener, monkeypatch):
    """The guard, tried: without the screening, the engine calls."""
    monkeypatch.setattr("policygraph.store.embedded.calls_out", lambda _: False)
    address, heard = listener
    query = f"SELECT * {{ SERVICE SILENT <{address}> {{ ?s ?p ?o }} }}"
    list(store.query(query).rows())
    assert heard
    heard.clear()


@pytest.mark.parametrize("query", NO_CALLS.values(), ids=NO_CALLS)
def test_the_word_alone_is_no_call(client, query):
    assert not calls_out(query)
    assert client.post("/sparql", data={"query": query}).status_code == 200


def test_no_query_of_the_project_is_refused(project):
    for query in (*questions(project), *violation_queries(project)):
        assert not calls_out(query.text), query.name
        assert not is_update(query.text), query.name
        assert not is_nested_too_deeply(query.text), query.name


@pytest.mark.parametrize(("head", "opening", "closing", "tail"), DEEP.values(), ids=DEEP)
def test_what_would_crash_the_parser_is_refused(client, head, opening, closing, tail):
    for depth in (1000, 100_000):
        query = head + opening * depth + closing * depth + tail
        response = client.post("/sparql", data={"query": query})
        assert response.status_code in {400, 413}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSERT DATA { <a:a> <a:b> 1 }", True),
        ("PREFIX x: <http://x.org/>\nBASE <http://x.org/> delete where { ?s ?p ?o }", True),
        ("# INSERT\nSELECT * { ?s ?p 'INSERT' }", False),
        ("PREFIX insert: <http://x.org/> ASK { ?s insert:p ?o }", False),
        ("", False),
    ],
)
def test_an_update_is_known_by_its_first_word(text, expected):
    assert is_update(text) is expected


@pytest.mark.parametrize("query", VOLATILE.values(), ids=VOLATILE)
def test_a_query_whose_answer_changes_by_itself_is_known(query):
    assert is_volatile(query)


@pytest.mark.parametrize("query", LASTING.values(), ids=LASTING)
def test_the_word_alone_does_not_make_an_answer_change(query):
    assert not is_volatile(query)


@pytest.mark.parametrize("query", [*CALLS.values(), *NO_CALLS.values(), "", "{" * 129, "{" * 128])
def test_one_reading_says_the_same_as_two(query):
    screened = screen(query)
    assert screened.calls_out is calls_out(query)
    assert screened.is_nested_too_deeply is is_nested_too_deeply(query) is ("{" * 129 in query)


def test_brackets_in_strings_are_not_nested():
    assert not is_nested_too_deeply("ASK { ?s ?p '" + "{" * 1000 + "' }")


@pytest.mark.parametrize("part", ["<a", '"""', '"', "'\"", "a:", "<a#>\n", "{", "service:a ", "\\"])
def test_a_hostile_megabyte_is_read_in_one_go(part):
    """Time grows with length, not with its square: that would be hours, not seconds."""
    text = part * (1024 * 1024 // len(part))
    start = time.monotonic()
    calls_out(text)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("part", ["\\'", '\\"', "<#>"])
def test_what_would_be_read_to_its_end_again_and_again_is_refused(part):
    """Nothing else ends it: it is read in the web process, which has no limit of time."""
    with pytest.raises(QueryFault):
        list(tokens_of(part * (1024 * 1024 // len(part))))


def test_a_few_quotes_that_nothing_closes_are_read_on():
    assert calls_out("ASK { " + r":a\' " * 101 + "SERVICE <http://x/> {} }")


def test_names_in_one_row_are_read_in_one_go():
    assert calls_out("ASK { " + "service:a." * 100_000)
