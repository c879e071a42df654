"""What is sent for an Accept header: a table of what clients send and what they should get."""

import pytest

from policygraph.store import Kind
from policygraph.web.negotiation import offers_for, preferred

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
COMUNICA = (
    "application/sparql-results+json;q=1.0,application/sparql-results+xml;q=0.7,"
    "application/json;q=0.5,*/*;q=0.1"
)
JQUERY = "application/json, text/javascript, */*; q=0.01"

ROWS = [
    ("", "json", "no header"),
    ("*/*", "json", "curl"),
    (FIREFOX, "html", "Firefox"),
    (CHROMIUM, "html", "Chromium"),
    (COMUNICA, "json", "Comunica"),
    (JQUERY, "json", "jQuery"),
    ("text/csv", "csv", "exact"),
    ("TEXT/CSV", "csv", "case"),
    ("text/csv;charset=utf-8", "csv", "a parameter"),
    ("text/csv ; q = 0.5 , text/tab-separated-values", "tsv", "spaces"),
    ("text/csv;q=0.5,text/tab-separated-values;q=0.6", "tsv", "weights"),
    ("text/tab-separated-values,text/csv", "csv", "equal weights: the server's order"),
    ("text/*", "csv", "a range"),
    ("application/*", "json", "another range"),
    ("application/*,application/sparql-results+json;q=0.1", "xml", "the most specific decides"),
    ("*/*;q=0.1,application/sparql-results+xml;q=0.2", "xml", "a wildcard is a last resort"),
    ("application/sparql-results+json;q=0,*/*", "xml", "0 forbids, whatever a wildcard says"),
    ("application/xml", "xml", "another name"),
    ("image/png", None, "nothing there is"),
    ("text/turtle", None, "rows are no graph"),
    ("*/*;q=0", None, "nothing is wanted"),
    ("nonsense", "json", "no media range is as good as no header"),
    ("text/csv;q=much", "csv", "a weight that is none counts as 1"),
    ("text/csv;q=7", "csv", "so does one that is too high"),
    (",,text/csv,,", "csv", "empty members"),
]
GRAPHS = [
    ("", "ttl", "no header"),
    (FIREFOX, "html", "Firefox"),
    ("application/rdf+xml", "rdf", "RDF/XML"),
    ("application/ld+json", "jsonld", "JSON-LD"),
    ("application/json", "jsonld", "JSON"),
    ("application/n-quads,application/trig;q=0.9", "nq", "quads"),
    ("text/plain", "nt", "an old name"),
    ("text/turtle;q=0.5,application/rdf+xml;q=0.5", "ttl", "rdflib's store"),
    ("text/csv", None, "a graph is no table"),
]


def _name(kind, accept):
    offer = preferred(accept, offers_for(kind))
    return offer and offer.name


@pytest.mark.parametrize(("accept", "name"), [row[:2] for row in ROWS], ids=[r[2] for r in ROWS])
def test_rows(accept, name):
    assert _name(Kind.ROWS, accept) == name


@pytest.mark.parametrize(
    ("accept", "name"), [row[:2] for row in GRAPHS], ids=[r[2] for r in GRAPHS]
)
def test_graphs(accept, name):
    assert _name(Kind.GRAPH, accept) == name


@pytest.mark.parametrize("accept", ["text/csv", "text/tab-separated-values"])
def test_a_boolean_is_no_table(accept):
    assert _name(Kind.BOOLEAN, accept) is None


def test_an_answer_has_the_type_that_was_asked_for():
    """A client that names `application/json` alone would not take the type SPARQL gives it."""
    offer = preferred("application/json", offers_for(Kind.ROWS))
    assert offer.content_type == "application/json"


def test_text_says_its_charset():
    offers = {offer.name: offer.content_type for offer in reversed(offers_for(Kind.ROWS))}
    assert offers["csv"] == "text/csv; charset=utf-8"
    assert offers["json"] == "application/sparql-results+json"
