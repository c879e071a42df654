"""The SPARQL endpoint, in process: how queries come in, and in what formats answers go out."""

import csv
import io
import json

import pytest

from policygraph.store import parse_file

ROWS = "SELECT ?s ?o { ?s a ?o } ORDER BY ?s ?o LIMIT 3"
ASK = "ASK { ?s ?p ?o }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
GRAPH = "DESCRIBE <https://w3id.org/policygraph/id/actor/kamala-harris>"
FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

BEGINNINGS = [
    (ROWS, "json", "application/sparql-results+json", b'{"head":'),
    (ROWS, "xml", "application/sparql-results+xml", b"<?xml"),
    (ROWS, "csv", "text/csv; charset=utf-8", b"s,o"),
    (ROWS, "tsv", "text/tab-separated-values; charset=utf-8", b"?s\t?o"),
    (ROWS, "html", "text/html; charset=utf-8", b"<!doctype html>"),
    (ASK, "json", "application/sparql-results+json", b'{"head":'),
    (ASK, "xml", "application/sparql-results+xml", b"<?xml"),
    (ASK, "html", "text/html; charset=utf-8", b"<!doctype html>"),
    (GRAPH, "ttl", "text/turtle; charset=utf-8", b"@prefix"),
    (GRAPH, "nt", "application/n-triples", b"<https://w3id.org"),
    (GRAPH, "jsonld", "application/ld+json", b"["),
    (GRAPH, "rdf", "application/rdf+xml", b"<?xml"),
    (GRAPH, "nq", "application/n-quads", b"<https://w3id.org"),
    (GRAPH, "trig", "application/trig", b"@prefix"),
    (GRAPH, "html", "text/html; charset=utf-8", b"<!doctype html>"),
]


@pytest.mark.parametrize(("query", "name", "media_type", "beginning"), BEGINNINGS)
def test_every_format_by_name_and_by_accept(client, query, name, media_type, beginning):
    by_name = client.get("/sparql", query_string={"query": query, "format": name})
    accept = {"Accept": media_type.split(";")[0]}
    by_accept = client.get("/sparql", query_string={"query": query}, headers=accept)
    for response in (by_name, by_accept):
        assert response.status_code == 200
        assert response.headers["Content-Type"] == media_type
        assert response.headers["Vary"] == "Accept"
        assert response.data.startswith(beginning)


def test_the_three_ways_to_send_a_query_give_the_same(client):
    by_get = client.get("/sparql", query_string={"query": ROWS})
    by_form = client.post("/sparql", data={"query": ROWS})
    by_body = client.post("/sparql", data=ROWS, content_type=DIRECT)
    assert by_get.data == by_form.data == by_body.data
    assert len(by_get.json["results"]["bindings"]) == 3


def test_an_answer_is_right(client, store):
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    response = client.get("/sparql", query_string={"query": query, "format": "csv"})
    assert list(csv.reader(io.StringIO(response.text))) == [["n"], [str(len(store))]]


def test_format_wins_over_accept_and_takes_a_media_type_or_another_name(client):
    for format_ in ("csv", "CSV", "text/csv"):
        query = {"query": ROWS, "format": format_}
        response = client.get("/sparql", query_string=query, headers={"Accept": "text/html"})
        assert response.mimetype == "text/csv"
    response = client.get("/sparql", query_string={"query": GRAPH, "format": "turtle"})
    assert response.mimetype == "text/turtle"


def test_without_a_query_people_get_a_form_and_programs_a_description(client, store, tmp_path):
    page = client.get("/sparql", headers=BROWSER)
    assert "<textarea" in page.text
    description = client.get("/sparql")
    assert description.mimetype == "text/turtle"
    path = tmp_path / "description.ttl"
    path.write_bytes(description.data)
    triples = parse_file(path, "http://example.org/sparql").to_ntriples().decode()
    assert (
        "<http://example.org/sparql> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>" in triples
    )
    assert f'"{len(store)}"' in triples


