"""What the graph knows of one thing: all it says of it, what refers to it, and the words for both.

Of a thing that statements are about, the statements too, with their passages; of a statement or a
passage, the passages whole. Each fact keeps the graph that holds it, which says whose it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from urllib.parse import quote, urlencode

from policygraph.facts import (
    Fact,
    Knowledge,
    facts_of,
    facts_where,
    in_order,
    iris_in,
    label_facts,
    objects_of,
)
from policygraph.namespaces import expand
from policygraph.store import Store
from policygraph.store.composing import Composed
from policygraph.terms import Iri, Literal

MOST_OUTGOING = 2_000
MOST_INCOMING = 1_000
MOST_STATEMENTS = 100
"""Where a description ends; it then says how much there is, and where the rest can be had."""

SAYING = ("rdf:subject", "rdf:object", "pg:side", "pg:dimension", "pg:heldBy", "pg:evidence")
"""How a statement names what it is about, whose it is and where it stands."""


@dataclass(frozen=True)
class Description:
    """What is known of a thing: facts from it and to it, and facts beside it that explain them.

    `stating`, `referring` and `saying` count what there is, where `outgoing`, `incoming` and
    `statements` may be cut.
    """

    iri: Iri
    base: str
    outgoing: tuple[Fact, ...]
    stating: int
    incoming: tuple[Fact, ...]
    referring: int
    statements: tuple[Iri, ...]
    saying: int
    beside: tuple[Fact, ...]
    licence: Iri | None = None

    @cached_property
    def known(self) -> Knowledge:
        """The facts from the thing and beside it."""
        return Knowledge(self.base, (*self.outgoing, *self.beside))

    def is_edge(self, fact: Fact) -> bool:
        """Say whether a fact only follows from a statement (layer 3)."""
        return fact.graph.startswith((f"{self.base}id/source/", f"{self.base}graph/editorial"))

    @property
    def document(self) -> Iri:
        """The IRI of the document that is about the thing."""
        return Iri(f"{self.base}doc/{self.iri.removeprefix(f'{self.base}id/')}")

    @property
    def all_stating(self) -> str:
        """The query for all that is stated of the thing."""
        return f"CONSTRUCT {{ <{self.iri}> ?p ?o }} WHERE {{ <{self.iri}> ?p ?o }}"

    @property
    def all_referring(self) -> str:
        """The query for all that refers to the thing."""
        return f"CONSTRUCT {{ ?s ?p <{self.iri}> }} WHERE {{ ?s ?p <{self.iri}> }}"

    @property
    def all_saying(self) -> str:
        """The query for all statements about the thing."""
        path = "|".join(f"<{expand(name, self.base)}>" for name in SAYING)
        return f"SELECT DISTINCT ?it {{ ?it {path} <{self.iri}> }} ORDER BY ?it"

    def composed(self) -> Iterator[Composed]:
        """Yield the description, and what the document says of itself in the default graph."""
        yield from chain(self.outgoing, self.incoming, self.beside)
        yield from document_facts(self.base, self.document, self.licence)
        yield (self.document, _iri("foaf:primaryTopic"), self.iri, None)
        yield from self._cut("subject", self.outgoing, self.stating, self.all_stating)
        yield from self._cut("object", self.incoming, self.referring, self.all_referring)

    def _cut(
        self, role: str, facts: tuple[Fact, ...], count: int, query: str
    ) -> Iterator[Composed]:
        """Yield, where facts were left out, how many there are, and where all of them are."""
        if count > len(facts):
            note = f"{len(facts)} of {count} triples with this thing as {role}"
            yield (self.document, _iri("dcterms:description"), _text(note), None)
            rest = f"{self.base}sparql?{urlencode({'query': query}, quote_via=quote)}"
            yield (self.document, _iri("rdfs:seeAlso"), Iri(rest), None)


def describe(store: Store, iri: str) -> Description:
    """Return what the graph knows of a thing; of an unknown one, nothing."""
    outgoing, stating = _some(store, "?s", iri, MOST_OUTGOING)
    incoming, referring = _some(store, "?o", iri, MOST_INCOMING)
    statements, saying = _saying(store, iri, incoming)
    said = facts_of(store, statements)
    passages = _of_passages(store, outgoing, said)
    kinds = facts_of(store, objects_of(outgoing, expand("rdf:type")), ("skos:definition",))
    known = [*outgoing, *incoming, *said, *passages, *kinds]
    return Description(
        iri=Iri(iri),
        base=store.base,
        outgoing=tuple(outgoing),
        stating=stating,
        incoming=tuple(incoming),
        referring=referring,
        statements=tuple(statements),
        saying=saying,
        beside=(*said, *passages, *kinds, *label_facts(store, iris_in(known))),
        licence=licence_of(store),
    )


def document_facts(base: str, document: Iri, licence: Iri | None) -> Iterator[Composed]:
    """Yield what a document of the project says of itself."""
    yield (document, _iri("rdf:type"), _iri("foaf:Document"), None)
    yield (document, _iri("void:inDataset"), Iri(f"{base}dataset"), None)
    if licence:
        yield (document, _iri("dcterms:license"), licence, None)


def licence_of(store: Store) -> Iri | None:
    """Return the licence of the data; None where the project names none."""
    rows = store.select(f"SELECT ?it {{ <{store.base}dataset> dcterms:license ?it }} LIMIT 1")
    return next((row["it"] for row in rows if isinstance(row["it"], Iri)), None)


def _some(store: Store, role: str, iri: str, most: int) -> tuple[list[Fact], int]:
    """Return the first facts with a thing as ?s or ?o, and how many there are."""
    pattern = f"GRAPH ?g {{ ?s ?p ?o }} VALUES {role} {{ <{iri}> }}"
    facts = facts_where(store, pattern, most + 1)
    if len(facts) <= most:
        return facts, len(facts)
    return facts[:most], _count(store, "?s ?p ?o".replace(role, f"<{iri}>"), "*")


def _saying(store: Store, iri: str, incoming: list[Fact]) -> tuple[list[Iri], int]:
    """Return the first statements about a thing, as they are numbered, and how many there are.

    They are among what refers to it; only where that was cut are they looked for by themselves.
    """
    names = {expand(name, store.base) for name in SAYING}
    found = {fact.subject for fact in incoming if fact.predicate in names}
    total = len(found)
    if len(incoming) >= MOST_INCOMING:
        pattern = f"?it {'|'.join(SAYING)} <{iri}>"
        rows = store.select(f"SELECT DISTINCT ?it {{ {pattern} }} LIMIT {MOST_INCOMING}")
        found = {row["it"] for row in rows}
        total = _count(store, pattern, "DISTINCT ?it")
    numbered = sorted((each for each in found if isinstance(each, Iri)), key=in_order)
    return numbered[:MOST_STATEMENTS], total


def _of_passages(store: Store, outgoing: list[Fact], said: list[Fact]) -> list[Fact]:
    """Return where statements stand; of a statement or a passage itself, the position too."""
    evidence, selector = expand("pg:evidence", store.base), expand("oa:hasSelector")
    passages = facts_of(store, objects_of([*outgoing, *said], evidence))
    own = set(objects_of(outgoing, evidence))
    placed = [*outgoing, *(fact for fact in passages if fact.subject in own)]
    return [*passages, *facts_of(store, objects_of(placed, selector))]


def _count(store: Store, pattern: str, what: str) -> int:
    (row,) = store.select(f"SELECT (COUNT({what}) AS ?count) {{ {pattern} }}")
    return int(str(row["count"]))


def _iri(name: str) -> Iri:
    return Iri(expand(name))


def _text(text: str) -> Literal:
    return Literal(text, expand("rdf:langString"), "en")
