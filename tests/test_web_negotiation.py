"""What is sent for an Accept header: a table of what clients send and what they should get."""

import pytest

from policygraph.store import Kind
from policygraph.web.faults import NotAcceptable
from policygraph.web.negotiation import acceptable, chosen, offers_for, preferred, wants_page

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
COMUNICA = (
    "application/sparql-results+json;q=1.0,application/sparql-results+xml;q=0.7,"
    "application/json;q=0.5,*/*;q=0.1"
)
FIREFOX_128 = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,"
    "image/svg+xml,*/*;q=0.8"
)
SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JENA = (
    "application/sparql-results+json, application/sparql-results+xml;q=0.9, "
    "text/tab-separated-values;q=0.7, text/csv;q=0.5, application/json;q=0.2, "
    "application/xml;q=0.2, */*;q=0.1"
)
JENA_GRAPH = (
    "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,"
    "application/rdf+xml;q=0.7,text/trig,application/n-quads;q=0.9,*/*;q=0.3"
)
RDF4J = (
    "application/x-binary-rdf-results-table;q=0.8, application/sparql-results+xml;q=0.8, "
    "application/xml;q=0.8, application/sparql-results+json, application/json"
)
RDF4J_BOOLEAN = (
    "text/boolean, application/sparql-results+xml;q=0.8, application/xml;q=0.8, "
    "application/sparql-results+json;q=0.8, application/json;q=0.8"
)
RDF4J_GRAPH = (
    "application/x-binary-rdf, application/trix;q=0.8, application/x-turtle;q=0.8, "
    "text/rdf+n3;q=0.8, text/plain;q=0.6"
)
WRAPPER = "application/sparql-results+json,application/json,text/javascript,application/javascript"
WRAPPER_N3 = (
    "application/turtle,text/turtle,text/rdf+n3,application/n-triples,application/n3,text/n3"
)
YASGUI = "application/sparql-results+json,*/*;q=0.9"
RDFLIB = "application/sparql-results+xml, application/rdf+xml"
JQUERY = "application/json, text/javascript, */*; q=0.01"

ROWS = [
    ("", "json", "no header"),
    ("*/*", "json", "curl"),
    (FIREFOX, "html", "Firefox"),
    (CHROMIUM, "html", "Chromium"),
    (COMUNICA, "json", "Comunica"),
    (JQUERY, "json", "jQuery"),
    (FIREFOX_128, "html", "Firefox of 2024"),
    (SAFARI, "html", "Safari"),
    (JENA, "json", "Jena"),
    (RDF4J, "json", "RDF4J"),
    (WRAPPER, "json", "SPARQLWrapper"),
    (YASGUI, "json", "YASGUI"),
    (RDFLIB, "xml", "rdflib"),
    ('application/sparql-results+json;profile="a,b"', "json", "a profile"),
    ("text/csv, text/csv;q=0", "csv", "the same range twice"),
    ("text/html;q=0.5, */*;q=0.1", "html", "a person who takes anything else too"),
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
    (JENA_GRAPH, "ttl", "Jena"),
    (RDF4J_GRAPH, "ttl", "RDF4J"),
    (WRAPPER_N3, "ttl", "SPARQLWrapper"),
    (RDFLIB, "rdf", "rdflib"),
    (SAFARI, "html", "Safari"),
    ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "jsonld", "a profile"),
    ("text/n3", "ttl", "Notation 3"),
    ("text/x-nquads", "nq", "quads by an old name"),
    ("application/x-trig", "trig", "TriG by an old name"),
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


NAMES = [
    (Kind.ROWS, "csv", "csv"),
    (Kind.ROWS, " CSV ", "csv"),
    (Kind.ROWS, "text/csv", "csv"),
    (Kind.ROWS, "text/csv; charset=utf-8", "csv"),
    (Kind.ROWS, "json", "json"),
    (Kind.ROWS, "application/sparql-results+json", "json"),
    (Kind.ROWS, "application/sparql-results json", "json"),
    (Kind.ROWS, "html", "html"),
    (Kind.ROWS, "ttl", None),
    (Kind.GRAPH, "turtle", "ttl"),
    (Kind.GRAPH, "json", "jsonld"),
    (Kind.GRAPH, "json-ld", "jsonld"),
    (Kind.GRAPH, "xml", "rdf"),
    (Kind.GRAPH, "rdf+xml", "rdf"),
    (Kind.GRAPH, "n3", "ttl"),
    (Kind.GRAPH, "text/html", "html"),
    (Kind.GRAPH, "docx", None),
    (Kind.BOOLEAN, "xml", "xml"),
    (Kind.BOOLEAN, "csv", None),
]


@pytest.mark.parametrize(("kind", "wanted", "name"), NAMES)
def test_a_format_goes_by_many_names_and_wins_over_accept(kind, wanted, name):
    offer = acceptable("application/pdf", wanted).get(kind)
    assert (offer and offer.name) == name


def test_what_there_is_is_named_when_nothing_fits():
    with pytest.raises(NotAcceptable) as fault:
        chosen(offers_for(Kind.BOOLEAN), "text/csv")
    assert fault.value.available[:2] == (
        "application/sparql-results+json",
        "application/sparql-results+xml",
    )


@pytest.mark.parametrize("browser", [FIREFOX, FIREFOX_128, SAFARI, CHROMIUM])
def test_a_browser_reads_of_errors_on_a_page(browser):
    assert wants_page(browser, "")
    assert wants_page("*/*", "html")
    assert not wants_page(browser, "csv")


@pytest.mark.parametrize("client", ["", "*/*", COMUNICA, JENA, RDF4J, WRAPPER, YASGUI, RDFLIB])
def test_a_program_gets_a_problem_document(client):
    assert not wants_page(client, "")


def test_a_header_of_any_length_is_read_in_part():
    many = ",".join(["image/png;q=0.1"] * 10_000)
    assert _name(Kind.ROWS, f"text/csv,{many}") == "csv"
    assert _name(Kind.ROWS, f"{many},text/csv") is None


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
