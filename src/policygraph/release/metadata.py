"""What a release says of itself: VoID and DCAT 3, counted on the graph by SPARQL.

Both are drafts in Turtle, with IRIs relative to the base. They have no blank nodes and no time of
day, so that the same graph is described by the same bytes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from policygraph.jsonld import compact
from policygraph.namespaces import FOREIGN, prefixes, shorten
from policygraph.release.dumps import Dump
from policygraph.store import Store, format_named, parse_file, write_quads
from policygraph.terms import Literal, Row, Term
from policygraph.texts import ni_of

DESCRIPTIONS = ("void.ttl", "dcat.ttl", "dcat.jsonld")

LINKED = {
    "wikidata": ("Wikidata", "http://www.wikidata.org/entity/"),
    "geonames": ("GeoNames", "https://sws.geonames.org/"),
    "eurovoc": ("EuroVoc", "http://eurovoc.europa.eu/"),
    "eu-countries": ("EU countries", "http://publications.europa.eu/resource/authority/country/"),
}
"""Open data that things are linked to: title and namespace. To count links to more, add a row."""

_ABOUT = "SELECT ?property ?value { <%sdataset> ?property ?value FILTER (!isBlank(?value)) }"
_COUNTS = (
    """SELECT (COUNT(DISTINCT *) AS ?triples) (COUNT(DISTINCT ?p) AS ?properties)
         (COUNT(DISTINCT ?s) AS ?distinctSubjects) (COUNT(DISTINCT ?o) AS ?distinctObjects)
       { ?s ?p ?o }""",
    "SELECT (COUNT(DISTINCT ?class) AS ?classes) { ?s a ?class }",
    "SELECT (COUNT(DISTINCT ?s) AS ?entities) { ?s a ?c FILTER STRSTARTS(STR(?s), '%sid/') }",
)
"""The sizes of the data set. As below, the columns are named as VoID's properties are."""
_PARTITIONS = {
    "class": """SELECT ?class (COUNT(DISTINCT ?s) AS ?entities) { ?s a ?class
        FILTER isIRI(?class) } GROUP BY ?class ORDER BY ?class""",
    "property": """SELECT ?property (COUNT(DISTINCT *) AS ?triples) { ?s ?property ?o }
        GROUP BY ?property ORDER BY ?property""",
}
_LINKS = """SELECT ?property (COUNT(DISTINCT *) AS ?triples) { ?s ?property ?o
    FILTER (isIRI(?o) && STRSTARTS(STR(?o), '%s') && STRSTARTS(STR(?s), '%sid/')) }
    GROUP BY ?property ORDER BY ?property"""
_EXAMPLES = """SELECT (MIN(?thing) AS ?example) { ?thing a ?class
    FILTER (?class IN (pg:Source, pg:Passage, pg:Statement, pg:Actor, pg:Policy, pg:Goal)) }
    GROUP BY ?class ORDER BY ?example"""
_ONTOLOGIES = "SELECT ?ontology { ?ontology a owl:Ontology } ORDER BY ?ontology"

_FORMATS = ("Turtle", "N-Triples", "N-Quads", "TriG", "RDF_XML", "JSON-LD")
"""The formats of the dumps, in the W3C's own names."""
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_CATALOGUED = {
    FOREIGN["dcterms"] + name
    for name in ("title", "description", "language", "license", "publisher")
}
"""What the catalogue says in the words of its one data set."""
_CARRIES = {
    False: (
        '"Reference data and statements, without the edges that follow from them."@en',
        '"Datos de referencia y enunciados, sin las aristas que se siguen de ellos."@es',
    ),
    True: (
        '"Everything in its named graphs: vocabulary, reference data, statements, edges."@en',
        '"Todo en sus grafos: vocabulario, datos de referencia, enunciados, aristas."@es',
    ),
}
_DCAT_PREFIXES = ("dcat", "dcterms", "foaf", "spdx", "void", "xsd")
_PREFIXES = [f"@prefix {name}: <{namespace}> ." for name, namespace in FOREIGN.items()]


def write_descriptions(store: Store, dumps: Sequence[Dump], folder: Path, *, id_: str) -> None:
    """Write void.ttl, dcat.ttl and dcat.jsonld into the folder of the dumps."""
    for name, draft in (
        ("void.ttl", void(store, dumps)),
        ("dcat.ttl", dcat(store, dumps, id_=id_)),
    ):
        path = folder / name
        path.write_text(draft, encoding="utf-8")
        quads = parse_file(path, store.base)
        path.write_bytes(write_quads(quads, format_named("ttl"), base=store.base))
    expanded = write_quads(quads, format_named("jsonld"), base=store.base)
    context = {"@context": {name: FOREIGN[name] for name in _DCAT_PREFIXES}}
    (folder / "dcat.jsonld").write_bytes(compact(expanded, context))


def void(store: Store, dumps: Sequence[Dump]) -> str:
    """Describe the data set with VoID: where it is, its sizes, parts, vocabularies and links."""
    formats = ", ".join(f"<http://www.w3.org/ns/formats/{name}>" for name in _FORMATS)
    lines = (
        "<dumps/void.ttl> a void:DatasetDescription ; foaf:primaryTopic <dataset> .",
        f'<dataset> a void:Dataset ; foaf:homepage <> ; void:uriSpace "{store.base}id/" .',
        f"<dataset> void:sparqlEndpoint <sparql> ; void:feature {formats} .",
        *(f"<dataset> void:dataDump <dumps/{dump.name}> ." for dump in dumps),
        *_facts("dataset", _about(store)),
        *_examples(store),
        *_counts(store),
        *_partitions(store),
        *_linksets(store),
    )
    return "\n".join((*_PREFIXES, *lines))


