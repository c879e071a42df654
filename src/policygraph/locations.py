"""Find the line of a Turtle file on which a node is described.

Parsers report where a file is wrong, not where a triple stands; a curator needs the latter. Only
the tokens that matter are told apart: this reads files that a parser has already accepted.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'(?P<skip>\s+|#[^\n]*|"""(?:[^"\\]|\\.|"{1,2}(?!"))*"""|\'\'\'(?:[^\'\\]|\\.|\'{1,2}(?!\'))*\'\'\''
    r'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')'
    r"|(?P<iri><[^<>\s]*>)"
    r"|(?P<mark>[;,.\[\]()](?![0-9]))"
    r"|(?P<name>@?(?:[^\s<>\"';,.\[\]()#\\]|\.(?=[^\s<>\"';,.\[\]()#])|\\.)+)"
    r"|(?P<other>.)",
    re.DOTALL,
)


_LENGTH_WITHOUT_DOT = {"prefix": 3, "base": 2}
"""SPARQL's way to declare them ends without a full stop."""


def lines_of(turtle: str, base: str) -> dict[str, int]:
    """Return, for each IRI that is a subject, the line (from 1) of its first description."""
    found: dict[str, int] = {}
    names: dict[str, str] = {}
    for sentence in _sentences(turtle):
        (first, line), *rest = sentence
        if first.lower() in {"@prefix", "prefix"}:
            names[rest[0][0].rstrip(":")] = _absolute(rest[1][0], base)
        elif iri := _iri(first, names, base):
            found.setdefault(iri, line)
    return found


def _sentences(turtle: str) -> Iterator[list[tuple[str, int]]]:
    """Yield each sentence of a file as its terms and their lines, without nested ones."""
    sentence: list[tuple[str, int]] = []
    depth, line = 0, 1
    for token in _TOKEN.finditer(turtle):
        word = token.group()
        if token.lastgroup == "mark":
            depth += (word in "[(") - (word in "])")
            if word == "." and depth == 0 and sentence:
                yield sentence
                sentence = []
        elif token.lastgroup in {"iri", "name"} and depth == 0:
            sentence.append((word, line))
            if len(sentence) == _LENGTH_WITHOUT_DOT.get(sentence[0][0].lower()):
                yield sentence
                sentence = []
        line += word.count("\n")


def _iri(term: str, names: dict[str, str], base: str) -> str | None:
    if term.startswith("<"):
        return _absolute(term, base)
    prefix, colon, local = term.partition(":")
    if not colon or prefix not in names:
        return None
    return names[prefix] + re.sub(r"\\(.)", r"\1", local)


def _absolute(term: str, base: str) -> str:
    iri = term.strip("<>")
    return iri if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", iri) else base + iri
