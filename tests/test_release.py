"""What is in a release, on the real project: read by independent tools."""

import gzip
import hashlib
import json
from collections import Counter

import pyoxigraph
import pyshacl
import pytest
import rdflib
from pyld import jsonld
from rdflib.namespace import DCTERMS, RDF, SH, VOID, XSD

from policygraph import open_project, write_release

OTHER_BASE = "https://example.org/g/"
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")  # rdflib's own lacks DCAT 3
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
TRIPLES = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}
DATASETS = {"nq": pyoxigraph.RdfFormat.N_QUADS, "trig": pyoxigraph.RdfFormat.TRIG}


def triples(path):
    return set(rdflib.Graph().parse(path, format=TRIPLES[path.suffix[1:]]))


def quads(path):
    return set(pyoxigraph.parse(path=str(path), format=DATASETS[path.suffix[1:]]))


@pytest.fixture(scope="module")
def release(project, tmp_path_factory):
    """Return a release of the real project, to be read only."""
    return write_release(project, tmp_path_factory.mktemp("release") / "new")


@pytest.fixture(scope="module")
def authored(release):
    """Return the triples of policygraph.nt, as rdflib reads them."""
    return triples(release.folder / "policygraph.nt")


@pytest.fixture(scope="module")
def void(release):
    return rdflib.Graph().parse(release.folder / "void.ttl")


@pytest.fixture(scope="module")
def dcat(release):
    return rdflib.Graph().parse(release.folder / "dcat.ttl")


def test_it_has_the_files_it_says(release):
    dumps = {f"policygraph.{name}" for name in (*TRIPLES, *DATASETS)}
    described = {"void.ttl", "dcat.ttl", "dcat.jsonld", "SHA256SUMS"}
    terms = {"ontology.ttl", "shapes.ttl", "context.jsonld"}
    names = {path.name for path in release.folder.iterdir()}
    assert names == dumps | {f"{name}.gz" for name in dumps} | described | terms
    assert set(release.files) == set(release.folder.iterdir())


def test_the_compressed_dumps_are_the_plain_ones_without_time_or_name(release):
    for path in release.folder.glob("*.gz"):
        data = path.read_bytes()
        assert gzip.decompress(data) == path.with_suffix("").read_bytes()
        assert data[:8] == b"\x1f\x8b\x08\0" + bytes(4)


@pytest.mark.parametrize("name", ["ttl", "rdf", "jsonld"])
def test_every_format_holds_the_same_triples(release, authored, name):
    assert triples(release.folder / f"policygraph.{name}") == authored


def test_another_json_ld_processor_reads_the_same_triples(release, authored):
    def refuse(url, _options):
        pytest.fail(f"{url} was asked for")

    document = json.loads((release.folder / "policygraph.jsonld").read_text())
    options = {"format": "application/n-quads", "documentLoader": refuse}
    read = jsonld.to_rdf(document, options)
    assert set(rdflib.Graph().parse(data=read, format="nt")) == authored


def test_the_two_whole_dumps_hold_the_data_set(release, store):
    expected = set(store.graph(store.graph_names()).items)
    assert quads(release.folder / "policygraph.nq") == expected
    assert quads(release.folder / "policygraph.trig") == expected


def test_edges_are_only_where_graphs_are_named(project, release, authored):
    by_graph = Counter(q.graph_name.value for q in quads(release.folder / "policygraph.nq"))
    edges = project.iri("id/source/harris-immigration-2024")
    assert by_graph[edges] > 50
    content = {rdflib.URIRef(project.iri(f"ns#{name}")) for name in ("advocates", "hasGoal")}
    assert not content & {predicate for _, predicate, _ in authored}
    layers = [n for n in by_graph if n.startswith((project.iri("graph/r"), project.iri("graph/s")))]
    assert len(authored) == sum(by_graph[name] for name in layers)


def test_the_id_is_the_canonical_hash_by_another_implementation(release):
    text = (release.folder / "policygraph.nq").read_text()
    options = {"algorithm": "URDNA2015", "inputFormat": "application/n-quads"}
    canonical = jsonld.normalize(text, options | {"format": "application/n-quads"})
    assert hashlib.sha256(canonical.encode()).hexdigest() == release.id


def test_turtle_is_laid_out_for_readers(release):
    text = (release.folder / "policygraph.ttl").read_text()
    head, *blocks = text.split("\n\n")
    prefixes = [line.split()[1] for line in head.splitlines()]
    assert prefixes == sorted(prefixes)
    assert all(f"{prefix}" in "".join(blocks) for prefix in prefixes)
    assert all(" a " in block.splitlines()[0] for block in blocks)
    numbers = [
        int(block.split()[0].split("/")[1]) for block in blocks if "statement:" in block[:10]
    ]
    assert numbers == sorted(numbers)
    assert max(len(line) for line in text.splitlines() if '"' not in line) <= 100


@pytest.mark.parametrize("name", ["ontology.ttl", "shapes.ttl", "void.ttl", "dcat.ttl"])
def test_no_iri_depends_on_where_the_file_lies(project, release, name):
    graph = rdflib.Graph().parse(release.folder / name, publicID="urn:elsewhere/")
    terms = {term for triple in graph for term in triple if isinstance(term, rdflib.URIRef)}
    assert [term for term in terms if term.startswith("urn:elsewhere")] == []
    assert any(term.startswith(project.base) for term in terms)
    assert [str(n) for n in graph.objects(None, SH.namespace) if ":" not in n] == []


