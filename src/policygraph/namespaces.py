"""The one prefix table: parsers, writers, queries and pages take their prefixes from here."""

DEFAULT_BASE = "https://w3id.org/policygraph/"
"""Where the project's own IRIs live unless `--base` says otherwise."""

KINDS = (
    "actor", "approach", "concept", "dimension", "event", "frame", "goal", "group", "issue",
    "policy", "post", "reason", "region", "setting", "source", "stance", "topic", "type", "voice",
    "passage", "statement",
)  # fmt: skip
"""The type segments of `{base}id/{type}/{slug}`; each is also a prefix. To add one, add a word."""

OWN = {"pg": "ns#", "shape": "shapes#", "graph": "graph/", "scheme": "id/scheme/"} | {
    kind: f"id/{kind}/" for kind in KINDS
}
"""Prefixes of the project's own IRIs, relative to the base."""

FOREIGN = {
    "bibo": "http://purl.org/ontology/bibo/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "eurovoc": "http://eurovoc.europa.eu/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "formats": "http://www.w3.org/ns/formats/",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "http://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "void": "http://rdfs.org/ns/void#",
    "wd": "http://www.wikidata.org/entity/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Prefixes of other vocabularies. To use one more, add a row."""


def prefixes(base: str = DEFAULT_BASE) -> dict[str, str]:
    """Return every prefix with its absolute namespace, the project's own first."""
    return {name: base + path for name, path in OWN.items()} | FOREIGN


def prologue(base: str = DEFAULT_BASE) -> str:
    """Return the prefixes as the head of a SPARQL query."""
    return "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in prefixes(base).items())


def expand(name: str, base: str = DEFAULT_BASE) -> str:
    """Return the IRI that a prefixed name such as `policy:more-immigration-judges` stands for.

    A name without a known prefix is returned as it is.
    """
    prefix, colon, local = name.partition(":")
    namespace = prefixes(base).get(prefix)
    return namespace + local if colon and namespace else name


def shorten(iri: str, base: str = DEFAULT_BASE) -> str:
    """Return an IRI as `prefix:name`, by the longest namespace that fits; else the IRI itself."""
    fits = [pair for pair in prefixes(base).items() if iri.startswith(pair[1]) and iri != pair[1]]
    if not fits:
        return iri
    name, namespace = max(fits, key=lambda pair: len(pair[1]))
    return f"{name}:{iri.removeprefix(namespace)}"


def rebase(text: str, base: str) -> str:
    """Return a query or context written for the default base as one for another base."""
    return text if base == DEFAULT_BASE else text.replace(DEFAULT_BASE, base)
