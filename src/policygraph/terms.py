"""RDF terms as plain Python values, so that no engine's classes leave its module."""

from dataclasses import dataclass
from typing import TypeAlias


class Iri(str):
    """An IRI."""

    __slots__ = ()


class BlankNode(str):
    """A blank node's label; it means nothing outside the answer it came with."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal: its lexical form, its datatype's IRI, and its language tag (None without)."""

    value: str
    datatype: str
    language: str | None = None

    def __str__(self) -> str:
        """Return the lexical form."""
        return self.value


Term: TypeAlias = Iri | BlankNode | Literal
Row: TypeAlias = dict[str, Term]
"""One solution: the bound variables of a SELECT, in the order of its columns."""
