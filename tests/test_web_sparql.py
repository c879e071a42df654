"""The SPARQL endpoint, in process: how queries come in, and in what formats answers go out."""

import csv
import hashlib
import io
import json
from urllib.parse import quote, urlencode

import pytest

from policygraph.store import Kind, formats_for
from policygraph.web.asking import LARGEST_PAGE

ROWS = "SELECT ?s ?o { ?s a ?o } ORDER BY ?s ?o LIMIT 3"
ASK = "ASK { ?s ?p ?o }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
GRAPH = "DESCRIBE <https://w3id.org/policygraph/id/actor/kamala-harris>"
FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
REFERENCE = "https://w3id.org/policygraph/graph/reference"

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
    (GRAPH, "jsonld", "application/ld+json", b""),
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


def test_all_ways_to_send_a_query_give_the_same(client):
    by_get = client.get("/sparql", query_string={"query": ROWS})
    ways = [
        {"method": "POST", "data": {"query": ROWS}},
        {"method": "POST", "data": ROWS, "content_type": DIRECT},
        {"method": "QUERY", "data": ROWS, "content_type": DIRECT},
        {"method": "QUERY", "query_string": {"x": "y"}, "data": ROWS, "content_type": DIRECT},
        {"method": "QUERY", "data": urlencode({"query": ROWS}), "content_type": FORM},
        {"method": "POST", "data": ROWS, "content_type": f"{DIRECT}; charset=UTF-8"},
        {"method": "POST", "data": ROWS, "content_type": 'APPLICATION/SPARQL-QUERY;charset="utf8"'},
        {"method": "POST", "data": "\ufeff" + ROWS, "content_type": DIRECT},
    ]
    assert len(by_get.json["results"]["bindings"]) == 3
    for way in ways:
        assert client.open("/sparql", **way).data == by_get.data


def test_text_beyond_ascii_arrives_as_it_was_sent(client):
    query = "SELECT ('é€😀 + 100 %' AS ?text) {}"
    raw = f"/sparql?query={quote(query, safe='()?{}€é')}"
    for response in (
        client.get("/sparql", query_string={"query": query}),
        client.get(raw),
        client.post("/sparql", data={"query": query}),
        client.post("/sparql", data=query.encode(), content_type=DIRECT),
    ):
        (row,) = response.json["results"]["bindings"]
        assert row["text"]["value"] == "é€😀 + 100 %"


def test_what_a_query_may_be_sent_in_is_said(client):
    for response in (client.get("/sparql"), client.get("/sparql?query=x"), client.head("/sparql")):
        assert response.headers["Accept-Query"] == f"{DIRECT}, {FORM}"
    refused = client.post("/sparql", data="x", content_type="text/plain")
    assert refused.headers["Accept-Post"] == f"{DIRECT}, {FORM}"


