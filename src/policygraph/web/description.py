"""The service description of the endpoint (SPARQL 1.1 Service Description), and its limits.

Its IRIs are relative to the address that it is asked at, so it does not depend on the host. No
vocabulary has terms for what a query may use, so each limit is a schema:PropertyValue of the
service; its IRI leads to the row of /limits that explains it.
"""

import json
from collections.abc import Iterator
from urllib.parse import quote

from flask import url_for

from policygraph.store import Format, Kind, formats_for, parse_turtle
from policygraph.web.kept import kept
from policygraph.web.limits import Unit, limits_in_force
from policygraph.web.rdf import written
from policygraph.web.served import current

LARGEST_COUNTED = 1_000_000
"""Triples up to which each named graph is counted; of a larger data set it would take seconds."""

_NAMES = {
    "json": "SPARQL_Results_JSON",
    "xml": "SPARQL_Results_XML",
    "csv": "SPARQL_Results_CSV",
    "tsv": "SPARQL_Results_TSV",
    "ttl": "Turtle",
    "nt": "N-Triples",
    "jsonld": "JSON-LD",
    "rdf": "RDF_XML",
    "nq": "N-Quads",
    "trig": "TriG",
}
"""The W3C's names of the formats, in <http://www.w3.org/ns/formats/>."""
_CODES = {Unit.SECONDS: "SEC", Unit.BYTES: "AD"}
"""The codes of units in UN/CEFACT Recommendation 20, which schema:unitCode takes."""
_PREFIXES = """\
@prefix formats: <http://www.w3.org/ns/formats/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix void: <http://rdfs.org/ns/void#> ."""
_COUNTS = "SELECT ?graph (COUNT(*) AS ?triples) { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph"


def service_description(format_: Format) -> bytes:
    """Return what programs need to know before they ask, in a format of RDF."""
    draft = "\n".join((_PREFIXES, *_service(), *_dataset(), *_limits()))
    return written(parse_turtle(draft, url_for("sparql.ask", _external=True)), format_)


def _service() -> Iterator[str]:
    formats = dict.fromkeys((*formats_for(Kind.ROWS), *formats_for(Kind.GRAPH)))
    yield "<> a sd:Service ; sd:endpoint <> ; sd:supportedLanguage sd:SPARQL11Query ."
    yield "<> sd:feature sd:UnionDefaultGraph ."
    if current().settings.allowed_services:
        yield "<> sd:feature sd:BasicFederatedQuery ."
    for format_ in formats:
        yield f"<> sd:resultFormat formats:{_NAMES[format_.name]} ."
    yield "<> rdfs:seeAlso <limits>, <.well-known/void> ."


def _dataset() -> Iterator[str]:
    """Yield the graphs that a query sees when it names none."""
    served = current()
    dataset = f"<{served.base}dataset>"
    yield f"<> sd:defaultDataset {dataset} ."
    yield f"{dataset} a sd:Dataset, void:Dataset ; sd:defaultGraph <#default-graph> ;"
    yield "  void:sparqlEndpoint <> ."
    yield f"<#default-graph> a sd:Graph ; void:triples {served.snapshot.triples} ."
    for name, triples in kept("named graphs", _named_graphs):
        graph = f"#{quote(name.removeprefix(served.base), safe='/')}"
        yield f"{dataset} sd:namedGraph <{graph}> ."
        yield f"<{graph}> a sd:NamedGraph ; sd:name <{name}> ."
        if triples is not None:
            yield f"<{graph}> sd:graph <{graph}-content> ."
            yield f"<{graph}-content> a sd:Graph ; void:triples {triples} ."


def _named_graphs() -> list[tuple[str, int | None]]:
    """Return the named graphs and how many triples each has; None where that is not counted."""
    served = current()
    names = served.store.graph_names()
    if served.snapshot.triples > LARGEST_COUNTED:
        return [(name, None) for name in names]
    rows = served.store.select(_COUNTS)
    counts = {str(row["graph"]): int(str(row["triples"])) for row in rows}
    return [(name, counts.get(name, 0)) for name in names]


def _limits() -> Iterator[str]:
    for limit in limits_in_force():
        iri = f"<limits#{limit.name}>"
        yield f"<> schema:additionalProperty {iri} ."
        yield f'{iri} a schema:PropertyValue ; schema:name "{limit.name}" ;'
        yield f"  schema:description {json.dumps(limit.meaning)}@en ;"
        yield f'  schema:value {limit.value:.15g} ; schema:unitText "{limit.unit.value}" .'
        if limit.unit in _CODES:
            yield f'{iri} schema:unitCode "{_CODES[limit.unit]}" .'
