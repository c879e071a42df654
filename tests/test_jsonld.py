"""The JSON-LD: compacted with the project's context, readable offline, the same triples."""

import json
import socket

import pyoxigraph
import pytest
import rdflib
from pyld import jsonld

from policygraph import ProjectError, open_project
from policygraph.graph import authored_graphs
from policygraph.jsonld import compact, project_context
from policygraph.store import Kind, format_named

OTHER_BASE = "https://example.org/g/"


def no_network(url, _options):
    pytest.fail(f"{url} was asked for")


@pytest.fixture(scope="module")
def expanded(project, store):
    """Return the engine's JSON-LD of the authored graphs, as one graph."""
    return store.dump(format_named("jsonld"), graphs=authored_graphs(project), kind=Kind.GRAPH)


@pytest.fixture(scope="module")
def compacted(project, expanded):
    return compact(expanded, project_context(project))


def test_it_reads_as_the_model_does(compacted, project):
    nodes = {node["id"]: node for node in json.loads(compacted)["graph"]}
    statement = nodes[project.iri("id/statement/harris-immigration-2024/1")]
    assert statement["type"] == "Statement"
    assert statement["heldBy"] == project.iri("id/actor/kamala-harris")
    assert statement["evidence"] == [project.iri("id/passage/harris-immigration-2024/0-1")]
    assert set(nodes[project.iri("id/region/honduras")]["label"]) == {"en", "es"}


def test_every_node_stands_once_and_in_order(compacted):
    names = [node["id"] for node in json.loads(compacted)["graph"]]
    assert names == sorted(set(names))


def test_it_is_indented_utf8_that_ends_in_a_newline(compacted):
    assert compacted.startswith(b'{\n  "@context": {\n')
    assert compacted.endswith(b"}\n")
    assert "inmigración".encode() in compacted


def test_two_processors_read_the_same_triples_without_a_network(compacted, store, project):
    graphs = authored_graphs(project)
    lines = store.dump(format_named("nt"), graphs=graphs, kind=Kind.GRAPH)
    expected = set(rdflib.Graph().parse(data=lines, format="nt"))
    assert set(rdflib.Graph().parse(data=compacted, format="json-ld")) == expected
    options = {"format": "application/n-quads", "documentLoader": no_network}
    quads = jsonld.to_rdf(json.loads(compacted), options)
    assert set(rdflib.Graph().parse(data=quads, format="nt")) == expected


def test_named_graphs_stay_apart(project, store):
    written = compact(store.dump(format_named("jsonld")), project_context(project))
    read = pyoxigraph.parse(input=written, format=pyoxigraph.RdfFormat.JSON_LD)
    assert set(read) == set(store.graph(store.graph_names()).items)


def test_the_order_it_comes_in_does_not_matter(project, expanded, compacted):
    nodes = json.loads(expanded)
    parts = [{"@id": node["@id"], key: node[key]} for node in nodes for key in node if key != "@id"]
    shuffled = json.dumps(parts[::-1]).encode()
    assert compact(shuffled, project_context(project)) == compacted


def test_a_type_that_is_no_iri_stays_a_property():
    rdf_type = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    odd = json.dumps([{"@id": "urn:a", rdf_type: [{"@value": "x"}, {"@id": "urn:b"}]}]).encode()
    (node,) = json.loads(compact(odd, {"@context": {}}))["@graph"]
    assert node[rdf_type] == [{"@id": "urn:b"}, "x"]


def test_an_empty_graph_is_a_document():
    assert json.loads(compact(b"[]", {"@context": {}})) == {"@graph": []}


@pytest.mark.parametrize(
    "context",
    ["https://w3id.org/c", [{}, "https://w3id.org/c"], {"@import": "https://w3id.org/c"}],
    ids=["address", "in a list", "import"],
)
def test_nothing_is_ever_fetched(context, monkeypatch):
    monkeypatch.setattr(socket, "socket", no_network)
    with pytest.raises(ProjectError, match=r"https://w3id\.org/c is another document") as caught:
        compact(b'[{"@id": "urn:a", "urn:p": [{"@value": "x"}]}]', {"@context": context})
    assert "\n" not in str(caught.value)


def test_a_context_that_is_wrong_is_told_in_a_line():
    with pytest.raises(ProjectError, match=r"cannot be used: .*must be an absolute IRI") as caught:
        compact(b"[]", {"@context": {"term": {"@id": "no iri"}}})
    assert "\n" not in str(caught.value)


def test_the_context_moves_with_the_base(project):
    context = project_context(open_project(project.root, OTHER_BASE))["@context"]
    assert context["pg"] == f"{OTHER_BASE}ns#"
    assert project.base not in json.dumps(context)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{\n  "@context": {,}\n}', "ontology/context.jsonld:2:16: not JSON"),
        (b"\xff", "ontology/context.jsonld: cannot be read"),
        (b"[]", "ontology/context.jsonld: no JSON-LD context"),
        (b'{"@context": "https://w3id.org/c"}', "ontology/context.jsonld: no JSON-LD context"),
        (None, "ontology/context.jsonld: cannot be read .No such file"),
    ],
    ids=["not JSON", "not UTF-8", "a list", "an address", "missing"],
)
def test_a_file_that_is_no_context_is_named(empty, content, expected):
    empty.context.unlink()
    if content is not None:
        empty.context.write_bytes(content)
    with pytest.raises(ProjectError, match=expected) as caught:
        project_context(empty)
    assert "\n" not in str(caught.value)
