"""Lists of things by the type in their IRI, for those who cut an address short."""

from dataclasses import dataclass

from policygraph.facts import in_order
from policygraph.standing import THAT_STAND
from policygraph.store import Store
from policygraph.terms import Iri

MOST_LISTED = 500

_KINDS = """
SELECT ?kind (COUNT(DISTINCT ?it) AS ?count) {{
  ?it a ?type FILTER (STRSTARTS(STR(?it), "{start}"))
  FILTER NOT EXISTS {{ ?passage oa:hasSelector ?it }} {that_stand}
  BIND (STRBEFORE(STRAFTER(STR(?it), "{start}"), "/") AS ?kind) }} GROUP BY ?kind ORDER BY ?kind"""
_OF_KIND = """
SELECT DISTINCT ?it {{
  ?it a ?type FILTER (STRSTARTS(STR(?it), "{start}{kind}/"))
  FILTER NOT EXISTS {{ ?passage oa:hasSelector ?it }} {that_stand} }} LIMIT {most}"""
_OF_SOURCE = """
SELECT DISTINCT ?it {{ ?it {property} <{start}source/{source}> {that_stand} }} LIMIT {most}"""
_PARTS = {"statement": "dcterms:source", "passage": "oa:hasSource"}
"""What is numbered within a source, and the property that says so."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The things of a type, or those of one source, in order; `has_more`: the list was cut."""

    name: str
    things: tuple[Iri, ...]
    has_more: bool


def kinds_of_things(store: Store) -> dict[str, int]:
    """Return the types that things have in their IRIs, and how many stand of each.

    It looks at every thing, so count once and keep it.
    """
    rows = store.select(_KINDS.format(start=f"{store.base}id/", that_stand=THAT_STAND))
    counts = {str(row["kind"]): int(str(row["count"])) for row in rows}
    return {kind: count for kind, count in counts.items() if kind}


def listing(store: Store, name: str) -> Listing | None:
    """Return the things of a type (`policy`) or of a source (`statement/NAME`); None without any.

    The name has nothing that cannot stand in an IRI.
    """
    kind, _, source = name.partition("/")
    if source and kind not in _PARTS:
        return None
    query = _OF_SOURCE if source else _OF_KIND
    rows = store.select(
        query.format(
            start=f"{store.base}id/",
            kind=kind,
            source=source,
            property=_PARTS.get(kind, ""),
            that_stand=THAT_STAND,
            most=MOST_LISTED + 1,
        )
    )
    things = sorted((Iri(str(row["it"])) for row in rows), key=in_order)
    if not things:
        return None
    return Listing(name, tuple(things[:MOST_LISTED]), len(things) > MOST_LISTED)