def dcat(store: Store, dumps: Sequence[Dump], *, id_: str) -> str:
    """Describe a release with DCAT 3: a catalogue, its data set, the files and the endpoint."""
    about = _about(store)
    licences = [row for row in about if row["property"] == f"{FOREIGN['dcterms']}license"]
    standards = [f"<{row['ontology']}>" for row in store.select(_ONTOLOGIES)] + ["<shapes>"]
    conforms = f"dcterms:conformsTo {', '.join(standards)}"
    lines = (
        "<catalog> a dcat:Catalog ; dcat:dataset <dataset> ; dcat:service <sparql> .",
        *_facts("catalog", (row for row in about if row["property"] in _CATALOGUED)),
        f"<dataset> a dcat:Dataset ; dcat:landingPage <> ; {conforms} .",
        f"<dataset> dcat:version {_quoted(id_[:12])} .",
        f"<dataset> dcterms:identifier {_quoted(ni_of(id_))}^^xsd:anyURI .",
        *_facts("dataset", about),
        "<sparql> a dcat:DataService ; dcat:endpointURL <sparql> ;",
        "  dcat:endpointDescription <sparql> ; dcat:servesDataset <dataset> .",
        '<sparql> dcterms:title "SPARQL endpoint"@en, "Punto de acceso SPARQL"@es .',
        "<sparql> dcterms:conformsTo <https://www.w3.org/TR/sparql11-protocol/> .",
        *_facts("sparql", licences),
    )
    files = [line for dump in dumps for line in _distribution(dump, conforms, licences)]
    return "\n".join((*_PREFIXES, *lines, *files))


def _about(store: Store) -> list[Row]:
    return store.select(_ABOUT % store.base)


def _facts(subject: str, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield f"<{subject}> <{row['property']}> {_written(row['value'])} ."


def _examples(store: Store) -> Iterator[str]:
    for row in store.select(_EXAMPLES):
        yield f"<dataset> void:exampleResource <{row['example']}> ."


def _counts(store: Store) -> Iterator[str]:
    for query in _COUNTS:
        (row,) = store.select(query.replace("%s", store.base))
        for name, count in row.items():
            yield f"<dataset> void:{name} {count} ."


def _partitions(store: Store) -> Iterator[str]:
    """Yield the parts by class and by property, and the vocabularies these are from."""
    namespaces = prefixes(store.base).values()
    for kind, query in _PARTITIONS.items():
        for row in store.select(query):
            iri = str(row.pop(kind))
            part = f"dataset#{kind}-{_slug(iri, store.base)}"
            yield f"<dataset> void:{kind}Partition <{part}> ."
            yield f"<{part}> a void:Dataset ; void:{kind} <{iri}> ."
            yield from (f"<{part}> void:{name} {count} ." for name, count in row.items())
            for namespace in filter(iri.startswith, namespaces):
                yield f"<dataset> void:vocabulary <{namespace}> ."


def _linksets(store: Store) -> Iterator[str]:
    """Yield a linkset for each link property and data set linked to (VoID, section 5)."""
    for name, (title, namespace) in LINKED.items():
        for row in store.select(_LINKS % (namespace, store.base)):
            iri = str(row["property"])
            part = f"dataset#links-{name}-{_slug(iri, store.base)}"
            yield f"<dataset> void:subset <{part}> ."
            yield f"<{part}> a void:Linkset ; void:linkPredicate <{iri}> ."
            yield f"<{part}> void:triples {row['triples']} ."
            yield f"<{part}> void:subjectsTarget <dataset> ; void:objectsTarget <dataset#{name}> ."
            yield f'<{part}> dcterms:title "Links to {title}"@en, "Enlaces a {title}"@es .'
            yield f"<dataset#{name}> a void:Dataset ; dcterms:title {_quoted(title)} ."
            yield f"<dataset#{name}> void:uriSpace {_quoted(namespace)} ."


def _distribution(dump: Dump, conforms: str, licences: Iterable[Row]) -> Iterator[str]:
    part, address = f"dataset#{dump.name}", f"<dumps/{dump.name}>"
    checksum = f"<{part}-sha256>"
    yield f"<dataset> dcat:distribution <{part}> ."
    yield f"<{part}> a dcat:Distribution ; dcterms:title {_quoted(dump.name)} ; {conforms} ;"
    yield f"  dcterms:description {', '.join(_CARRIES[dump.is_whole])} ;"
    yield f"  dcat:accessURL {address} ; dcat:downloadURL {address} ;"
    yield f"  dcat:mediaType <{_MEDIA_TYPES}{dump.format.media_type}> ;"
    if dump.is_compressed:
        yield f"  dcat:compressFormat <{_MEDIA_TYPES}application/gzip> ;"
    yield f'  dcat:byteSize "{dump.size}"^^xsd:nonNegativeInteger ; spdx:checksum {checksum} .'
    yield f"{checksum} a spdx:Checksum ; spdx:algorithm spdx:checksumAlgorithm_sha256 ;"
    yield f'  spdx:checksumValue "{dump.digest}"^^xsd:hexBinary .'
    yield from _facts(part, licences)


def _slug(iri: str, base: str) -> str:
    return quote(shorten(iri, base).replace(":", "-", 1), safe="")


def _written(term: Term) -> str:
    """Return an IRI or a literal in Turtle."""
    if not isinstance(term, Literal):
        return f"<{term}>"
    suffix = f"@{term.language}" if term.language else f"^^<{term.datatype}>"
    return _quoted(term.value) + suffix


def _quoted(text: str) -> str:
    """Return a string in Turtle, whose escapes JSON's are a part of."""
    return json.dumps(text, ensure_ascii=False)
