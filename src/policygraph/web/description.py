"""The service description (SPARQL 1.1 Service Description) of the endpoint, in Turtle.

Its IRIs are relative to where it is read from, so it does not depend on the host.
"""

from policygraph.store import Kind, formats_for
from policygraph.web.served import current

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

_TURTLE = """\
@prefix formats: <http://www.w3.org/ns/formats/> .
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix void: <http://rdfs.org/ns/void#> .

<> a sd:Service ;
    sd:endpoint <> ;
    sd:supportedLanguage sd:SPARQL11Query ;
    sd:feature sd:UnionDefaultGraph ;
    sd:resultFormat {formats} ;
    sd:defaultDataset <{base}dataset> .

<{base}dataset> a sd:Dataset ;
    sd:defaultGraph <#default-graph> .

<#default-graph> a sd:Graph ;
    void:triples {triples} .
"""


def service_description() -> str:
    """Return what programs need to know before they ask."""
    served = current()
    formats = dict.fromkeys((*formats_for(Kind.ROWS), *formats_for(Kind.GRAPH)))
    return _TURTLE.format(
        formats=", ".join(f"formats:{_NAMES[format_.name]}" for format_ in formats),
        base=served.project.base,
        triples=len(served.store),
    )
