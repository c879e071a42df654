"""What became of a name: it is known, was replaced, was withdrawn, or never was in the graph."""

from dataclasses import dataclass
from typing import NamedTuple

from policygraph.namespaces import KINDS
from policygraph.store import Store
from policygraph.terms import Iri, Literal, Row

MOST_HOPS = 8
"""Replacements that are followed; what was replaced more often is taken for a circle."""
MOST_NEAR = 5
_LABELS_SEARCHED = 20_000
"""Labels that are looked through for a near name, so that a wrong one costs little in any graph."""
_SHORTEST_START = 3

THAT_STAND = """
MINUS { { ?it dcterms:isReplacedBy ?other }
  UNION { ?it owl:deprecated ?gone FILTER (STR(?gone) IN ("true", "1")) } }"""
"""What leaves of `?it` only things that were neither replaced nor withdrawn, for lists."""

_KNOWN = """
SELECT ?it ?replacement ?withdrawn {{
  VALUES ?it {{ {names} }}
  OPTIONAL {{ ?it dcterms:isReplacedBy ?replacement }}
  OPTIONAL {{ ?it owl:deprecated ?withdrawn }}
  FILTER (EXISTS {{ ?it ?p ?o }} || EXISTS {{ ?s ?q ?it }}) }}"""
_REASONS = """
SELECT ?reason {{ <{iri}> {property} ?reason }} ORDER BY DESC(LANG(?reason) = "en") LANG(?reason)"""
_GIVING_REASONS = ("skos:changeNote", "rdfs:comment", "dcterms:description")
"""Where the reason of a withdrawal is looked for; the first that says something is taken."""
_NEAR = """
SELECT DISTINCT ?it {{
  {{ SELECT ?it {{ ?it skos:prefLabel ?label }} LIMIT {searched} }}
  FILTER (STRSTARTS(STR(?it), "{start}")) }} ORDER BY ?it LIMIT {most}"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a thing: `moved` is what replaced it; `gone` says why there is nothing now.

    The reasons of a withdrawal are in every language there is; `instead` are the things that took
    its place, where no single one did.
    """

    iri: Iri
    moved: Iri | None = None
    gone: str = ""
    reasons: tuple[Literal, ...] = ()
    instead: tuple[Iri, ...] = ()


class _Known(NamedTuple):
    iri: Iri
    replacements: tuple[Iri, ...]
    is_withdrawn: bool


def standing_of(store: Store, names: list[str]) -> Standing | None:
    """Return what became of the first of these names that is known; None when none is.

    Replacements are followed to the last. What was replaced by several things, by something
    unknown or, in a circle, by itself is gone.
    """
    found = _known(store, names)
    if found is None:
        return None
    first, seen = found.iri, {found.iri}
    while found.replacements:
        target = found.replacements[0]
        if not target.startswith(f"{store.base}id/") and len(found.replacements) == 1:
            return _moved_away(store, first, target)
        following = _known(store, [target])
        why = _why_not(found, following, seen)
        if why or following is None:
            return _gone(store, first, why, found.replacements)
        seen.add(target)
        found = following
    if found.is_withdrawn:
        return _gone(store, found.iri)
    return Standing(first, moved=None if found.iri == first else found.iri)


def _moved_away(store: Store, first: Iri, target: Iri) -> Standing:
    if target.startswith(("http://", "https://")):
        return Standing(first, moved=target)
    return _gone(store, first, f"what replaced it has no address: {target}")


def _why_not(found: _Known, following: _Known | None, seen: set[Iri]) -> str:
    """Return why a replacement is not followed; nothing when it is."""
    if len(found.replacements) > 1:
        return "several things replaced it"
    if following is None:
        return f"what is said to replace it is not known: {found.replacements[0]}"
    if following.iri in seen or len(seen) > MOST_HOPS:
        return "what is said to replace it is replaced by it in turn"
    return ""


def near_names(store: Store, iri: str) -> tuple[Iri, ...]:
    """Return IRIs of things that may be meant by an unknown one: near by type or by name."""
    kind, _, slug = iri.removeprefix(f"{store.base}id/").partition("/")
    tidy = slug.strip("/").lower().replace("_", "-").replace("%20", "-")
    if not tidy:
        return ()
    same = [f"<{store.base}id/{each}/{tidy}>" for each in KINDS]
    source = f"<{store.base}id/source/{tidy.partition('/')[0]}>"
    values = " ".join([*same, source])
    rows = store.select(f"SELECT DISTINCT ?it {{ VALUES ?it {{ {values} }} ?it a ?type }}")
    start = tidy.partition("-")[0]
    if len(start) >= _SHORTEST_START:
        beginning = f"{store.base}id/{kind}/{start}"
        query = _NEAR.format(searched=_LABELS_SEARCHED, start=beginning, most=MOST_NEAR)
        rows += store.select(query)
    return tuple(dict.fromkeys(Iri(str(row["it"])) for row in rows))[:MOST_NEAR]


def _known(store: Store, names: list[str]) -> _Known | None:
    """Return the first of these names that is known, in their order."""
    rows = store.select(_KNOWN.format(names=" ".join(f"<{name}>" for name in names)))
    known = {str(row["it"]) for row in rows}
    iri = next((name for name in names if name in known), None)
    if iri is None:
        return None
    own = [row for row in rows if row["it"] == iri]
    return _Known(Iri(iri), _replacements(own), any(map(_is_withdrawn, own)))


def _replacements(rows: list[Row]) -> tuple[Iri, ...]:
    found = {row["replacement"] for row in rows if isinstance(row.get("replacement"), Iri)}
    return tuple(sorted(Iri(str(term)) for term in found))


def _is_withdrawn(row: Row) -> bool:
    return str(row.get("withdrawn", "")) in {"true", "1"}


def _gone(store: Store, iri: Iri, why: str = "", instead: tuple[Iri, ...] = ()) -> Standing:
    reasons = _reasons(store, iri)
    said = why or (str(reasons[0]) if reasons else "no reason is on record")
    return Standing(iri, gone=said, reasons=reasons, instead=instead)


def _reasons(store: Store, iri: str) -> tuple[Literal, ...]:
    for name in _GIVING_REASONS:
        rows = store.select(_REASONS.format(iri=iri, property=name))
        found = tuple(row["reason"] for row in rows if isinstance(row["reason"], Literal))
        if found:
            return found
    return ()
