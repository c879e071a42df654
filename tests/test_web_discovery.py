"""What a stranger finds by itself: descriptions, files, what to crawl."""

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic

from policygraph.web import create_app, dumps

FORMATS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nq": "application/n-quads",
    "trig": "application/trig",
}
PARSERS = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
DUMP = "/dumps/policygraph.nt"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
VOID, SD, DCAT, SCHEMA = (
    "http://rdfs.org/ns/void#",
    "http://www.w3.org/ns/sparql-service-description#",
    "http://www.w3.org/ns/dcat#",
    "http://schema.org/",
)


@pytest.fixture
def sent(client):
    """Return a function that asks for a file, reads what is sent, and lets go of the file."""

    def ask(path, headers=None):
        return client.get(path, headers=headers, buffered=True)

    return ask


def _parsed(response, name="ttl"):
    return Graph().parse(data=response.data, format=PARSERS[name])


@pytest.mark.parametrize("path", ["/void", "/.well-known/void", "/dcat"])
@pytest.mark.parametrize("name", FORMATS)
def test_descriptions_come_in_every_format(client, path, name):
    response = client.get(path, headers={"Accept": FORMATS[name]})
    assert (response.status_code, response.mimetype) == (200, FORMATS[name])
    assert "Accept" in response.vary
    assert client.get(path, query_string={"format": name}).data == response.data
    if name in PARSERS:
        assert isomorphic(_parsed(response, name), _parsed(client.get(path)))


@pytest.mark.parametrize("path", ["/void", "/.well-known/void", "/dcat"])
def test_people_see_descriptions_on_a_page(client, path):
    page = client.get(path, headers={"Accept": BROWSER})
    assert page.mimetype == "text/html"
    assert "@prefix dcterms:" in page.text


def test_a_description_names_its_other_formats(client):
    link = client.get("/void").headers["Link"]
    assert [
        type_ for type_ in FORMATS.values() if f'rel="alternate"; type="{type_}"' not in link
    ] == []
    for address in re.findall(r"<([^>]*)>", link):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("name", FORMATS)
def test_an_extension_names_a_format(client, name):
    response = client.get(f"/void.{name}", headers={"Accept": BROWSER})
    assert response.mimetype == FORMATS[name]
    assert response.data == client.get(f"/void?format={name}").data
    assert (
        client.get("/void", headers={"Accept": FORMATS[name]})
        .headers["Content-Location"]
        .endswith(f"/void.{name}")
    )


def test_there_is_no_description_in_another_format(client):
    assert client.get("/void.xyz").status_code == 404
    assert client.get("/void", headers={"Accept": "image/png"}).status_code == 406


def test_void_has_the_parts_of_the_data_set(client):
    void = _parsed(client.get("/.well-known/void"))
    for name in ("classPartition", "propertyPartition", "dataDump", "sparqlEndpoint"):
        assert (None, URIRef(VOID + name), None) in void


def test_the_address_of_each_file_is_the_base_and_a_path_that_is_served(client, served):
    dcat = _parsed(client.get("/dcat"))
    addresses = {str(iri) for iri in dcat.objects(None, URIRef(f"{DCAT}downloadURL"))}
    assert len(addresses) > 10
    for address in addresses:
        assert (
            client.head("/" + address.removeprefix(served.base), buffered=True).status_code == 200
        )


def test_no_description_has_a_blank_node(client):
    for path in ("/void", "/dcat", "/sparql"):
        assert b"_:" not in client.get(path, query_string={"format": "nt"}).data


def test_the_list_has_every_file_with_its_size_and_checksum(client, sent, snapshot):
    listed = {file["name"]: file for file in _list(client)}
    assert set(listed) == {path.name for path in snapshot.dumps.iterdir()}
    for name, file in listed.items():
        content = (snapshot.dumps / name).read_bytes()
        assert file["size"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert sent(file["address"]).data == content


def _list(client):
    return client.get("/dumps/", headers={"Accept": "application/json"}).json["files"]


def test_the_list_counts_triples(client, snapshot):
    counted = {file["name"]: file.get("triples") for file in _list(client)}
    for name in ("policygraph.ttl", "ontology.ttl", "void.ttl"):
        assert counted[name] == len(Graph().parse(snapshot.dumps / name))
    assert counted["policygraph.nq"] == snapshot.triples
    assert counted["context.jsonld"] is None


def test_the_list_is_a_page_whose_links_a_program_follows(client):
    page = client.get("/dumps/")
    assert page.mimetype == "text/html"
    for file in _list(client):
        assert f'href="{file["address"]}"' in page.text
        assert file["sha256"] in page.text


def test_the_list_in_rdf_is_the_catalogue(client):
    assert client.get("/dumps/?format=ttl").data == client.get("/dcat?format=ttl").data


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("policygraph.ttl", "text/turtle"),
        ("policygraph.nq", "application/n-quads"),
        ("policygraph.nq.gz", "application/gzip"),
        ("policygraph.ttl.gz", "application/gzip"),
        ("context.jsonld", "application/ld+json"),
        ("policygraph.rdf", "application/rdf+xml"),
        ("SHA256SUMS", "text/plain"),
    ],
)
def test_each_file_has_its_media_type_and_no_coding(sent, name, media_type):
    response = sent(f"/dumps/{name}", headers={"Accept-Encoding": "gzip"})
    assert response.mimetype == media_type
    assert "Content-Encoding" not in response.headers
    assert response.cache_control.no_transform


