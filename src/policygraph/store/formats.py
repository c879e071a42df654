"""The formats answers and dumps are written in: one table for commands, server and releases."""

from dataclasses import dataclass
from enum import Enum

import pyoxigraph

from policygraph.errors import UnknownThing


class Kind(Enum):
    """What an answer holds."""

    ROWS = "rows"
    BOOLEAN = "boolean"
    GRAPH = "graph"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its short name (as in `--format`), media type, file ending, what it can hold."""

    name: str
    media_type: str
    extension: str
    kinds: frozenset[Kind]
    engine: pyoxigraph.RdfFormat | pyoxigraph.QueryResultsFormat


_RESULTS = frozenset({Kind.ROWS, Kind.BOOLEAN})
_TABLES = frozenset({Kind.ROWS})
_GRAPHS = frozenset({Kind.GRAPH})
_ANY_RDF = frozenset({Kind.GRAPH, Kind.DATASET})
_RDF = pyoxigraph.RdfFormat
_SPARQL = pyoxigraph.QueryResultsFormat

FORMATS = (
    Format("json", "application/sparql-results+json", "srj", _RESULTS, _SPARQL.JSON),
    Format("xml", "application/sparql-results+xml", "srx", _RESULTS, _SPARQL.XML),
    Format("csv", "text/csv", "csv", _TABLES, _SPARQL.CSV),
    Format("tsv", "text/tab-separated-values", "tsv", _TABLES, _SPARQL.TSV),
    Format("ttl", "text/turtle", "ttl", _GRAPHS, _RDF.TURTLE),
    Format("nt", "application/n-triples", "nt", _GRAPHS, _RDF.N_TRIPLES),
    Format("jsonld", "application/ld+json", "jsonld", _ANY_RDF, _RDF.JSON_LD),
    Format("rdf", "application/rdf+xml", "rdf", _GRAPHS, _RDF.RDF_XML),
    Format("nq", "application/n-quads", "nq", _ANY_RDF, _RDF.N_QUADS),
    Format("trig", "application/trig", "trig", _ANY_RDF, _RDF.TRIG),
)
"""In order of preference when a client does not care. To add a format, add a row."""


def formats_for(kind: Kind) -> tuple[Format, ...]:
    """Return the formats that can hold an answer of this kind, the preferred first."""
    return tuple(format_ for format_ in FORMATS if kind in format_.kinds)


OTHER_NAMES = {"turtle": "ttl", "n-triples": "nt", "n-quads": "nq", "json-ld": "jsonld"}
"""What people also call them."""


def format_named(name: str) -> Format:
    """Return a format by its short name. Raises UnknownThing with the names there are."""
    wanted = OTHER_NAMES.get(name.lower(), name.lower())
    for format_ in FORMATS:
        if format_.name == wanted:
            return format_
    names = ", ".join(format_.name for format_ in FORMATS)
    raise UnknownThing(f"no format '{name}'; there are {names}")
