"""Look at a query's words before the engine does: would it call out, is it an update, and so on.

The engine sends a request for each SERVICE as it evaluates it, and has no switch for that. What a
stranger asks runs in a process without sockets (`policygraph.workers`), which is what holds;
`calls_out` is there for a clear answer, and for those who query in this process. It tells keywords
from strings, IRIs and comments as the engine does, which is not by a search for a word:

- `<` may open an IRI or mean "less than". Where both can be meant, both readings are followed.
- The engine wants no space around keywords: `1SERVICE<x>` and `SERVICEa:x {` are calls too.

In doubt it refuses: a prefix with "service" in its name before `{`, as in `GRAPH service:x {`, and
a local name with ".service" in it.

What `calls_out` does not cover: it reads the grammar by other means than the engine, so a
difference between the two that nobody has found lets a request out. (None was found in 260,000
made-up queries, of which ten thousand called out.)

The engine's parser goes as deep as the brackets of a query and crashes from some hundreds on, so
`is_nested_too_deeply` draws a line well before. It says nothing of other ways to be too much: long
chains of operators, queries that run for hours or take all memory.

Reading the tokens of a short query takes a tenth of a millisecond, so all is learnt in one go
(`screen`), and only where a search for a word or a count of brackets has not ruled it out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from policygraph.errors import QueryFault

_TOKEN = re.compile(
    r"""
      (?P<skipped> \s++ | \#[^\n\r]*+ )
    | (?P<string>  "{3} (?: "{0,2}+ (?: [^"\\] | \\. ) )*+ "{3}
                 | '{3} (?: '{0,2}+ (?: [^'\\] | \\. ) )*+ '{3}
                 | " (?: [^"\\\n\r] | \\. )*+ "
                 | ' (?: [^'\\\n\r] | \\. )*+ ' )
    | (?P<absolute> < [A-Za-z][\w+.-]*+ :// [^<>"{}|^`\\\x00-\x20]*+ > )
    | (?P<iri>     < [^<>"{}|^`\\\x00-\x20]*+ > )
    | (?P<marked>  [?$]\w++ | @[A-Za-z][\w-]*+ | _:\w*+ )
    | (?P<name>    [^\W\d_][\w.-]*+ : (?: [\w:%-] | \\. )*+ )
    | (?P<word>    [^\W\d_][\w.-]*+ )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_DOUBTFUL = re.compile(r"[)#']")
_GROUP_FOLLOWS = re.compile(r"[^\s\#{]{1000} | [^\s\#{]*+ (?: \s | \#[^\n\r]*+ )*+ \{", re.VERBOSE)
"""What is longer is not read: in doubt, a group follows."""
_QUOTES = {'"', "'"}
_MOST_READ = 1 << 25
"""Characters read for the tokens of one query, some of them again and again: a quarter second."""
_DEEPEST = 128
"""Brackets within brackets. The deepest query of the project has eight."""
_BRACKETS = {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}
_PROLOGUE = {"BASE", "PREFIX"}
_UPDATES = {
    "ADD", "CLEAR", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "LOAD", "MOVE", "WITH",
}  # fmt: skip
_SERVICE = "service"
_VOLATILE = re.compile(r"NOW|RAND|UUID|BNODE", re.IGNORECASE)
"""STRUUID is among them. The engine wants no space before: `ORDER BYRAND()`."""


@dataclass(frozen=True, slots=True)
class Screened:
    """What is known of a query before it is parsed."""

    calls_out: bool
    is_nested_too_deeply: bool


def screen(query: str) -> Screened:
    """Say whether a query calls out, and whether it is nested too deeply; read it once at most."""
    may_call = _SERVICE in query.lower()
    may_be_deep = sum(map(query.count, "{([")) > _DEEPEST
    calls, depth, deepest = False, 0, 0
    for token in tokens_of(query) if may_call or may_be_deep else ():
        calls = calls or _may_be_service(token)
        depth += _BRACKETS.get(token.group(), 0)
        deepest = max(deepest, depth)
    return Screened(calls, deepest > _DEEPEST)


def calls_out(query: str) -> bool:
    """Say whether a query has a SERVICE outside of strings, IRIs and comments."""
    return _SERVICE in query.lower() and any(map(_may_be_service, tokens_of(query)))


def is_volatile(query: str) -> bool:
    """Say whether a query asked again may get another answer from the same graph.

    It may when it has NOW, RAND, UUID, STRUUID or BNODE outside of strings, IRIs, comments and
    variables; in doubt it does.
    """
    if not _VOLATILE.search(query):
        return False
    names = (token for token in tokens_of(query) if token.lastgroup == "word")
    return any(_VOLATILE.search(token.group()) for token in names)


def is_update(query: str) -> bool:
    """Say whether the first word after the prologue is one that updates begin with."""
    words = (token.group().upper() for token in tokens_of(query) if token.lastgroup == "word")
    return next((word for word in words if word not in _PROLOGUE), "") in _UPDATES


def iris_in(query: str) -> list[str]:
    """Return the absolute IRIs that a query names, prefixed names resolved by its own prefixes.

    The namespaces that it declares are not among them. A name without a known prefix is left out.
    """
    kinds = {"name", "absolute", "word"}
    tokens = [token for token in tokens_of(query) if token.lastgroup in kinds]
    namespaces: dict[str, str] = {}
    found = []
    for before, token in pairwise([None, *tokens, None]):
        text = token.group() if token else ""
        if before and before.lastgroup == "name" and before.group().endswith(":"):
            namespaces.setdefault(before.group()[:-1], text[1:-1])
        elif token and token.lastgroup == "absolute":
            found.append(text[1:-1])
        elif token and token.lastgroup == "name" and not text.endswith(":"):
            prefix, _, local = re.sub(r"\\(.)", r"\1", text).partition(":")
            found.append(namespaces[prefix] + local if prefix in namespaces else "")
    return [iri for iri in dict.fromkeys(found) if iri]


def is_nested_too_deeply(query: str) -> bool:
    """Say whether more brackets are open at once than any sensible query has."""
    return screen(query).is_nested_too_deeply


def _may_be_service(token: re.Match[str]) -> bool:
    prefix = token.group().partition(":")[0]
    if _SERVICE not in prefix.lower():
        return False
    if token.lastgroup == "word":
        return True
    return token.lastgroup == "name" and bool(_GROUP_FOLLOWS.match(token.string, token.end()))


def tokens_of(query: str) -> Iterator[re.Match[str]]:
    """Yield the tokens of every reading: first with each `<…>` as an IRI, then with "less than".

    The second is followed only where it could matter: where it would end a filter, begin a comment
    or begin a string within the `<…>`. An IRI with `://` cannot be anything else. Each position is
    read once, however many readings lead to it.

    Raises QueryFault where that would take long: a quote that nothing closes, and a comment that
    may begin within a `<…>`, are read to their ends, and a query can have many.
    """
    pending, done, left = [0], set[int](), _MOST_READ
    while pending:
        position = pending.pop()
        while position < len(query) and position not in done:
            done.add(position)
            token = _TOKEN.match(query, position)
            assert token
            left -= _read_for(token)
            if left < 0:
                raise QueryFault("it has too many quotes that nothing closes, or '<'; write less")
            yield token
            if token.lastgroup == "iri" and _DOUBTFUL.search(token.group()):
                pending.append(position + 1)
            position = token.end()


def _read_for(token: re.Match[str]) -> int:
    """Return how many characters may have been read to find a token."""
    end = len(token.string) if token.group() in _QUOTES else token.end()
    return end - token.start()
