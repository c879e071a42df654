"""What things are called on pages: names for IRIs, and statements as sentences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from policygraph.facts import Knowledge
from policygraph.namespaces import FOREIGN, shorten
from policygraph.terms import BlankNode, Iri, Literal, Term
from policygraph.web.addresses import address_of, is_address

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CODE = f"{FOREIGN['xsd']}anyURI"
_LONGEST_WORD = 40
_NOT_WORDS = {"wd", "eurovoc"}
"""Prefixes of things with numbers for names."""
_BETTER_WORDS = {
    "dcterms:identifier": "address of the bytes",
    "dcterms:subject": "topic",
    "dcterms:temporal": "of the year",
    "oa:hasSelector": "position",
    "oa:hasSource": "source",
    "schema:sha256": "checksum (SHA-256)",
    "skos:scopeNote": "note",
}
"""What readers call a property that has no label. To add one, add a row."""


@dataclass(frozen=True, slots=True)
class Name:
    """How something is called on a page: text, its language (None: that of the page), where to.

    `is_code`: to be read letter by letter.
    """

    text: str
    language: str | None = None
    address: str | None = None
    is_elsewhere: bool = False
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A statement as a sentence, with whose it is and where it stands."""

    address: str | None
    voice_key: str
    voice: Name
    parts: tuple[Name, ...]
    sides: tuple[Name, ...]
    dimension: Name | None
    is_wording: bool
    stance: Name | None
    holders: tuple[Name, ...]
    is_third_party: bool
    places: tuple[Name, ...]
    source: Name | None


class Words:
    """Names for what is known, in English where there is one. The thing `here` is not linked to."""

    def __init__(self, known: Knowledge, here: str = "") -> None:
        self._known = known
        self._here = here
        self._names: dict[str, Name] = {}

    def of(self, term: Term) -> Name:
        """Return what a term is called."""
        if isinstance(term, Literal):
            return Name(term.value, foreign(term.language), is_code=_is_code(term))
        if isinstance(term, BlankNode):
            return Name(f"_:{term}")
        if term not in self._names:
            self._names[term] = self._of_iri(term)
        return self._names[term]

    def all_of(self, node: str, name: str) -> tuple[Name, ...]:
        """Return the values of a property as they are called, in order."""
        return tuple(sorted(map(self.of, self._known.values(node, name)), key=in_place))

    def first_of(self, node: str, name: str) -> Name | None:
        """Return the first value of a property as it is called."""
        return next(iter(self.all_of(node, name)), None)

    def said(self, iri: str) -> Said:
        """Return a statement in words."""
        voices = self._known.values(iri, "pg:voice")
        triple = ("rdf:subject", "rdf:predicate", "rdf:object")
        parts = [self.first_of(iri, name) for name in triple]
        return Said(
            address=address_of(iri, self._known.base),
            voice_key=str(voices[0]).rsplit("/", 1)[-1] if voices else "",
            voice=self.of(voices[0]) if voices else Name("Voice not given"),
            parts=tuple(part for part in parts if part),
            sides=self.all_of(iri, "pg:side"),
            dimension=self.first_of(iri, "pg:dimension"),
            is_wording=self._known.has(iri, "rdf:predicate", "pg:characterizedAs"),
            stance=self.first_of(iri, "pg:stance"),
            holders=self.all_of(iri, "pg:heldBy"),
            is_third_party=any(map(_is_true, self._known.values(iri, "pg:thirdParty"))),
            places=self.all_of(iri, "pg:evidence"),
            source=self.first_of(iri, "dcterms:source"),
        )

    def _of_iri(self, iri: Iri) -> Name:
        own = address_of(iri, self._known.base)
        address = own or (iri if is_address(iri) else None)
        if iri == self._here:
            address = None
        label = preferred(self._known.labels(iri))
        text = label.value if label else self._unlabelled(iri)
        language = foreign(label.language) if label else None
        return Name(text, language, address, is_elsewhere=own is None)

    def definition_of(self, class_: Term) -> Name | None:
        """Return what a class means."""
        found = self._known.values(str(class_), "skos:definition")
        label = preferred(value for value in found if isinstance(value, Literal))
        return Name(label.value, foreign(label.language)) if label else None

    def _unlabelled(self, iri: str) -> str:
        """Return words for what has no label: its place, its kind and slug, or its short name."""
        section = self._known.values(iri, "bibo:section")
        index = self._known.values(iri, "pg:sentenceIndex")
        if section and index:
            part = "heading" if str(index[0]) == "0" else f"sentence\u00a0{index[0]}"
            return f"Section\u00a0{section[0]}, {part}"
        start = f"{self._known.base}id/"
        ends = [self._known.values(iri, name) for name in ("oa:start", "oa:end")]
        if all(ends):
            return f"characters {ends[0][0]} to {ends[1][0]}"
        if iri.startswith(start):
            kind, _, slug = iri.removeprefix(start).partition("/")
            return f"{kind.capitalize()} {slug}"
        return in_words(shorten(iri, self._known.base), iri)


def in_words(short: str, iri: str) -> str:
    """Return a name from a known vocabulary in words (`sameAs` as "same as"), else as it is."""
    prefix, _, local = short.partition(":")
    if short in _BETTER_WORDS:
        return _BETTER_WORDS[short]
    if short == iri or prefix not in FOREIGN or prefix in _NOT_WORDS:
        return short
    return _WORD_STARTS.sub(" ", local).lower()


def preferred(labels: Iterable[Literal]) -> Literal | None:
    """Return the English label, else one without a language, else the first by its language."""
    order = {"en": 0, None: 1}
    found = sorted(labels, key=lambda label: (order.get(label.language, 2), label.language or ""))
    return next(iter(found), None)


def foreign(language: str | None) -> str | None:
    """Return a language unless it is that of the pages."""
    return None if language == "en" else language


def in_place(name: Name) -> tuple[bool, list[tuple[int, str]]]:
    """Return what to sort names by: those in the page's language first, 9 before 10."""
    parts = re.split(r"(\d+)", name.text.casefold())
    return bool(name.language), [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]


def _is_code(literal: Literal) -> bool:
    longest = max(map(len, literal.value.split()), default=0)
    return literal.datatype == _CODE or longest > _LONGEST_WORD


def _is_true(term: Term) -> bool:
    return str(term) in {"true", "1"}
