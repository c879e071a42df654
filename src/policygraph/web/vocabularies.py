"""What else has an address in the namespace: the vocabulary, the rules, the named graphs."""

from dataclasses import dataclass

from flask import Response, render_template, request, url_for

from policygraph.namespaces import shorten
from policygraph.store import Kind, parse_file
from policygraph.terms import Iri
from policygraph.vocabulary import Vocabulary, read_rules, read_vocabulary, version_of
from policygraph.web.addresses import address_of, iris_of
from policygraph.web.kept import kept
from policygraph.web.lost import UnknownName
from policygraph.web.negotiation import Offer
from policygraph.web.served import current
from policygraph.web.variants import Document, sent, written
from policygraph.web.words import Name, Words
from policygraph.workers import Task

_TURTLE = "ttl"
_DETAILS = (
    ("rdfs:subClassOf", "Kind of"),
    ("schema:domainIncludes", "From"),
    ("schema:rangeIncludes", "To"),
    ("pg:statementType", "Statement type"),
    ("rdfs:subPropertyOf", "Kind of"),
    ("skos:closeMatch", "Close to"),
    ("skos:relatedMatch", "Related to"),
    ("skos:narrowMatch", "Wider than"),
)
"""What the page says of a term besides its label and notes, in words. To say more, add a row."""


@dataclass(frozen=True, slots=True)
class TermShown:
    """A class or property of the vocabulary as its page shows it."""

    name: str
    label: Name
    labels: tuple[Name, ...]
    definition: Name | None
    note: Name | None
    example: Name | None
    details: tuple[tuple[str, tuple[Name, ...]], ...]


def vocabulary(version: str, extension: str) -> Response:
    """Answer with the vocabulary; by its version too, if that is the one held."""
    served = current()
    iri, number = kept("version", lambda: version_of(served.store))
    asked = f"{served.base}ns/{version}" if version else f"{served.base}ns"
    if version and asked != iri:
        held = f"this is {iri}" if iri else "the one here has no version"
        raise UnknownName(
            f"there is no vocabulary {asked} here; {held}", (Iri(iri),) if iri else ()
        )
    links = ((url_for("things.vocabulary"), "latest-version"),) if version else ()
    document = Document(address_of(asked, served.base) or "", asked, links=links)

    def write(offer: Offer) -> bytes | str:
        if offer.format is None:
            return _page(number, document)
        if offer.name == _TURTLE:
            return (served.snapshot.dumps / "ontology.ttl").read_bytes()
        return written(served.store.graph([f"{served.base}graph/vocabulary"]), offer)

    return sent(document, write, extension)


def shapes(extension: str) -> Response:
    """Answer with the rules: in Turtle as people wrote them, comments and all."""
    served = current()
    iri, file = f"{served.base}shapes", served.snapshot.dumps / "shapes.ttl"
    document = Document(address_of(iri, served.base) or "", iri)

    def write(offer: Offer) -> bytes | str:
        if offer.name == _TURTLE:
            return file.read_bytes()
        quads = parse_file(file, served.base, graph=iri)
        if offer.format:
            return written(quads, offer)
        rules = read_rules(quads, served.base)
        return render_template("shapes.html", rules=rules, document=document)

    return sent(document, write, extension)


def graph(name: str, extension: str) -> Response:
    """Answer with the triples of a named graph, which may be large: a worker writes them."""
    served = current()
    known = kept("graph names", served.store.graph_names)
    iri = next((each for each in iris_of(f"graph/{name}", served.base) if each in known), None)
    if iri is None:
        asked = f"{served.base}graph/{name}"
        raise UnknownName(f"there is no graph {asked}; /graph/ lists those there are")
    query = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    document = Document(address_of(iri, served.base) or "", iri, query)

    def write(offer: Offer) -> bytes | str:
        if offer.format is None:
            return render_template("graph.html", document=document)
        task = Task(query, {Kind.GRAPH.value: offer.format.name}, served.pool.limits.result)
        client = request.environ.get("policygraph.client", "")
        return served.pool.run(task, client=client).body

    return sent(document, write, extension)


def graphs() -> str:
    """Return the page that lists the named graphs."""
    served = current()
    known = kept("graph names", served.store.graph_names)
    names = [(iri, address_of(iri, served.base) or iri) for iri in known]
    return render_template("graphs.html", graphs=names)


def _page(number: str, document: Document) -> str:
    served = current()
    found = read_vocabulary(served.store)
    return render_template(
        "vocabulary.html",
        base=served.base,
        number=number,
        document=document,
        classes=[_shown(found, iri) for iri in found.classes],
        properties=[_shown(found, iri) for iri in found.properties],
    )


def _short(found: Vocabulary, iri: Iri, name: str) -> tuple[Name, ...]:
    """Return the terms that a term is linked to by their short names: a label may be of several."""
    base = current().base
    terms = sorted(str(term) for term in found.known.values(iri, name))
    return tuple(
        Name(shorten(term, base), address=address_of(term, base) or term) for term in terms
    )


def _shown(found: Vocabulary, iri: Iri) -> TermShown:
    words = Words(found.known)
    label = words.of(iri)
    details = ((said, _short(found, iri, name)) for name, said in _DETAILS)
    return TermShown(
        name=iri.rpartition("#")[2],
        label=label,
        labels=tuple(n for n in words.all_of(iri, "rdfs:label") if n.text != label.text),
        definition=words.first_of(iri, "skos:definition"),
        note=words.first_of(iri, "skos:scopeNote"),
        example=words.first_of(iri, "skos:example"),
        details=tuple((said, values) for said, values in details if values),
    )
