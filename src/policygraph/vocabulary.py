"""What the vocabulary and the rules say, for pages that list them term by term."""

from collections.abc import Iterable
from dataclasses import dataclass

from policygraph.facts import Knowledge, known_of
from policygraph.store import Quads, Store
from policygraph.terms import Iri, Literal, Row

CLASSES = "owl:Class"
PROPERTIES = ("owl:ObjectProperty", "owl:DatatypeProperty", "owl:AnnotationProperty")

_TERMS = """
SELECT DISTINCT ?it {{ GRAPH <{base}graph/vocabulary> {{
  VALUES ?type {{ {types} }} ?it a ?type
  FILTER (STRSTARTS(STR(?it), "{base}ns#")) }} }} ORDER BY ?it"""
_VERSION = """
SELECT ?iri ?info {{
  <{base}ns> owl:versionIRI ?iri OPTIONAL {{ <{base}ns> owl:versionInfo ?info }} }}"""
_RULES = """
SELECT ?it ?rule ?label ?severity ?message ?remedy ?why {{
  ?it dcterms:identifier ?rule
  OPTIONAL {{ ?it rdfs:label ?label }}
  OPTIONAL {{ ?it sh:severity ?severity }}
  OPTIONAL {{ ?it (sh:sparql|sh:property|sh:node)*/sh:message ?message }}
  OPTIONAL {{ ?it pg:remedy ?remedy }}
  OPTIONAL {{ ?it dcterms:description ?why }} }}"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The project's own terms, and all that is known of them."""

    known: Knowledge
    classes: tuple[Iri, ...]
    properties: tuple[Iri, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape: the rule it belongs to, what it demands, how grave a breach is, and what then."""

    iri: str
    rule: str
    label: str
    severity: str
    messages: tuple[str, ...]
    remedy: str
    why: str

    @property
    def name(self) -> str:
        """The name of the shape within its namespace."""
        return self.iri.rpartition("#")[2]


def read_vocabulary(store: Store) -> Vocabulary:
    """Return the classes and properties that the project defines."""
    classes = _terms(store, (CLASSES,))
    properties = _terms(store, PROPERTIES)
    return Vocabulary(known_of(store, [*classes, *properties]), classes, properties)


def version_of(store: Store) -> tuple[str, str]:
    """Return the IRI and the number of the version of the vocabulary; empty where it has none."""
    rows = store.select(_VERSION.format(base=store.base))
    return (str(rows[0]["iri"]), str(rows[0].get("info", ""))) if rows else ("", "")


def read_rules(quads: Quads, base: str) -> list[Rule]:
    """Return the rules in parsed shapes, by their numbers."""
    store = Store(base)
    store.load(quads)
    store.unite()
    found: dict[str, list[Row]] = {}
    for row in store.select(_RULES.format()):
        found.setdefault(str(row["it"]), []).append(row)
    rules = (_rule(iri, rows) for iri, rows in found.items())
    return sorted(rules, key=lambda rule: (int(rule.rule.lstrip("R") or 0), rule.name))


def _rule(iri: str, rows: list[Row]) -> Rule:
    first = {name: str(term) for name, term in rows[0].items()}
    return Rule(
        iri=iri,
        rule=first["rule"],
        label=first.get("label", ""),
        severity=first.get("severity", "").rpartition("#")[2],
        messages=tuple(sorted({text for text in map(_message, rows) if text})),
        remedy=first.get("remedy", ""),
        why=first.get("why", ""),
    )


def _message(row: Row) -> str:
    message = row.get("message")
    return message.value if isinstance(message, Literal) else ""


def _terms(store: Store, types: Iterable[str]) -> tuple[Iri, ...]:
    rows = store.select(_TERMS.format(base=store.base, types=" ".join(types)))
    return tuple(Iri(str(row["it"])) for row in rows)
