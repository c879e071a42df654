"""Dereferenceable IRIs: /id/, /doc/, /ns, /shapes, /context.jsonld, /graph/, on any host."""

import json
import re
import socket
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pyoxigraph
import pytest

from policygraph import build, open_project
from policygraph.namespaces import expand
from policygraph.snapshots import take_snapshot
from policygraph.web import create_app
from policygraph.web.addresses import iris_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
THING = "policy/more-immigration-judges"
FORMATS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nq": "application/n-quads",
    "trig": "application/trig",
}
PREFIXES = """\
@prefix dcterms: <http://purl.org/dc/terms/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix pg: <ns#> . @prefix policy: <id/policy/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


@pytest.fixture
def serve(served, copied):
    """Return a function that adds Turtle to a copy of the project and gives a client of that."""

    def serve_with(turtle):
        (copied.data / "more.ttl").write_text(PREFIXES + turtle, encoding="utf-8")
        return create_app(replace(served, store=build(copied))).test_client()

    return serve_with


def _parsed(response, name):
    """Return the triples of an answer, whatever graph they are in."""
    engine = pyoxigraph.RdfFormat.from_media_type(FORMATS[name])
    quads = pyoxigraph.parse(response.data, format=engine)
    return {quad.triple for quad in quads}


def _links(response):
    pattern = r'<([^>]*)>; rel="([^"]*)"(?:; type="([^"]*)")?'
    return re.findall(pattern, response.headers["Link"])


@pytest.mark.parametrize("headers", [{}, BROWSER, {"Accept": "text/turtle"}], ids=str)
def test_a_thing_leads_to_the_document_about_it(client, headers):
    response = client.get(f"/id/{THING}?format=ttl&x=y", headers=headers)
    assert response.status_code == 303
    assert response.headers["Location"] == f"/doc/{THING}"
    assert "Accept" in response.headers["Vary"]
    links = _links(response)
    assert (f"/doc/{THING}", "describedby", "") in links
    assert (f"/doc/{THING}.ttl", "alternate", "text/turtle") in links


def test_every_iri_of_the_graph_leads_somewhere(client, store):
    rows = store.select(
        "SELECT DISTINCT ?it { { ?it ?p ?o } UNION { ?s ?p ?it } FILTER (isIRI(?it)) }"
    )
    own = [row["it"] for row in rows if row["it"].startswith(f"{store.base}id/")]
    assert len(own) > 400
    for iri in own:
        path = iri.removeprefix(store.base)
        assert client.get(f"/{path}").status_code == 303, iri


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same_by_accept_by_extension_and_by_parameter(client, name):
    by_accept = client.get(f"/doc/{THING}", headers={"Accept": FORMATS[name]})
    by_extension = client.get(f"/doc/{THING}.{name}", headers=BROWSER)
    by_parameter = client.get(f"/doc/{THING}?format={name}", headers=BROWSER)
    assert by_accept.data == by_extension.data == by_parameter.data
    for response in (by_accept, by_extension, by_parameter):
        assert response.status_code == 200
        assert response.mimetype == FORMATS[name]
        assert response.headers["Content-Location"] == f"/doc/{THING}.{name}"
    assert _parsed(by_accept, name) == _parsed(client.get(f"/doc/{THING}.nt"), "nt")
    assert "Accept" in by_accept.headers["Vary"]
    assert "Vary" not in by_extension.headers


def test_people_get_a_page_and_programs_get_turtle(client):
    assert client.get(f"/doc/{THING}", headers=BROWSER).mimetype == "text/html"
    assert client.get(f"/doc/{THING}", headers={"Accept": "*/*"}).mimetype == "text/turtle"
    assert client.get(f"/doc/{THING}").mimetype == "text/turtle"
    assert client.get(f"/doc/{THING}.html").mimetype == "text/html"


def test_json_is_json_ld_with_our_terms(client):
    for response in (
        client.get(f"/doc/{THING}.json"),
        client.get(f"/doc/{THING}", headers={"Accept": "application/json"}),
    ):
        nodes = {node["id"]: node for node in response.json["graph"]}
        thing = nodes[expand("policy:more-immigration-judges")]
        assert thing["label"]["en"] == "Increase in the number of immigration judges"
        assert thing["type"] == "Policy"


def test_what_no_format_suits_is_refused(client):
    response = client.get(f"/doc/{THING}", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert "text/turtle" in response.json["available"]
    assert client.get(f"/doc/{THING}?format=csv").status_code == 406


def test_a_document_links_to_its_formats_its_thing_and_its_licence(client, store):
    links = _links(client.get(f"/doc/{THING}", headers=BROWSER))
    assert (f"/doc/{THING}", "canonical", "") in links
    for name, media_type in FORMATS.items():
        assert (f"/doc/{THING}.{name}", "alternate", media_type) in links
    assert (f"/doc/{THING}.html", "alternate", "text/html") in links
    assert (f"{store.base}id/{THING}", "describes", "") in links
    assert ("https://creativecommons.org/licenses/by/4.0/", "license", "") in links


@pytest.mark.parametrize("path", [f"/id/{THING}", f"/doc/{THING}", "/ns", "/doc/", "/id/none/x"])
def test_no_answer_depends_on_the_host(client, path):
    one = client.get(path, headers={"Host": "one.example"})
    other = client.get(path, headers={"Host": "other.example:81"})
    assert one.data == other.data
    assert dict(one.headers) == dict(other.headers)
    assert "one.example" not in str(one.headers) + one.text


def test_formats_with_graphs_say_whose_each_triple_is(client, store):
    quads = list(
        pyoxigraph.parse(client.get(f"/doc/{THING}.nq").data, format=pyoxigraph.RdfFormat.N_QUADS)
    )
    edges = [q for q in quads if q.predicate.value == expand("pg:hasGoal")]
    assert {q.graph_name.value for q in edges} == {expand("source:harris-immigration-2024")}
    own = [q for q in quads if q.subject.value == f"{store.base}doc/{THING}"]
    assert {q.graph_name for q in own} == {pyoxigraph.DefaultGraph()}


def test_a_page_says_what_it_is_what_texts_say_and_how_to_have_it(client, store):
    page = client.get(f"/doc/{THING}", headers=BROWSER).text
    assert "<h1>Increase in the number of immigration judges</h1>" in page
    assert '<span lang="es">Aumento del número de jueces de inmigración</span>' in page
    assert "A measure or commitment that an actor is said to propose" in page
    assert '<span class="voice">Reported</span>: the position of <a href="/doc/actor/kamala' in page
    assert '<a href="/doc/passage/harris-immigration-2024/2-1-1">Section\xa02.1, sentence' in page
    assert f"<code>{store.base}id/{THING}</code>" in page
    assert f'href="/doc/{THING}.ttl"' in page
    assert "/sparql?query=DESCRIBE" in page


def test_framing_is_seen_to_be_somebodys_wording(client):
    page = client.get("/doc/frame/enforcement-heavy", headers=BROWSER).text
    assert 'class="statement framing"' in page
    assert "Framing</span>: the source’s own wording, not a finding of this site" in page
    assert "“enforcement-heavy”" in page


def test_the_pages_of_all_things_link_only_to_what_is_there(client, store):
    rows = store.select("SELECT DISTINCT ?it { ?it a ?type }")
    paths = [str(row["it"]).removeprefix(store.base) for row in rows]
    pages = [f"/doc/{path.removeprefix('id/')}" for path in paths if path.startswith("id/")]
    seen = set()
    for page in pages[::7]:
        text = client.get(page, headers=BROWSER).text
        seen |= {urlsplit(each).path for each in re.findall(r'href="(/[^"]*)"', text)}
    seen = {path for path in seen if not path.startswith("/static/")}
    assert len(seen) > 200
    assert [path for path in sorted(seen) if client.get(path).status_code >= 400] == []


def test_a_source_counts_what_is_read_from_it(client):
    page = client.get("/doc/source/harris-immigration-2024", headers=BROWSER).text
    assert re.search(r'"/doc/statement/harris-immigration-2024">\d+ statements<', page)
    assert re.search(r'"/doc/passage/harris-immigration-2024">\d+ passages<', page)


@pytest.mark.parametrize("path", ["", "policy", "policy/", "statement/harris-immigration-2024"])
def test_an_address_cut_short_leads_to_a_list(client, path):
    response = client.get(f"/id/{path}", follow_redirects=True, headers=BROWSER)
    assert response.status_code == 200
    assert "<li>" in response.text or '<li class="statement' in response.text


def test_a_list_is_data_too(client):
    triples = _parsed(client.get("/doc/policy.nt"), "nt")
    topics = {t.object.value for t in triples if t.predicate.value == expand("foaf:topic")}
    assert expand("policy:more-immigration-judges") in topics
    kinds = client.get("/doc/index.nt").text
    assert "<https://w3id.org/policygraph/doc/policy>" in kinds


def test_an_unknown_thing_is_not_found_and_near_ones_are_named(client, store):
    for place in ("id", "doc"):
        response = client.get(f"/{place}/policies/more-immigration-judges")
        assert response.status_code == 404
        assert response.mimetype == "application/problem+json"
        assert response.json["near"] == [f"{store.base}id/{THING}"]
        page = client.get(f"/{place}/policies/more-immigration-judges", headers=BROWSER)
        assert page.status_code == 404
        assert f'<a href="/doc/{THING}">' in page.text


@pytest.mark.parametrize("path", ["/id/a b", "/id/%3Cx%3E", "/doc/%00", "/id/%FF"])
def test_what_cannot_be_an_iri_is_not_found_either(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.json["type"].endswith("#no-such-thing")


def test_a_replaced_thing_has_moved(serve):
    client = serve(
        "policy:old dcterms:isReplacedBy policy:older . "
        "policy:older dcterms:isReplacedBy policy:more-immigration-judges . "
        "policy:away dcterms:isReplacedBy <http://example.org/é> ."
    )
    moved = {
        "/id/policy/old": f"/id/{THING}",
        "/doc/policy/old": f"/doc/{THING}",
        "/doc/policy/old.ttl": f"/doc/{THING}.ttl",
        "/id/policy/away": "http://example.org/%C3%A9",
        "/doc/policy/away.ttl": "http://example.org/%C3%A9",
    }
    for path, target in moved.items():
        response = client.get(path)
        assert (response.status_code, response.headers["Location"]) == (301, target)


def test_a_withdrawn_thing_is_gone_with_the_reason(serve):
    client = serve(
        "policy:old a pg:Policy ; owl:deprecated true ; "
        'skos:changeNote "It was two things."@en, "Eran dos cosas."@es .'
    )
    for path in ("/id/policy/old", "/doc/policy/old", "/doc/policy/old.ttl"):
        response = client.get(path)
        assert response.status_code == 410
        assert response.json["type"].endswith("#gone")
        assert "It was two things." in response.json["detail"]
    page = client.get("/doc/policy/old", headers=BROWSER)
    assert page.status_code == 410
    assert '<p lang="es">Eran dos cosas.</p>' in page.text


def test_a_thing_replaced_by_several_or_in_a_circle_is_gone(serve, store):
    client = serve(
        "policy:split dcterms:isReplacedBy policy:more-immigration-judges, "
        "policy:dreamers-support ."
        "policy:a dcterms:isReplacedBy policy:b . policy:b dcterms:isReplacedBy policy:a ."
    )
    response = client.get("/id/policy/split")
    assert response.status_code == 410
    assert response.json["near"] == [
        f"{store.base}id/policy/dreamers-support",
        f"{store.base}id/{THING}",
    ]
    assert client.get("/id/policy/a").status_code == 410


def test_encoded_and_other_letters_work(serve):
    client = serve(
        'policy:josé skos:prefLabel "One"@en . <id/policy/mar%C3%ADa> skos:prefLabel "Two"@en .'
        '<id/policy/l%c3%bac%c3%ada> skos:prefLabel "Three"@en .'
        '<id/policy/a%20b> skos:prefLabel "Four"@en .'
    )
    for name, label in {
        "josé": "One",
        "jos%C3%A9": "One",
        "jos%c3%a9": "One",
        "mar%C3%ADa": "Two",
        "maría": "Two",
        "l%C3%BAc%C3%ADa": "Three",
        "a%20b": "Four",
    }.items():
        response = client.get(f"/id/policy/{name}", follow_redirects=True, headers=BROWSER)
        assert response.status_code == 200, name
        assert f"<h1>{label}</h1>" in response.text, name
        assert response.request.path.startswith("/doc/policy/")
        assert response.headers["Content-Location"].isascii()


def test_a_path_may_mean_several_iris():
    assert iris_of("id/a/josé", "http://x/") == [
        "http://x/id/a/josé",
        "http://x/id/a/jos%C3%A9",
        "http://x/id/a/jos%c3%a9",
    ]
    assert iris_of("id/a/b", "http://x/") == ["http://x/id/a/b"]
    assert iris_of('id/"> <', "http://x/")[0] == "http://x/id/%22%3E%20%3C"
    assert iris_of("id/100%", "http://x/")[0] == "http://x/id/100%25"


def test_the_vocabulary_comes_in_every_format_and_by_its_version(client, served):
    turtle = client.get("/ns", headers={"Accept": "text/turtle"})
    assert turtle.data == (served.snapshot.dumps / "ontology.ttl").read_bytes()
    for name in FORMATS:
        assert _parsed(client.get(f"/ns.{name}"), name) == _parsed(turtle, "ttl"), name
    version = client.get("/ns/1.0.0.ttl")
    assert version.data == turtle.data
    assert ("/ns", "latest-version", "") in _links(version)
    other = client.get("/ns/2.0.0")
    assert other.status_code == 404
    assert other.json["near"] == [f"{served.base}ns/1.0.0"]
    assert client.get("/ns.exe").status_code == 404


def test_the_vocabulary_page_has_an_anchor_for_each_term(client, store):
    page = client.get("/ns", headers=BROWSER).text
    rows = store.select(f"SELECT DISTINCT ?it {{ ?it rdfs:isDefinedBy <{store.base}ns> }}")
    names = [str(row["it"]).rpartition("#")[2] for row in rows]
    assert len(names) > 30
    assert [name for name in names if f'id="{name}"' not in page] == []
    assert "A measure or commitment that an actor is said to propose" in page
    assert '<a href="/ns#Approach">pg:Approach</a>' in page


def test_the_rules_come_with_comments_in_every_format_and_as_a_page(client, served):
    turtle = client.get("/shapes", headers={"Accept": "text/turtle"})
    assert turtle.data == (served.snapshot.dumps / "shapes.ttl").read_bytes()
    assert "# R1: evidence" in turtle.text
    sizes = {len(_parsed(client.get(f"/shapes.{name}"), name)) for name in FORMATS}
    assert sizes == {len(_parsed(turtle, "ttl"))}
    page = client.get("/shapes", headers=BROWSER).text
    for name in ("R1", "R2-passage", "R27"):
        assert f'id="{name}"' in page
    assert "This statement has no evidence." in page
    assert "<dd>Violation</dd>" in page


def test_the_context_is_json_ld(client, served):
    response = client.get("/context.jsonld", headers=BROWSER)
    assert response.mimetype == "application/ld+json"
    assert response.data == served.snapshot.context.read_bytes()
    assert json.loads(response.data)["@context"]["pg"] == f"{served.base}ns#"


@pytest.mark.parametrize("name", FORMATS)
def test_a_named_graph_comes_in_every_format(client, store, name):
    response = client.get(f"/graph/statements/harris-immigration-2024.{name}")
    assert response.status_code == 200
    quads = store.graph([f"{store.base}graph/statements/harris-immigration-2024"])
    assert len(_parsed(response, name)) == len(quads)


def test_graphs_are_listed_and_unknown_ones_are_not_found(client):
    assert '<a href="/graph/reference">' in client.get("/graph/").text
    assert client.get("/graph/reference", headers=BROWSER).mimetype == "text/html"
    assert client.get("/graph/none").status_code == 404


def test_the_data_set_is_described_elsewhere(client):
    for path in ("/dataset", "/catalog"):
        response = client.get(path)
        assert response.status_code == 303
        assert client.get(response.headers["Location"]).status_code == 200


def test_a_table_leads_to_the_page_of_a_thing(client):
    page = client.get("/").text
    assert 'href="/doc/statement/harris-immigration-2024/' in page


def test_nothing_in_the_data_can_run_in_a_page(serve):
    client = serve(
        'policy:bad a pg:Policy ; skos:prefLabel "<script>alert(1)</script>"@en ; '
        "owl:sameAs <javascript:alert(1)> ; "
        'skos:note "x"@en .'
    )
    page = client.get("/doc/policy/bad", headers=BROWSER).text
    assert "<script" not in page
    assert 'href="javascript' not in page
    assert "javascript:alert(1)" in page


def test_another_base_changes_every_iri_and_no_address(served, copied, tmp_path):
    base = "https://example.org/g/"
    snapshot = take_snapshot(open_project(copied.root, base), place=tmp_path / "snapshots")
    other = replace(
        served, snapshot=snapshot, store=snapshot.open_store(), questions=snapshot.questions()
    )
    client = create_app(other).test_client()
    assert client.get(f"/id/{THING}").headers["Location"] == f"/doc/{THING}"
    paths = [f"/doc/{THING}.ttl", f"/doc/{THING}.html", f"/doc/{THING}.jsonld", "/doc/policy.ttl"]
    for path in [
        *paths,
        "/ns.ttl",
        "/ns.html",
        "/ns/1.0.0",
        "/shapes",
        "/shapes.html",
        "/context.jsonld",
        "/",
    ]:
        response = client.get(path)
        assert response.status_code == 200, path
        assert base in response.text, path
        assert "w3id.org" not in response.text, path


def test_a_real_server_understands_encoded_paths(address):
    """The server hands on PATH_INFO as PEP 3333 says: bytes, decoded as Latin-1."""
    place = urlsplit(address)
    for path, status in {
        b"/id/policy/more%2Dimmigration-judges": b"303",
        b"/id/policy/jos%C3%A9": b"404",
        b"/id/policy/jos\xc3\xa9": b"404",
        b"/id/%FF": b"404",
    }.items():
        with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
            head = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            connection.sendall(head)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.split(b" ")[1] == status, path
        if b"jos" in path:
            assert "id/policy/josé".encode() in answer


def test_a_real_server_follows_a_thing_to_its_document(address):
    response = httpx.get(f"{address}/id/{THING}", follow_redirects=True, headers=BROWSER)
    assert str(response.url) == f"{address}/doc/{THING}"
    assert "immigration judges" in response.text


def test_what_was_replaced_or_withdrawn_is_in_no_list(serve, client):
    changed = serve(
        'policy:old a pg:Policy ; skos:prefLabel "Old"@en ; '
        "dcterms:isReplacedBy policy:more-immigration-judges . "
        'policy:away a pg:Policy ; skos:prefLabel "Away"@en ; owl:deprecated true .'
    )
    for path in ("/doc/policy.nt", "/doc/policy.html", "/doc/index.html", "/"):
        text = changed.get(path).text
        assert text == client.get(path).text
        assert "policy/away" not in text
    sitemap = changed.get("/sitemap-1.xml").text
    assert "/doc/policy/away<" not in sitemap
    assert "/doc/policy/old<" not in sitemap


def test_headings_call_no_person_an_it(client):
    person = client.get("/doc/actor/kamala-harris.html").text
    assert "<h3>Said of Kamala Harris</h3>" in person
    assert "of it<" not in person
    assert "<h3>Said of it</h3>" in client.get(f"/doc/{THING}.html").text
