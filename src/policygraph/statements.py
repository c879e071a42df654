"""One statement with all that belongs to it, in words and with its passages."""

import re
from dataclasses import dataclass

from policygraph.errors import SourceTextError, UnknownThing
from policygraph.namespaces import expand, shorten
from policygraph.project import Project
from policygraph.store import Store
from policygraph.terms import Iri, Row, Term
from policygraph.texts import SourceText, digest_of

_NOT_IN_IRIS = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_CONTENT = """
SELECT ?subject ?predicate ?object ?voice ?stance ?holder ?third ?dimension ?source ?digest {{
  <{iri}> dcterms:source ?source ; pg:voice ?voice .
  ?source schema:sha256 ?digest .
  OPTIONAL {{ <{iri}> rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object }}
  OPTIONAL {{ <{iri}> pg:stance ?stance }}
  OPTIONAL {{ <{iri}> pg:heldBy ?holder }}
  OPTIONAL {{ <{iri}> pg:thirdParty ?third }}
  OPTIONAL {{ <{iri}> pg:dimension ?dimension }}
}}"""
_PASSAGES = """
SELECT ?passage ?section ?index ?start ?end ?digest {{
  <{iri}> pg:evidence ?passage .
  ?passage bibo:section ?section ; pg:sentenceIndex ?index ; schema:sha256 ?digest ;
    oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end
}} ORDER BY ?start"""


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a statement stands: section, sentence (0 = heading), code points, digest."""

    iri: str
    section: str
    index: int
    start: int
    end: int
    digest: str

    @property
    def position(self) -> str:
        """Return the place as readers name it."""
        part = "heading" if self.index == 0 else f"sentence {self.index}"
        return f"section {self.section}, {part}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a source says, with labels in place of IRIs."""

    iri: str
    source: str
    source_digest: str
    said: str
    voice: str
    stance: str | None
    holder: str | None
    third_party: bool
    passages: tuple[Passage, ...]

    def attribution(self) -> str:
        """Say whose words or position it is."""
        if self.holder:
            text = f"{self.voice}, held by {self.holder}"
        else:
            text = f"{self.voice}, in the source's own words"
        stance = f" (verb: {self.stance})" if self.stance else ""
        third = "; the one described has no statement of their own in it" * self.third_party
        return text + stance + third


def statement_named(project: Project, store: Store, name: str) -> Statement:
    """Return a statement by its IRI, or by its last part, such as `harris-immigration-2024/12`.

    Raises UnknownThing when the project has no such statement.
    """
    iri = _iri(project, name)
    rows = store.select(_CONTENT.format(iri=iri))
    if not rows:
        raise UnknownThing(
            f"no statement '{name}'; name one as SOURCE/NUMBER, such as harris-immigration-2024/12"
        )
    (row, *_) = rows
    words = _Words(store)
    return Statement(
        iri=iri,
        source=str(row["source"]).rsplit("/", 1)[-1],
        source_digest=str(row["digest"]),
        said=_said(store, iri, row, words),
        voice=words.of(row["voice"]),
        stance=words.of(row["stance"]) if "stance" in row else None,
        holder=words.of(row["holder"]) if "holder" in row else None,
        third_party=str(row.get("third", "false")) in {"true", "1"},
        passages=tuple(map(_passage, store.select(_PASSAGES.format(iri=iri)))),
    )


def passage_in_text(passage: Passage, source: SourceText) -> tuple[str, str, str]:
    """Return the lines a passage stands in, as (before, passage, after).

    Raises SourceTextError when the text is not the one the passage was taken from.
    """
    words = source.text[passage.start : passage.end]
    if digest_of(words) != passage.digest:
        raise SourceTextError(
            f"{source.path}:{source.line_at(passage.start)}: the text at passage {passage.iri} is "
            "not the one described; give the folder with the unchanged text"
        )
    start = source.text.rfind("\n", 0, passage.start) + 1
    end = source.text.find("\n", passage.end)
    after = source.text[passage.end : None if end == -1 else end]
    return source.text[start : passage.start], words, after


class _Words:
    """Labels for terms: English where there is one, else any, else the short IRI."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, term: Term) -> str:
        if not isinstance(term, Iri):
            return f"“{term}”"
        rows = self._store.select(
            f"SELECT ?label {{ <{term}> skos:prefLabel|rdfs:label ?label }}"
            " ORDER BY DESC(LANG(?label) = 'en') ?label LIMIT 1"
        )
        return str(rows[0]["label"]) if rows else shorten(term, self._store.base)


def _said(store: Store, iri: str, row: Row, words: _Words) -> str:
    if "predicate" in row:
        parts = (words.of(row[name]) for name in ("subject", "predicate", "object"))
        return " — ".join(parts)
    sides = store.select(f"SELECT ?side {{ <{iri}> pg:side ?side }} ORDER BY ?side")
    named = " ↔ ".join(words.of(side["side"]) for side in sides)
    return f"{named} — on: {words.of(row['dimension'])}" if "dimension" in row else named


def _iri(project: Project, name: str) -> str:
    iri = expand(name, project.base)
    if not iri.startswith(("http://", "https://")):
        iri = project.iri(f"id/statement/{name}")
    if _NOT_IN_IRIS.search(iri):
        raise UnknownThing(f"'{name}': not an IRI, it has a space or one of < > \" {{ }} | \\ ^ `")
    return iri


def _passage(row: Row) -> Passage:
    numbers = {key: int(str(row[key])) for key in ("index", "start", "end")}
    return Passage(
        iri=str(row["passage"]), section=str(row["section"]), digest=str(row["digest"]), **numbers
    )
