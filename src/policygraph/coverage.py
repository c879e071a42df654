"""Coverage: which passages of a source have statements, and which are accounted for otherwise."""

from dataclasses import dataclass

from policygraph.errors import UnknownThing
from policygraph.store import Store

_QUERY = """
SELECT ?source ?section ?index
    (COUNT(DISTINCT ?statement) AS ?statements) (SAMPLE(?why) AS ?reason) {
  ?passage a pg:Passage ; oa:hasSource ?source ; bibo:section ?section ; pg:sentenceIndex ?index .
  OPTIONAL { ?statement pg:evidence ?passage }
  OPTIONAL { ?passage pg:assertsNothingBecause ?why }
} GROUP BY ?source ?passage ?section ?index"""


@dataclass(frozen=True, slots=True)
class Section:
    """The count of one section's passages, by how they are accounted for."""

    source: str
    number: str
    passages: int
    with_statements: int
    asserting_nothing: int
    statements: int

    @property
    def unaccounted(self) -> int:
        """Passages that no statement is read from and that are not listed as asserting nothing."""
        return self.passages - self.with_statements - self.asserting_nothing

    def counts(self) -> tuple[int, int, int, int, int]:
        """Return passages, with statements, asserting nothing, unaccounted, and statements."""
        accounted = (self.passages, self.with_statements, self.asserting_nothing)
        return (*accounted, self.unaccounted, self.statements)

    @property
    def statements_a_passage(self) -> float:
        """How many statements were read from a passage, on average."""
        return self.statements / self.passages if self.passages else 0.0


def coverage(store: Store, source: str | None = None) -> list[Section]:
    """Return the coverage of each section, in reading order, of one source or of all.

    A statement with two passages counts in the section of each. Raises UnknownThing for a source
    that is not there.
    """
    every: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for row in store.select(_QUERY):
        name = str(row["source"]).rsplit("/", 1)[-1]
        found = int(str(row["statements"])), "reason" in row
        every.setdefault((name, str(row["section"])), []).append(found)
    counts = {key: found for key, found in every.items() if source in {None, key[0]}}
    if source and not counts:
        there = ", ".join(sorted({name for name, _ in every})) or "none"
        raise UnknownThing(f"no source '{source}' in this project; there is {there}")
    return [_section(*key, counts[key]) for key in sorted(counts, key=_reading_order)]


def total(sections: list[Section]) -> Section:
    """Return the sum of sections, as a section named "all"."""
    fields = ("passages", "with_statements", "asserting_nothing", "statements")
    sums = {field: sum(getattr(section, field) for section in sections) for field in fields}
    return Section("all", "", **sums)


def _section(source: str, number: str, found: list[tuple[int, bool]]) -> Section:
    return Section(
        source,
        number,
        passages=len(found),
        with_statements=sum(count > 0 for count, _ in found),
        asserting_nothing=sum(count == 0 and excused for count, excused in found),
        statements=sum(count for count, _ in found),
    )


def _reading_order(key: tuple[str, str]) -> tuple[str, list[int]]:
    return key[0], [int(part) for part in key[1].split(".")]