BAD = {
    "no query": ({"method": "POST", "data": {"other": "x"}}, 400, "no query"),
    "an empty query": ({"query_string": {"query": " "}}, 400, "the query is empty"),
    "two queries": ({"query_string": [("query", ASK), ("query", ASK)]}, 400, "2 queries"),
    "not SPARQL": ({"query_string": {"query": "SELECT"}}, 400, "line 1, column 7"),
    "not UTF-8": (
        {"method": "POST", "data": b"ASK { ?s ?p '\xff' }", "content_type": DIRECT},
        400,
        "not UTF-8 (byte 13)",
    ),
    "a graph that is no IRI": (
        {"query_string": {"query": ASK, "default-graph-uri": "not an iri"}},
        400,
        "'default-graph-uri' is no absolute IRI",
    ),
    "a graph of an update": (
        {"query_string": {"query": ASK, "using-graph-uri": "http://x.org/"}},
        400,
        "'using-graph-uri' is for updates",
    ),
    "no seconds": (
        {"query_string": {"query": ASK, "timeout": "-1"}},
        400,
        "'timeout' is a number of seconds",
    ),
    "too long": (
        {"query_string": {"query": ENDLESS, "timeout": "0.3"}},
        504,
        "ran for 0.3 seconds",
    ),
    "an update": ({"method": "POST", "data": {"update": "CLEAR ALL"}}, 403, "takes no updates"),
    "an update by GET": ({"query_string": {"update": "CLEAR ALL"}}, 403, "takes no updates"),
    "an update as query": ({"query_string": {"query": "CLEAR ALL"}}, 403, "takes no updates"),
    "an update beside a query": (
        {"query_string": {"query": ASK, "update": "CLEAR ALL"}},
        403,
        "takes no updates",
    ),
    "an update in the address of a form": (
        {"method": "POST", "query_string": {"update": "CLEAR ALL"}, "data": {"query": ASK}},
        403,
        "takes no updates",
    ),
    "an update as body": (
        {"method": "POST", "data": "CLEAR ALL", "content_type": "application/sparql-update"},
        403,
        "takes no updates",
    ),
    "another body": (
        {"method": "POST", "data": "x", "content_type": "text/plain"},
        415,
        "'text/plain' is not understood",
    ),
    "a body of no type": ({"method": "POST", "data": b"x"}, 415, "no named type"),
    "a file": (
        {"method": "POST", "data": {"query": (io.BytesIO(b"x"), "x")}},
        415,
        "'multipart/form-data' is not understood",
    ),
    "too large a body": (
        {"method": "POST", "data": b" " * (1024 * 1024 + 1), "content_type": DIRECT},
        413,
        "",
    ),
    "another method": ({"method": "PUT", "data": ASK, "content_type": DIRECT}, 405, ""),
    "a format there is not": ({"query_string": {"query": ASK, "format": "docx"}}, 406, "'docx'"),
    "a format that cannot hold it": (
        {"query_string": {"query": ASK}, "headers": {"Accept": "text/csv"}},
        406,
        "there is json (application/sparql-results+json), xml",
    ),
}


@pytest.mark.parametrize(("request_", "status", "detail"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_as_a_problem_document(client, request_, status, detail):
    response = client.open("/sparql", **request_)
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    problem = json.loads(response.data)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    assert detail in problem["detail"]
    assert response.headers["Vary"] == "Accept"


def test_a_fault_has_line_and_column(client):
    response = client.get("/sparql", query_string={"query": "SELECT ?s\nWHERE { ?s ?p"})
    assert (response.json["line"], response.json["column"]) == (2, 14)


def test_what_can_be_sent_is_listed(client):
    response = client.get("/sparql?query=ASK{}", headers={"Accept": "image/png"})
    assert "application/sparql-results+xml" in response.json["available"]


def test_a_person_gets_a_page_with_the_query_to_mend(client):
    query = {"query": "SELECT ?s\nWHERE { ?s ?p <b> }"}
    response = client.get("/sparql", query_string=query, headers=BROWSER)
    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert "Line 2 of the query" in response.text
    assert "&lt;b&gt;" in response.text
    assert "<b>" not in response.text


def test_a_page_shows_the_first_rows_and_leads_to_all(client):
    query = {"query": "SELECT ?s { ?s ?p ?o } ORDER BY ?s"}
    page = client.get("/sparql", query_string=query, headers=BROWSER).text
    assert "The first 500 rows" in page
    assert page.count("<tr>") == 501
    assert "format=csv" in page


def test_nothing_from_data_becomes_markup_or_a_script(client):
    values = '("<script>alert(1)</script>" <javascript:alert(1)>)'
    query = {"query": f"SELECT * {{ VALUES (?a ?b) {{ {values} }} }}"}
    page = client.get("/sparql", query_string=query, headers=BROWSER).text
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_a_page_shows_only_prefixes_that_are_used(client):
    page = client.get("/sparql", query_string={"query": GRAPH}, headers=BROWSER).text
    assert "@prefix schema:" in page
    assert "@prefix spdx:" not in page


def test_head_and_options_are_answered(client):
    head = client.head("/sparql", query_string={"query": ASK})
    assert (head.status_code, head.data) == (200, b"")
    assert {"GET", "POST", "HEAD"} <= set(client.options("/sparql").allow)


def test_the_protocol_s_graphs_are_the_dataset(client, store):
    graph = "https://w3id.org/policygraph/graph/reference"
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    asked = {"query": count, "default-graph-uri": graph, "format": "csv"}
    (row,) = store.select(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    for response in (client.get("/sparql", query_string=asked), client.post("/sparql", data=asked)):
        assert response.text.split() == ["n", str(row["n"])]
    none = {"query": count, "named-graph-uri": graph, "format": "csv"}
    assert client.get("/sparql", query_string=none).text.split() == ["n", "0"]