def test_a_file_says_what_proves_it(sent, snapshot):
    response = sent(DUMP)
    digest = hashlib.sha256(response.data)
    assert response.headers["Repr-Digest"] == (
        f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    )
    assert response.headers["ETag"] == f'"{digest.hexdigest()}"'
    assert response.last_modified == snapshot.made.replace(microsecond=0)
    assert response.cache_control.max_age == dumps.SECONDS_KEPT
    assert response.cache_control.public


def test_a_part_is_proved_by_the_digest_of_the_whole(sent):
    whole, part = sent(DUMP), sent(DUMP, headers={"Range": "bytes=10-19"})
    assert part.headers["Repr-Digest"] == whole.headers["Repr-Digest"]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=500-", slice(500, None)),
        ("bytes=-7", slice(-7, None)),
    ],
)
def test_a_range_is_answered_with_that_part(sent, asked, wanted):
    whole = sent(DUMP).data
    response = sent(DUMP, headers={"Range": asked})
    assert response.status_code == 206
    assert response.data == whole[wanted]
    assert response.headers["Content-Range"].endswith(f"/{len(whole)}")
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=x", "bytes=9-3;", "\u00e9"])
def test_a_range_that_is_not_understood_is_passed_over(sent, asked):
    response = sent(DUMP, headers={"Range": asked})
    assert response.status_code == 200
    assert "Content-Range" not in response.headers


def test_a_range_past_the_end_is_refused_and_told_the_size(sent):
    size = len(sent(DUMP).data)
    response = sent(DUMP, headers={"Range": f"bytes={size}-"})
    assert response.status_code == 416
    assert response.mimetype == "application/problem+json"
    assert response.headers["Content-Range"] == f"bytes */{size}"


def test_a_download_of_another_version_begins_anew(sent):
    etag = sent(DUMP).headers["ETag"]
    for condition, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200)):
        headers = {"Range": "bytes=5-", "If-Range": condition}
        assert sent(DUMP, headers=headers).status_code == status


def test_a_file_that_is_known_is_not_sent_again(sent):
    etag = sent(DUMP).headers["ETag"]
    response = sent(DUMP, headers={"If-None-Match": etag})
    assert (response.status_code, response.data) == (304, b"")


def test_a_file_that_is_another_now_is_not_sent(sent):
    etag = sent(DUMP).headers["ETag"]
    assert sent(DUMP, headers={"If-Match": etag}).status_code == 200
    response = sent(DUMP, headers={"If-Match": '"other"'})
    assert (response.status_code, response.mimetype) == (412, "application/problem+json")


