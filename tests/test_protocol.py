"""The SPARQL 1.1 Protocol and Service Description, as the W3C's test suites check them.

Each test is one of theirs (the id is its name there), in our words: the graphs that they presuppose
are graphs of the project's own. We take no updates, so of those tests only the refusal is left.
"""

import time

import pytest

from policygraph.store import parse_file

SELECT, ASK = "SELECT (1 AS ?value) {}", "ASK {}"
CONSTRUCT = "CONSTRUCT { <http://example.org/s> <http://example.org/p> 1 } WHERE {}"
DESCRIBE = "DESCRIBE <http://example.org/>"
FORM = "application/x-www-form-urlencoded"
DIRECT, UPDATE = "application/sparql-query", "application/sparql-update"

_GRAPH = "https://w3id.org/policygraph/graph/"
ONE, OTHER = f"{_GRAPH}reference", f"{_GRAPH}vocabulary"
_ELSEWHERE = "http://example.org/a-graph-that-is-not-here"
IN_ONE = "?one a <https://w3id.org/policygraph/ns#Actor>"
IN_OTHER = "?other a <http://www.w3.org/2002/07/owl#Ontology>"

TABLES = {
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
}
RDF = {"text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"}


def _asked_directly(client, query, **parameters):
    return client.post("/sparql", query_string=parameters, data=query, content_type=DIRECT)


def _says(response):
    assert response.status_code == 200, response.text
    return response.json["boolean"]