def test_an_answer_to_query_has_an_address_and_conditions(client):
    def ask(**headers):
        return client.open(
            "/sparql", method="QUERY", data=ROWS, content_type=DIRECT, headers=headers
        )

    first = ask()
    assert client.get(first.headers["Content-Location"]).data == first.data
    etag = first.headers["ETag"]
    unchanged = ask(**{"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == etag
    assert ask(**{"If-Match": etag}).status_code == 200
    assert ask(**{"If-Match": '"another"'}).status_code == 412
    assert ask(Accept="text/csv").headers["ETag"] != etag


def test_what_changes_by_itself_is_not_kept(client):
    for query in ("SELECT (RAND() AS ?x) {}", "SELECT (NOW() AS ?x) {}"):
        response = client.get("/sparql", query_string={"query": query})
        assert response.headers["Cache-Control"] == "no-store"
        by_query = client.open("/sparql", method="QUERY", data=query, content_type=DIRECT)
        assert "ETag" not in by_query.headers
    assert "Cache-Control" not in client.get("/sparql", query_string={"query": ROWS}).headers


def test_what_is_not_known_is_passed_over(client):
    asked = {"query": ROWS, "output": "xml", "_method": "GET", "utf8": "✓"}
    assert client.get("/sparql", query_string=asked).mimetype == "application/sparql-results+json"


def test_the_log_is_told_the_query_by_its_digest_and_the_fault_by_its_name(client):
    note = {}
    client.get("/sparql", query_string={"query": ROWS}, environ_base={"policygraph.note": note})
    digest = hashlib.sha256(ROWS.encode()).hexdigest()[:12]
    assert note == {"query": digest, "format": "json"}
    note = {}
    client.get("/sparql?query=X", environ_base={"policygraph.note": note})
    assert note["fault"] == "query-fault"
    note = {}
    client.put("/sparql", environ_base={"policygraph.note": note})
    assert note == {"fault": "method-not-allowed"}


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


def test_without_a_query_people_get_a_form_and_programs_a_description(client):
    page = client.get("/sparql", headers=BROWSER)
    assert "<textarea" in page.text
    assert client.get("/sparql").mimetype == "text/turtle"
    for format_ in formats_for(Kind.GRAPH):
        response = client.get("/sparql", headers={"Accept": format_.media_type})
        assert (response.status_code, response.mimetype) == (200, format_.media_type)
    assert client.get("/sparql", headers={"Accept": "text/csv"}).status_code == 406


BAD = {
    "no query": ({"method": "POST", "data": {"other": "x"}}, 400, "no query"),
    "no body": ({"method": "POST"}, 415, "no named type"),
    "an empty body": ({"method": "POST", "content_type": DIRECT}, 400, "the query is empty"),
    "a query in the address and in the form": (
        {"method": "POST", "query_string": {"query": ASK}, "data": {"query": ASK}},
        400,
        "2 queries (1 in the address, 1 in the body)",
    ),
    "a query in the address and as the body": (
        {"method": "POST", "query_string": {"query": ASK}, "data": ASK, "content_type": DIRECT},
        400,
        "2 queries (1 in the address, 1 in the body)",
    ),
    "a query in the address of a form": (
        {"method": "POST", "query_string": {"query": ASK}, "data": ASK, "content_type": "text/csv"},
        415,
        "'text/csv' is not understood",
    ),
    "a broken form": (
        {"method": "POST", "data": "query=ASK%2", "content_type": FORM},
        400,
        "the form has a '%' without two hexadecimal digits (character 9)",
    ),
    "a broken address": (
        {"query_string": "query=ASK%zz"},
        400,
        "the address has a '%' without two hexadecimal digits (character 9)",
    ),
    "a form that is not UTF-8": (
        {"method": "POST", "data": "query=%FF", "content_type": FORM},
        400,
        "the form is not UTF-8",
    ),
    "an address that is not UTF-8": ({"query_string": "query=%FF"}, 400, "address is not UTF-8"),
    "too many parameters": (
        {"query_string": "query=x" + "&a=b" * 1000},
        400,
        "the address has more than 1,000 parameters",
    ),
    "another charset": (
        {"method": "POST", "data": ASK, "content_type": f"{DIRECT}; charset=ISO-8859-1"},
        415,
        "'iso-8859-1' is not read here",
    ),
    "a compressed body": (
        {
            "method": "POST",
            "data": ASK,
            "content_type": DIRECT,
            "headers": {"Content-Encoding": "gzip"},
        },
        415,
        "'gzip' is not read here",
    ),
    "brackets without end": ({"query_string": {"query": "ASK " + "{" * 500}}, 400, "brackets"),
    "another server": (
        {"query_string": {"query": "ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}},
        400,
        "this server calls no other",
    ),
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
    "an update as body by another name": (
        {
            "method": "POST",
            "data": "CLEAR ALL",
            "content_type": "Application/SPARQL-Update ; charset=utf-8",
        },
        403,
        "takes no updates",
    ),
    "an update as the body of a GET": (
        {"data": "CLEAR ALL", "content_type": UPDATE},
        403,
        "takes no updates",
    ),
    "an update as the body of a QUERY": (
        {"method": "QUERY", "data": "CLEAR ALL", "content_type": UPDATE},
        403,
        "takes no updates",
    ),
    "an update sent as a query": (
        {"method": "POST", "data": "PREFIX a: <b:> \nDROP ALL", "content_type": DIRECT},
        403,
        "takes no updates",
    ),
    "an update beside a query in a form": (
        {"method": "POST", "data": {"query": ASK, "update": "CLEAR ALL"}},
        403,
        "takes no updates",
    ),
    "an update in the address of a body": (
        {
            "method": "POST",
            "query_string": {"update": "CLEAR ALL"},
            "data": ASK,
            "content_type": DIRECT,
        },
        403,
        "takes no updates",
    ),
    "an update with an encoded name": (
        {"query_string": "query=ASK%7B%7D&%75pdate=CLEAR+ALL"},
        403,
        "takes no updates",
    ),
    "another method in a header": (
        {
            "method": "POST",
            "data": {"query": ASK},
            "headers": {"X-HTTP-Method-Override": "delete"},
        },
        403,
        "takes no updates",
    ),
    "another method in a field": (
        {"method": "POST", "data": {"query": ASK, "_method": "PUT"}},
        403,
        "takes no updates",
    ),
    "another method in the address": (
        {"query_string": {"query": ASK, "_method": "PATCH"}},
        403,
        "takes no updates",
    ),
    "a graph of an update, of a form": (
        {"method": "POST", "data": {"query": ASK, "using-named-graph-uri": "http://x.org/"}},
        400,
        "'using-named-graph-uri' is for updates",
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
    "PUT": ({"method": "PUT", "data": ASK, "content_type": DIRECT}, 405, "it takes"),
    "PATCH": ({"method": "PATCH", "data": ASK, "content_type": UPDATE}, 405, "it takes"),
    "DELETE": ({"method": "DELETE", "query_string": {"query": ASK}}, 405, "it takes"),
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


PLACES = [
    ("SELECT ?s\nWHERE { ?s ?p", 2, 14),
    ("SELECT ?s\r\nWHERE { ?s ?p }}", 2, 17),
    ("SELECT\t?s\t}", 1, 12),
    ("SELECT ?s { ?s ?p 'é€😀' ) }", 1, 28),
    ("\n\nSELECT ?s { ?s ?p '\x85' ) }", 3, 26),
]


@pytest.mark.parametrize(("query", "line", "column"), PLACES)
def test_a_fault_has_line_and_column_and_shows_the_line(client, query, line, column):
    for response in (
        client.get("/sparql", query_string={"query": query}),
        client.post("/sparql", data=query.encode(), content_type=DIRECT),
    ):
        assert (response.json["line"], response.json["column"]) == (line, column)
        assert response.json["source_line"] == query.split("\n")[line - 1].strip("\r")
        assert response.json["caret"] == column


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("SELECT ?s {\n ?s ?p ?o FILTER(?o = )\n}", "something before is not complete"),
        ("SELECT ?s { ?s ?p ?o } }", "bracket too many"),
        ("SELECT ?s { ?s ?p '}'", "bracket too many or too few"),
    ],
)
def test_brackets_are_blamed_only_when_they_do_not_match(client, query, detail):
    assert detail in client.get("/sparql", query_string={"query": query}).json["detail"]


def test_a_page_shows_the_languages_of_what_it_found(client):
    query = "SELECT ?label { VALUES ?label { 'Actor'@en 'Actor'@es 'Actor' } }"
    page = client.get("/sparql", query_string={"query": query, "format": "html"}).text
    for language in ("en", "es"):
        assert page.count(f'<span class="language">{language}</span>') == 1


def test_what_can_be_sent_is_listed(client):
    response = client.get("/sparql?query=ASK{}", headers={"Accept": "image/png"})
    assert "application/sparql-results+xml" in response.json["available"]


def test_a_person_gets_a_page_with_the_query_to_mend(client):
    query = {"query": "SELECT ?s\nWHERE { ?s ?p <b> }"}
    response = client.get("/sparql", query_string=query, headers=BROWSER)
    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert "Line 2 of the query, column" in response.text
    assert "<mark>" in response.text
    assert "&lt;b&gt;" in response.text
    assert "<b>" not in response.text


def test_an_empty_form_says_so_and_stays(client):
    response = client.get("/sparql?query=+&format=html", headers=BROWSER)
    assert response.status_code == 400
    assert "The query is empty" in response.text
    assert "<textarea" in response.text


def test_what_is_too_large_for_a_page_is_offered_in_other_formats(client):
    construct = "CONSTRUCT { ?s ?p ?x } { ?s ?p ?o . ?x a ?y } LIMIT 100000"
    select = f"SELECT ?s ('{'x' * 4000}' AS ?x) {{ ?s ?p ?o }}"
    for query, name in ((construct, "ttl"), (select, "csv")):
        asked = {"query": query}
        assert len(client.get("/sparql", query_string=asked).data) > LARGEST_PAGE
        page = client.get("/sparql", query_string=asked, headers=BROWSER)
        assert page.status_code == 200
        assert "too large for a page" in page.text
        assert f"format={name}" in page.text


def test_one_kind_may_be_a_page_and_another_data(client):
    headers = {"Accept": "text/turtle, text/html;q=0.5"}
    assert client.get("/sparql", query_string={"query": GRAPH}, headers=headers).text[0] == "@"
    page = client.get("/sparql", query_string={"query": ROWS}, headers=headers)
    assert page.mimetype == "text/html"


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
    assert {"GET", "POST", "HEAD", "QUERY"} <= set(client.options("/sparql").allow)


def test_graphs_may_be_named_in_the_address_and_in_the_form(client, store):
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    vocabulary = REFERENCE.replace("reference", "vocabulary")
    froms = f"FROM <{REFERENCE}> FROM <{vocabulary}>"
    expected = client.get("/sparql", query_string={"query": count.replace("{", froms + " {", 1)})
    response = client.post(
        "/sparql",
        query_string={"default-graph-uri": REFERENCE},
        data={"query": count, "default-graph-uri": vocabulary},
    )
    assert response.json == expected.json
