"""The short way answers as Flask does, to the byte, or leaves the request to Flask."""

import pytest
from werkzeug.test import EnvironBuilder

from policygraph.front.shortcut import fast
from policygraph.web import create_app

ROWS = "SELECT ?s ?o { ?s a ?o } ORDER BY ?s ?o LIMIT 3"
GRAPH = "DESCRIBE <https://w3id.org/policygraph/id/actor/kamala-harris>"
ASK = "ASK {}"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

ANSWERED = {
    "rows": ({"query": ROWS}, ""),
    "a boolean": ({"query": ASK}, "*/*"),
    "a graph": ({"query": GRAPH}, "application/rdf+xml"),
    "a named format": ({"query": ROWS, "format": "csv"}, BROWSER),
    "a media type": ({"query": ROWS, "format": "text/csv"}, ""),
    "beyond ASCII": ({"query": "SELECT ('é€😀' AS ?x) {}"}, "text/csv"),
    "a narrower dataset": ({"query": ROWS, "default-graph-uri": "http://example.org/"}, ""),
    "an answer that is not kept": ({"query": "ASK { FILTER (NOW() > 0) }"}, ""),
    "a fault": ({"query": "SELECT ?s\nWHERE { ?s ?p"}, ""),
    "an empty query": ({"query": " "}, ""),
    "an update": ({"query": "CLEAR ALL"}, ""),
    "another server": ({"query": "ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}, ""),
    "brackets": ({"query": "ASK " + "{" * 500}, ""),
    "nothing acceptable": ({"query": ROWS}, "image/png"),
    "no such format": ({"query": ROWS, "format": "docx"}, ""),
    "a boolean as a table": ({"query": ASK}, "text/csv"),
    "too long": ({"query": ENDLESS, "timeout": "0.2"}, ""),
}
LEFT = {
    "a page": {"query_string": {"query": ROWS}, "headers": {"Accept": BROWSER}},
    "a page by name": {"query_string": {"query": ROWS, "format": "html"}},
    "a page by a hidden name": {"query_string": "query=ASK%7B%7D&form%61t=html"},
    "a page for one kind": {
        "query_string": {"query": ROWS},
        "headers": {"Accept": "text/turtle,text/html;q=0.1"},
    },
    "a page for errors": {
        "query_string": {"query": ROWS},
        "headers": {"Accept": "text/html,application/sparql-results+json,text/turtle"},
    },
    "another method": {"method": "POST", "data": {"query": ROWS}},
    "HEAD": {"method": "HEAD", "query_string": {"query": ROWS}},
    "no query": {},
    "two queries": {"query_string": [("query", ROWS), ("query", ROWS)]},
    "a broken address": {"query_string": "query=%zz"},
    "an update": {"query_string": {"query": ROWS, "update": "CLEAR ALL"}},
    "another address": {"path": "/", "query_string": {"query": ROWS}},
}


def _environ(path="/sparql", **request):
    more = {"policygraph.note": {}, "policygraph.request_id": "r-1"}
    return EnvironBuilder(path, **request).get_environ() | more


@pytest.mark.parametrize(("parameters", "accept"), ANSWERED.values(), ids=ANSWERED)
def test_it_answers_as_flask_does(served, parameters, accept):
    request = {"query_string": parameters, "headers": {"Accept": accept}}
    short, long = _environ(**request), _environ(**request)
    status, headers, body = fast(short, served)
    started = []
    answer = create_app(served)(long, lambda *given: started.extend(given))
    assert (status.upper(), body) == (started[0].upper(), b"".join(answer))
    assert sorted(headers) == sorted(started[1])
    assert short["policygraph.note"] == long["policygraph.note"]
    assert short["policygraph.note"]["query"]


@pytest.mark.parametrize("request_", LEFT.values(), ids=LEFT)
def test_it_leaves_to_flask_what_flask_must_answer(served, request_):
    assert fast(_environ(**request_), served) is None
