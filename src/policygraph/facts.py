"""Facts: triples, each with the graph that holds it. How they are fetched, and asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from policygraph.namespaces import expand
from policygraph.store import Store
from policygraph.terms import Iri, Literal, Row, Term

LABELS = ("skos:prefLabel", "rdfs:label")
_IRIS_A_QUERY = 1_000


class Fact(NamedTuple):
    """A triple, and the graph that holds it."""

    subject: Term
    predicate: Iri
    object: Term
    graph: Iri


@dataclass(frozen=True)
class Knowledge:
    """Facts, to be asked by subject and property."""

    base: str
    facts: tuple[Fact, ...]

    @cached_property
    def _by_subject(self) -> dict[str, dict[str, dict[Term, None]]]:
        found: dict[str, dict[str, dict[Term, None]]] = {}
        for subject, predicate, object_, _ in self.facts:
            found.setdefault(str(subject), {}).setdefault(predicate, {})[object_] = None
        return found

    @cached_property
    def _predicates(self) -> dict[str, str]:
        return {}

    def values(self, node: str, name: str) -> list[Term]:
        """Return the values of a property, named as in `pg:voice`, of a node."""
        predicate = self._predicates.get(name)
        if predicate is None:
            predicate = self._predicates[name] = expand(name, self.base)
        return list(self._by_subject.get(node, {}).get(predicate, ()))

    def has(self, node: str, name: str, value: str) -> bool:
        """Say whether a property, by its short name, has a value, by its short name too."""
        return expand(value, self.base) in self.values(node, name)

    def labels(self, iri: str) -> list[Literal]:
        """Return the labels of a node, in every language there is, the preferred property first."""
        found = (value for name in LABELS for value in self.values(iri, name))
        return [value for value in found if isinstance(value, Literal)]


def known_of(store: Store, iris: Iterable[str]) -> Knowledge:
    """Return the facts from many things, with passages and labels but without what refers to them.

    Ask it of few at a time: it has no limit of its own.
    """
    facts = facts_of(store, iris)
    passages = facts_of(store, objects_of(facts, expand("pg:evidence", store.base)))
    known = [*facts, *passages]
    return Knowledge(store.base, (*known, *label_facts(store, iris_in(known))))


def label_facts(store: Store, iris: Iterable[str]) -> list[Fact]:
    """Return the labels of many things, in every language there is."""
    return [fact for name in LABELS for fact in facts_of(store, iris, (name,))]


def facts_of(store: Store, iris: Iterable[str], predicates: Iterable[str] = ()) -> list[Fact]:
    """Return the facts from many things, all or those with some predicates."""
    every, names = list(iris), list(predicates)
    found = []
    for start in range(0, len(every), _IRIS_A_QUERY):
        values = " ".join(f"<{iri}>" for iri in every[start : start + _IRIS_A_QUERY])
        for name in names or ["?p"]:
            kept = f" BIND ({name} AS ?p)" if names else ""
            pattern = f"VALUES ?s {{ {values} }} GRAPH ?g {{ ?s {name} ?o }}{kept}"
            found += facts_where(store, pattern, None)
    return found


def facts_where(store: Store, pattern: str, most: int | None) -> list[Fact]:
    """Return the facts that a pattern of ?s, ?p, ?o and ?g finds, or the first of them."""
    limit = f" LIMIT {most}" if most else ""
    rows = store.select(f"SELECT ?s ?p ?o ?g {{ {pattern} }}{limit}")
    return [_fact(row) for row in rows]


def _fact(row: Row) -> Fact:
    return Fact(row["s"], Iri(str(row["p"])), row["o"], Iri(str(row["g"])))


def objects_of(facts: Iterable[Fact], predicate: str) -> list[Iri]:
    """Return the IRIs that are values of a property, each once."""
    found = (fact.object for fact in facts if fact.predicate == predicate)
    return list(dict.fromkeys(term for term in found if isinstance(term, Iri)))


def iris_in(facts: Iterable[Fact]) -> list[Iri]:
    """Return the IRIs that facts name, each once."""
    terms = dict.fromkeys(chain.from_iterable(fact[:3] for fact in facts))
    return [term for term in terms if isinstance(term, Iri)]


def in_order(iri: str) -> list[tuple[int, str]]:
    """Return what to sort IRIs by so that 9 comes before 10."""
    parts = iri.replace("-", "/").split("/")
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
