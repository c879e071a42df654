"""A description in words, for a page: the head, the facts, the statements, what refers to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from policygraph.descriptions import SAYING, Description
from policygraph.namespaces import expand
from policygraph.web.addresses import address_of
from policygraph.web.words import Name, Said, Words, foreign, in_place

_PARTS = {"dcterms:source": "statement", "oa:hasSource": "passage"}
"""What refers to a source, and the type that has a list of its own for each source."""
MOST_SHOWN = 50
"""Values of one property on a page; a link leads to all."""

_LEFT_OUT = ("skos:prefLabel", "rdfs:label", "rdf:type", "skos:altLabel")
"""What the head of a page says."""
_ELSEWHERE = ("owl:sameAs", "skos:exactMatch", "skos:closeMatch", "foaf:page", "rdfs:seeAlso")
"""What links to other open data."""
_OF_STATEMENTS = (
    "rdf:subject", "rdf:predicate", "rdf:object", "pg:side", "pg:dimension", "pg:voice",
    "pg:stance", "pg:heldBy", "pg:thirdParty", "pg:evidence", "dcterms:source",
)  # fmt: skip
"""What a page says of a statement in a sentence."""
_GROUPS = (
    ("rdf:subject", "Said of {who}"),
    ("pg:side", "Where {who} is set against another"),
    ("rdf:object", "Where {who} is named"),
    ("pg:dimension", "Contrasts in this respect"),
    ("pg:evidence", "Read from this passage"),
    ("pg:heldBy", "Said to be held by {who}"),
)
"""What statements are grouped by: the first that fits. To add a group, add a row."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property and its values, the first of them; `count` is how many there are."""

    name: Name
    values: tuple[Name, ...]
    count: int
    query: str = ""


@dataclass(frozen=True, slots=True)
class Portrait:
    """All that the page of a thing shows; `who` is what headings call it: no person is an "it"."""

    description: Description
    title: Name
    who: str
    labels: tuple[Name, ...]
    others: tuple[Name, ...]
    kinds: tuple[Name, ...]
    meaning: Name | None
    statement: Said | None
    facts: tuple[Property, ...]
    groups: tuple[tuple[str, tuple[Said, ...]], ...]
    referring: tuple[Property, ...]
    elsewhere: tuple[Property, ...]


def portray(description: Description) -> Portrait:
    """Return a description in words."""
    known, iri = description.known, description.iri
    words = Words(known, here=iri)
    is_statement = bool(known.values(iri, "pg:voice"))
    title = words.of(iri)
    who = title.text if known.has(iri, "rdf:type", "schema:Person") else "it"
    labels = (Name(label.value, foreign(label.language)) for label in known.labels(iri))
    return Portrait(
        description=description,
        title=title,
        who=who,
        labels=tuple(name for name in labels if name.text != title.text),
        others=words.all_of(iri, "skos:altLabel"),
        kinds=words.all_of(iri, "rdf:type"),
        meaning=next(filter(None, map(words.definition_of, known.values(iri, "rdf:type"))), None),
        statement=words.said(iri) if is_statement else None,
        facts=tuple(_facts(description, words, is_statement=is_statement)),
        groups=tuple(_grouped(description, words, who)),
        referring=tuple(_referring(description, words)),
        elsewhere=tuple(_properties(description, words, _names(_ELSEWHERE, description.base))),
    )


def _facts(description: Description, words: Words, *, is_statement: bool) -> Iterator[Property]:
    left_out = _names((*_LEFT_OUT, *_ELSEWHERE), description.base)
    if is_statement:
        left_out |= _names(_OF_STATEMENTS, description.base)
    stated = {str(f.predicate) for f in description.outgoing if not description.is_edge(f)}
    yield from _properties(description, words, stated - left_out)


def _properties(description: Description, words: Words, predicates: set[str]) -> Iterator[Property]:
    stated = {fact[1:3] for fact in description.outgoing if not description.is_edge(fact)}
    chosen = sorted((pair for pair in stated if pair[0] in predicates), key=lambda pair: pair[0])
    for predicate, pairs in groupby(chosen, key=lambda pair: pair[0]):
        values = sorted((words.of(value) for _, value in pairs), key=in_place)
        yield Property(words.of(predicate), tuple(values[:MOST_SHOWN]), len(values))


def _grouped(
    description: Description, words: Words, who: str
) -> Iterator[tuple[str, tuple[Said, ...]]]:
    """Yield statements about the thing, each once, under the first heading that fits."""
    known, iri = description.known, description.iri
    left = dict.fromkeys(description.statements)
    for name, heading in _GROUPS:
        fitting = [each for each in left if iri in known.values(each, name)]
        for each in fitting:
            del left[each]
        if fitting:
            yield heading.format(who=who), tuple(map(words.said, fitting))


def _referring(description: Description, words: Words) -> Iterator[Property]:
    """Yield what refers to the thing besides statements about it, by property."""
    left_out = _names(SAYING, description.base)
    facts = {
        fact[:2]
        for fact in description.incoming
        if fact.predicate not in left_out and not description.is_edge(fact)
    }
    for predicate, pairs in groupby(sorted(facts, key=lambda pair: pair[1]), key=lambda p: p[1]):
        subjects = [subject for subject, _ in pairs]
        name, listed = words.of(predicate), _list_of(description, predicate, len(subjects))
        if listed:
            yield Property(name, (listed,), 1)
            continue
        shown = sorted(map(words.of, subjects), key=in_place)[:MOST_SHOWN]
        query = f"SELECT ?it {{ ?it <{predicate}> <{description.iri}> }} ORDER BY ?it"
        yield Property(name, tuple(shown), len(subjects), query)


def _list_of(description: Description, predicate: str, count: int) -> Name | None:
    """Return the link to the list of a source's parts, which are too many for its own page."""
    base, start = description.base, f"{description.base}id/source/"
    kinds = {expand(name, base): kind for name, kind in _PARTS.items()}
    if predicate not in kinds or not description.iri.startswith(start):
        return None
    kind = kinds[predicate]
    address = address_of(f"{base}id/{kind}/{description.iri.removeprefix(start)}", base)
    return Name(f"{count:,} {kind}{'s' * (count != 1)}", address=address)


def _names(names: Iterable[str], base: str) -> set[str]:
    return {expand(name, base) for name in names}