def test_one_client_gets_few_large_files_at_once(client, sent, monkeypatch):
    monkeypatch.setattr(dumps, "LARGE", 1000)
    on_their_way = [client.get(DUMP) for _ in range(dumps.MOST_OF_ONE)]
    assert {response.status_code for response in on_their_way} == {200}
    assert sent(DUMP).status_code == 429
    assert sent("/dumps/SHA256SUMS", headers={"Range": "bytes=0-9"}).status_code == 206
    for response in on_their_way:
        response.close()
    assert sent(DUMP).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/dumps/nothing.ttl",
        "/dumps/about.json",
        "/dumps/../about.json",
        "/dumps/..%2fabout.json",
        "/dumps/%2e%2e/about.json",
        "/dumps//etc/passwd",
        "/dumps/..",
        "/dumps/policygraph.ttl%00.gz",
        "/dumps/SHA256SUMS/",
        "/dumps/.%5c..%5cabout.json",
    ],
)
def test_only_files_of_the_release_are_sent(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize("name", ["policygraph.nq", "policygraph.ttl.gz", "policygraph.trig"])
def test_what_no_browser_shows_is_saved_under_its_name(sent, name):
    disposition = sent(f"/dumps/{name}").headers["Content-Disposition"]
    assert disposition == f"attachment; filename={name}"


@pytest.mark.parametrize("name", ["policygraph.ttl", "SHA256SUMS", "dcat.jsonld"])
def test_what_a_browser_shows_is_shown(sent, name):
    assert not sent(f"/dumps/{name}").headers.get("Content-Disposition", "").startswith("att")


def test_curl_goes_on_with_a_download_where_it_stopped(address, tmp_path):
    whole = _curl(f"{address}{DUMP}")
    (tmp_path / "part.nt").write_bytes(whole[:1000])
    _curl("-C", "-", "-o", str(tmp_path / "part.nt"), f"{address}{DUMP}")
    assert (tmp_path / "part.nt").read_bytes() == whole


def test_the_files_taken_with_curl_pass_the_checksums(address, tmp_path):
    for name in ("SHA256SUMS", "policygraph.nq.gz", "ontology.ttl"):
        _curl("--compressed", "-o", str(tmp_path / name), f"{address}/dumps/{name}")
    subprocess.run(
        ["sha256sum", "--check", "--ignore-missing", "SHA256SUMS"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=20,
    )


def _curl(*arguments):
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--max-time", "20", *arguments],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def test_crawlers_are_asked_to_take_pages_and_to_run_no_query(client):
    text = client.get("/robots.txt").text
    assert "Disallow: /sparql?\n" in text
    assert "Allow: /\n" in text
    assert "Sitemap: http://localhost/sitemap.xml\n" in text


def test_the_sitemap_leads_to_the_page_of_every_thing(client, store):
    paths = _sitemap(client)
    assert len(paths) == len(set(paths))
    assert {"/", "/dumps/", "/limits"} <= set(paths)
    rows = store.select("SELECT DISTINCT ?s { ?s a pg:Policy }")
    things = {f"/doc/{row['s'].removeprefix(f'{store.base}id/')}" for row in rows}
    assert things
    assert things <= set(paths)


def _sitemap(client):
    index = ET.fromstring(client.get("/sitemap.xml").data)  # noqa: S314 - our own
    paths = []
    for part in index.iter(f"{SITEMAP}loc"):
        found = ET.fromstring(client.get(part.text).data)  # noqa: S314 - our own
        assert found.findtext(f"{SITEMAP}url/{SITEMAP}lastmod")
        paths += [loc.text.removeprefix("http://localhost") for loc in found.iter(f"{SITEMAP}loc")]
    return paths


def test_pages_of_the_sitemap_are_there(client):
    for path in [path for path in _sitemap(client) if not path.startswith("/doc/")]:
        assert client.get(path, headers={"Accept": BROWSER}).status_code == 200, path


def test_there_is_no_sitemap_beyond_the_last(client):
    for number in ("0", "2", "99999999999999999999"):
        assert client.get(f"/sitemap-{number}.xml").status_code == 404


def test_addresses_are_those_of_the_host_that_is_asked(client):
    for path in ("/robots.txt", "/sitemap.xml", "/sitemap-1.xml"):
        text = client.get(path, base_url="https://graph.example:8443/").text
        assert "https://graph.example:8443/" in text
        assert "localhost" not in text


def test_the_service_describes_what_it_understands(client):
    graph = _parsed(client.get("/sparql"))
    service = URIRef("http://localhost/sparql")
    assert (service, URIRef(f"{SD}endpoint"), service) in graph
    assert (service, URIRef(f"{SD}supportedLanguage"), URIRef(f"{SD}SPARQL11Query")) in graph
    features = set(graph.objects(service, URIRef(f"{SD}feature")))
    assert features == {URIRef(f"{SD}UnionDefaultGraph")}
    formats = {
        str(iri).rsplit("/", 1)[-1] for iri in graph.objects(None, URIRef(f"{SD}resultFormat"))
    }
    assert {"SPARQL_Results_JSON", "SPARQL_Results_CSV", "Turtle", "JSON-LD"} <= formats


def test_the_service_says_that_it_asks_others_where_it_may(served):
    settings = replace(served.settings, allowed_services=("https://other.example/sparql",))
    client = create_app(replace(served, settings=settings)).test_client()
    assert (None, URIRef(f"{SD}feature"), URIRef(f"{SD}BasicFederatedQuery")) in _parsed(
        client.get("/sparql")
    )


def test_the_service_names_its_graphs_and_counts_them(client, store):
    graph = _parsed(client.get("/sparql"))
    names = {str(name) for name in graph.objects(None, URIRef(f"{SD}name"))}
    assert names == set(store.graph_names())
    for named in graph.subjects(URIRef(f"{SD}name")):
        name, content = (graph.value(named, URIRef(f"{SD}{part}")) for part in ("name", "graph"))
        assert int(graph.value(content, URIRef(f"{VOID}triples"))) == len(store.graph([str(name)]))


def test_the_service_tells_its_limits(client, served):
    graph = _parsed(client.get("/sparql"))
    told = {
        str(graph.value(limit, URIRef(f"{SCHEMA}name"))): float(
            graph.value(limit, URIRef(f"{SCHEMA}value"))
        )
        for limit in graph.objects(None, URIRef(f"{SCHEMA}additionalProperty"))
    }
    listed = client.get("/limits").json["limits"]
    assert told == {row["name"]: row["value"] for row in listed}
    assert told["seconds"] == served.settings.limits.seconds


@pytest.mark.parametrize("name", PARSERS)
def test_the_service_description_comes_in_every_format(client, name):
    response = client.get("/sparql", headers={"Accept": FORMATS[name]})
    assert response.mimetype == FORMATS[name]
    assert isomorphic(_parsed(response, name), _parsed(client.get("/sparql?format=ttl")))


def test_json_documents_are_json(client):
    for path in ("/dumps/?format=json", "/void?format=jsonld", "/dcat?format=jsonld"):
        assert json.loads(client.get(path).data)


def test_every_page_leads_to_the_descriptions(client):
    head = client.get("/", headers={"Accept": BROWSER}).text.partition("</head>")[0]
    for address in ("/.well-known/void", "/sparql"):
        assert f'href="{address}"' in head
