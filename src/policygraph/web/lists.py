"""Lists of things, for those who cut an address short: `/doc/`, `/doc/policy`."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, render_template

from policygraph.descriptions import document_facts, licence_of
from policygraph.facts import Knowledge, known_of, label_facts
from policygraph.listings import Listing, kinds_of_things, listing
from policygraph.namespaces import expand
from policygraph.store.composing import Composed, compose
from policygraph.terms import Iri, Literal
from policygraph.web.addresses import address_of
from policygraph.web.kept import kept
from policygraph.web.negotiation import Offer
from policygraph.web.served import current
from policygraph.web.variants import Document, sent, written
from policygraph.web.words import Words, in_place

_INDEX = {"", "index"}
_SAID = "statement"
"""The type whose things are shown as sentences."""
_NAMED_BY_MORE = {_SAID, "passage"}
"""Types whose things have no labels."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of things: its name in IRIs, the page that lists them, and how many there are."""

    name: str
    address: str
    count: int


def is_list(iri: str) -> bool:
    """Say whether the IRI of no thing is one cut short, so that there is a list for it."""
    name = _name(iri)
    kind, _, source = name.partition("/")
    if name in _INDEX:
        return True
    return kind in _kinds() and (not source or _found(name) is not None)


def answer(iri: str, extension: str) -> Response:
    """Answer with the list for an IRI cut short, in the format that suits the client."""
    served = current()
    name = _name(iri)
    found = _found(name)
    assert found
    licence = licence_of(served.store)
    document = Document(
        address_of(f"{served.base}id/{found.name}", served.base) or "",
        query=_query(found),
        links=((licence, "license"),) if licence else (),
    )

    def write(offer: Offer) -> bytes | str:
        if offer.format:
            return written(compose(_composed(found)), offer)
        return _page(found, document)

    return sent(document, write, extension)


def _found(name: str) -> Listing | None:
    """Return a list. To list a type, every thing is looked at, so that is kept."""
    store = current().store
    if name in _INDEX:
        return Listing("", (), has_more=False)
    return (
        kept(("list", name), lambda: listing(store, name))
        if name in _kinds()
        else listing(store, name)
    )


def _name(iri: str) -> str:
    return iri.removeprefix(f"{current().base}id/").strip("/")


def _kinds() -> dict[str, int]:
    store = current().store
    return kept("kinds of things", lambda: kinds_of_things(store))


def _composed(found: Listing) -> Iterator[Composed]:
    """Yield the list as triples: the document has each thing as a topic, each thing its labels."""
    served = current()
    document = Iri(f"{served.base}doc/{found.name}")
    yield from document_facts(served.base, document, licence_of(served.store))
    if not found.name:
        for kind in _kinds():
            yield (document, Iri(expand("rdfs:seeAlso")), Iri(f"{document}{kind}"), None)
    for thing in found.things:
        yield (document, Iri(expand("foaf:topic")), thing, None)
    yield from label_facts(served.store, found.things)
    if found.has_more:
        note = f"the first {len(found.things)} things; there are more"
        text = Literal(note, expand("rdf:langString"), "en")
        yield (document, Iri(expand("dcterms:description")), text, None)


def _page(found: Listing, document: Document) -> str:
    served = current()
    if not found.name:
        kinds = [
            Kind(name, address_of(f"{served.base}id/{name}", served.base) or "", count)
            for name, count in _kinds().items()
        ]
        return render_template("kinds.html", kinds=kinds, base=served.base, document=document)
    words = Words(_known(found))
    if found.name.partition("/")[0] == _SAID:
        said = [words.said(thing) for thing in found.things]
        return render_template("list.html", list=found, said=said, document=document)
    names = sorted(map(words.of, found.things), key=in_place)
    return render_template("list.html", list=found, names=names, document=document)


def _known(found: Listing) -> Knowledge:
    """Return what is needed to name the things of a list: of most, their labels are enough."""
    served = current()
    if found.name.partition("/")[0] in _NAMED_BY_MORE:
        return known_of(served.store, found.things)
    return Knowledge(served.base, tuple(label_facts(served.store, found.things)))


def _query(found: Listing) -> str:
    start = f"{current().base}id/{found.name}{'/' if found.name else ''}"
    pattern = f'?it a ?type FILTER (STRSTARTS(STR(?it), "{start}"))'
    return f"SELECT DISTINCT ?it {{ {pattern} }} ORDER BY ?it"