def test_what_is_published_keeps_the_published_rules(release):
    found = (quad.triple for quad in quads(release.folder / "policygraph.nq"))
    lines = pyoxigraph.serialize(found, format=pyoxigraph.RdfFormat.N_TRIPLES)
    data = rdflib.Graph().parse(data=lines, format="nt")
    shapes = rdflib.Graph().parse(release.folder / "shapes.ttl")
    conforms, _, text = pyshacl.validate(
        data, shacl_graph=shapes, allow_infos=True, allow_warnings=True
    )
    assert conforms, text


@pytest.mark.parametrize("name", ["void.ttl", "dcat.ttl", "ontology.ttl", "policygraph.nt"])
def test_there_are_no_blank_nodes(release, name):
    assert "_:" not in (release.folder / name).read_text().replace('"_:', "")


def test_void_counts_what_is_there(project, release, void):
    dataset = rdflib.URIRef(project.iri("dataset"))
    found = {(q.subject, q.predicate, q.object) for q in quads(release.folder / "policygraph.nq")}
    assert int(void.value(dataset, VOID.triples)) == len(found) == release.triples
    assert int(void.value(dataset, VOID.distinctSubjects)) == len({s for s, _, _ in found})
    by_property = Counter(predicate.value for _, predicate, _ in found)
    parts = void.objects(dataset, VOID.propertyPartition)
    counted = {str(void.value(p, VOID.property)): int(void.value(p, VOID.triples)) for p in parts}
    assert counted == by_property
    by_class = Counter(o.value for _, p, o in found if p.value == str(RDF.type))
    parts = void.objects(dataset, VOID.classPartition)
    counted = {str(void.value(p, VOID["class"])): int(void.value(p, VOID.entities)) for p in parts}
    assert counted == by_class


def test_void_counts_the_links_to_other_open_data(void, authored):
    linksets = list(void.subjects(RDF.type, VOID.Linkset))
    targets = set()
    for linkset in linksets:
        target = void.value(linkset, VOID.objectsTarget)
        space, link = void.value(target, VOID.uriSpace), void.value(linkset, VOID.linkPredicate)
        links = [o for _, p, o in authored if p == link and str(o).startswith(str(space))]
        assert int(void.value(linkset, VOID.triples)) == len(links) > 0
        targets.add(str(void.value(target, DCTERMS.title)))
    assert targets >= {"Wikidata", "GeoNames", "EuroVoc"}


def test_void_says_where_the_data_is(project, release, void):
    dataset = rdflib.URIRef(project.iri("dataset"))
    dumps = {f"{project.base}dumps/{p.name}" for p in release.folder.glob("policygraph.*")}
    assert {str(dump) for dump in void.objects(dataset, VOID.dataDump)} == dumps
    assert str(void.value(dataset, VOID.sparqlEndpoint)) == project.iri("sparql")
    assert str(void.value(dataset, VOID.uriSpace)) == project.iri("id/")
    assert {title.language for title in void.objects(dataset, DCTERMS.title)} == {"en", "es"}
    named = {q.subject.value for q in quads(release.folder / "policygraph.nq")}
    assert {str(example) for example in void.objects(dataset, VOID.exampleResource)} <= named


def test_dcat_describes_each_file_as_it_is(release, dcat):
    described = set()
    for node in dcat.subjects(RDF.type, DCAT.Distribution):
        name = str(dcat.value(node, DCAT.downloadURL)).rsplit("/", 1)[1]
        data = (release.folder / name).read_bytes()
        size, checksum = dcat.value(node, DCAT.byteSize), dcat.value(node, SPDX.checksum)
        assert (int(size), size.datatype) == (len(data), XSD.nonNegativeInteger)
        digest = hashlib.sha256(data).hexdigest()
        assert str(dcat.value(checksum, SPDX.checksumValue)) == digest
        assert (dcat.value(node, DCAT.compressFormat) is not None) == name.endswith(".gz")
        assert (node, DCTERMS.license, None) in dcat
        described.add(name)
    assert described == {path.name for path in release.folder.glob("policygraph.*")}


def test_dcat_names_version_endpoint_and_catalogue(project, release, dcat):
    dataset, endpoint = (rdflib.URIRef(project.iri(name)) for name in ("dataset", "sparql"))
    assert str(dcat.value(dataset, DCAT.version)) == release.id[:12]
    assert (endpoint, DCAT.servesDataset, dataset) in dcat
    (catalogue,) = dcat.subjects(RDF.type, DCAT.Catalog)
    assert set(dcat.objects(catalogue, DCAT.dataset)) == {dataset}
    assert (dataset, DCTERMS.conformsTo, rdflib.URIRef(project.iri("shapes"))) in dcat


def test_dcat_says_the_same_in_json_ld(release, dcat):
    read = rdflib.Graph().parse(release.folder / "dcat.jsonld", format="json-ld")
    assert set(read) == set(dcat)


def test_another_base_is_in_every_file(project, tmp_path):
    moved = write_release(open_project(project.root, OTHER_BASE), tmp_path / "moved")
    for path in moved.folder.iterdir():
        if path.suffix not in {".gz", ""}:
            text = path.read_text()
            assert OTHER_BASE in text
            assert project.base not in text, path.name
    shapes = rdflib.Graph().parse(moved.folder / "shapes.ttl")
    assert rdflib.Literal(f"{OTHER_BASE}ns#", datatype=XSD.anyURI) in set(
        shapes.objects(None, SH.namespace)
    )