WAYS = {
    "query_get": {"method": "GET", "query_string": {"query": ASK}},
    "query_post_form": {"method": "POST", "data": {"query": ASK}},
    "query_post_direct": {"method": "POST", "data": ASK, "content_type": DIRECT},
    "by QUERY, directly": {"method": "QUERY", "data": ASK, "content_type": DIRECT},
    "by QUERY, as a form": {"method": "QUERY", "data": f"query={ASK}", "content_type": FORM},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_query_comes_in_each_way(client, way):
    assert _says(client.open("/sparql", **way)) is True


def _ways_to_name(graphs):
    """Return how a query's graphs are named: in the address of each method, and in a form."""
    return {
        "get": lambda client, query: client.get("/sparql", query_string={"query": query, **graphs}),
        "post": lambda client, query: client.post("/sparql", data={"query": query, **graphs}),
        "direct": lambda client, query: _asked_directly(client, query, **graphs),
    }


DATASETS = {
    "query_dataset_default_graph": (
        {"default-graph-uri": ONE},
        f"ASK {{ {IN_ONE} FILTER NOT EXISTS {{ {IN_OTHER} }} }}",
    ),
    "query_dataset_default_graphs": (
        {"default-graph-uri": [ONE, OTHER]},
        f"ASK {{ {IN_ONE} . {IN_OTHER} }}",
    ),
    "query_dataset_named_graphs": (
        {"named-graph-uri": [ONE, OTHER]},
        f"ASK {{ GRAPH ?g {{ {IN_ONE} }} GRAPH ?h {{ {IN_OTHER} }} FILTER (?g != ?h) }}",
    ),
    "query_dataset_full": (
        {"default-graph-uri": ONE, "named-graph-uri": [OTHER]},
        f"ASK {{ {IN_ONE} GRAPH ?g {{ {IN_OTHER} }} FILTER NOT EXISTS {{ {IN_OTHER} }} }}",
    ),
    "query_multiple_dataset": (
        {"default-graph-uri": OTHER},
        f"ASK FROM <{ONE}> {{ {IN_OTHER} FILTER NOT EXISTS {{ {IN_ONE} }} }}",
    ),
    "named graphs alone leave the default graph empty": (
        {"named-graph-uri": [ONE, OTHER]},
        "ASK { FILTER NOT EXISTS { ?s ?p ?o } }",
    ),
    "default graphs alone leave no named graph": (
        {"default-graph-uri": ONE},
        "ASK { FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }",
    ),
    "a graph that is not here is empty": (
        {"default-graph-uri": _ELSEWHERE},
        "ASK { FILTER NOT EXISTS { ?s ?p ?o } }",
    ),
}


@pytest.mark.parametrize("way", ["get", "post", "direct"])
@pytest.mark.parametrize(("graphs", "query"), DATASETS.values(), ids=DATASETS)
def test_the_dataset_is_what_the_protocol_names(client, graphs, query, way):
    assert _says(_ways_to_name(graphs)[way](client, query)) is True


def test_from_names_a_graph_and_fetches_nothing(client):
    assert _says(_asked_directly(client, f"ASK FROM <{ONE}> {{ {IN_ONE} }}")) is True
    assert _says(_asked_directly(client, f"ASK FROM <{_ELSEWHERE}> {{ ?s ?p ?o }}")) is False


CONTENT = {
    "query_content_type_select": (SELECT, TABLES),
    "query_content_type_ask": (ASK, TABLES - {"text/csv", "text/tab-separated-values"}),
    "query_content_type_describe": (DESCRIBE, RDF),
    "query_content_type_construct": (CONSTRUCT, RDF),
}


@pytest.mark.parametrize(("query", "media_types"), CONTENT.values(), ids=CONTENT)
def test_an_answer_has_a_media_type_of_its_kind(client, query, media_types):
    response = _asked_directly(client, query)
    assert response.status_code == 200
    assert response.mimetype in media_types


UTF_16 = f"{DIRECT}; charset=UTF-16"
BAD = {
    "bad_query_method": ({"method": "PUT", "query_string": {"query": ASK}}, 405),
    "bad_multiple_queries": (
        {"method": "GET", "query_string": [("query", ASK), ("query", SELECT)]},
        400,
    ),
    "bad_query_wrong_media_type": (
        {"method": "POST", "data": ASK, "content_type": "text/plain"},
        415,
    ),
    "bad_query_missing_form_type": ({"method": "POST", "data": b"query=ASK%20%7B%7D"}, 415),
    "bad_query_missing_direct_type": ({"method": "POST", "data": ASK.encode()}, 415),
    "bad_query_non_utf8": (
        {"method": "POST", "data": ASK.encode("utf-16"), "content_type": UTF_16},
        415,
    ),
    "not UTF-8 though it says so": (
        {"method": "POST", "data": ASK.encode("utf-16"), "content_type": DIRECT},
        400,
    ),
    "bad_query_syntax": ({"method": "GET", "query_string": {"query": "ASK {"}}, 400),
}
CLEAR = "CLEAR ALL"
UPDATES = {
    "bad_update_get": ({"method": "GET", "query_string": {"update": CLEAR}}, 403),
    "bad_multiple_updates": ({"method": "POST", "data": {"update": [CLEAR, CLEAR]}}, 403),
    "bad_update_wrong_media_type": (
        {"method": "POST", "data": CLEAR, "content_type": "text/plain"},
        415,
    ),
    "bad_update_missing_form_type": ({"method": "POST", "data": b"update=CLEAR%20ALL"}, 415),
    "bad_update_non_utf8": (
        {
            "method": "POST",
            "data": CLEAR.encode("utf-16"),
            "content_type": f"{UPDATE}; charset=UTF-16",
        },
        403,
    ),
    "bad_update_syntax": ({"method": "POST", "data": {"update": "CLEAR XYZ"}}, 403),
    "bad_update_dataset_conflict": (
        {"method": "POST", "data": {"using-named-graph-uri": ONE, "update": CLEAR}},
        403,
    ),
    "update_post_form": ({"method": "POST", "data": {"update": CLEAR}}, 403),
    "update_post_direct": ({"method": "POST", "data": CLEAR, "content_type": UPDATE}, 403),
    "update_dataset_default_graph": (
        {
            "method": "POST",
            "query_string": {"using-graph-uri": ONE},
            "data": CLEAR,
            "content_type": UPDATE,
        },
        400,
    ),
    "update_base_uri": (
        {"method": "POST", "data": "INSERT DATA { <s> <p> <o> }", "content_type": UPDATE},
        403,
    ),
}


@pytest.mark.parametrize(("request_", "status"), BAD.values(), ids=BAD)
def test_what_is_no_query_is_refused(client, request_, status):
    assert client.open("/sparql", **request_).status_code == status


@pytest.mark.parametrize(("request_", "status"), UPDATES.values(), ids=UPDATES)
def test_no_update_is_taken(client, request_, status):
    assert client.open("/sparql", **request_).status_code == status


_SD = "http://www.w3.org/ns/sparql-service-description#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
HERE = "http://localhost/sparql"


@pytest.mark.parametrize("name", ["ttl", "nt", "jsonld", "rdf", "nq", "trig"])
def test_service_description_is_rdf_with_the_endpoint(client, tmp_path, name):
    """`returns-rdf` and `has-endpoint-triple`, in each format."""
    response = client.get("/sparql", query_string={"format": name})
    assert response.status_code == 200
    path = tmp_path / f"description.{name}"
    path.write_bytes(response.data)
    triples = parse_file(path, HERE).to_ntriples().decode()
    assert f"<{HERE}> <{_TYPE}> <{_SD}Service>" in triples
    assert f"<{HERE}> <{_SD}endpoint> <{HERE}>" in triples


def test_service_description_keeps_to_its_vocabulary(client, tmp_path):
    """`conforms-to-schema`: what the service says of itself is what the vocabulary allows."""
    path = tmp_path / "description.ttl"
    path.write_bytes(client.get("/sparql", headers={"Accept": "text/turtle"}).data)
    triples = parse_file(path, HERE).to_ntriples().decode()
    for name in ("supportedLanguage", "feature", "resultFormat", "defaultDataset"):
        assert f"<{HERE}> <{_SD}{name}> <" in triples
    assert f"<{_TYPE}> <{_SD}Dataset>" in triples
    assert f"<{_SD}defaultGraph>" in triples


def test_a_long_content_type_takes_no_time(client):
    """The library's reader takes minutes over a megabyte of these."""
    type_ = 'application/sparql-query;"' + ";" * 300_000
    start = time.monotonic()
    assert client.post("/sparql", data="ASK {}", content_type=type_).status_code == 200
    assert time.monotonic() - start < 30
