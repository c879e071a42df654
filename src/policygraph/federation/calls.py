"""Find each SERVICE of a query, and put something in its place.

It goes by the tokens, never by a search for a word. A `<` may open an IRI or mean "less than"; only
a query in which both readings have the same braces and the same SERVICEs is taken.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policygraph.federation.faults import ServiceRefused
from policygraph.screening import tokens_of

MOST_CALLS = 8

_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}
_PROLOGUE = {"BASE", "PREFIX", "VERSION"}
_BRACES = {"{": 1, "}": -1}
_ENDPOINT = re.compile(r"<(?P<iri>[^<>\s]*)>|(?P<prefix>[^\s:<>]*):(?P<local>[^\s<>]*)")

Token = re.Match[str]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an endpoint; two that are equal are asked once.

    `names` are the variables that stand in it: an answer may bind no others.
    """

    endpoint: str
    query: str
    names: frozenset[str]
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A SERVICE: from where to where it stands in a query, and what it asks."""

    start: int
    end: int
    question: Question


def calls_in(query: str) -> list[Call]:
    """Return the outermost SERVICEs of a query, in order. Raises ServiceRefused."""
    tokens = _only_reading(query)
    form = _form(tokens)
    calls: list[Call] = []
    at = form
    while at < len(tokens):
        if _is_word(tokens[at], "SERVICE"):
            call, at = _call_at(query, tokens, form, at)
            calls.append(call)
        else:
            at += 1
    if len(calls) > MOST_CALLS:
        raise ServiceRefused(f"the query has {len(calls)} SERVICEs; at most {MOST_CALLS} are asked")
    return calls


def replaced(query: str, calls: Sequence[Call], values: Mapping[Question, str]) -> str:
    """Put VALUES in the place of each call. What comes after keeps its line, mostly its column.

    FILTER(true) changes no answer. It stands only where a SERVICE may stand, which VALUES does not,
    so that a query with a SERVICE elsewhere is not understood, as it should be.
    """
    parts, done = [], 0
    for call in calls:
        text = query[call.start : call.end]
        lines = text.count("\n")
        column = len(text) - text.rfind("\n") - 1 if lines else 0
        parts += [query[done : call.start], "FILTER(true) ", values[call.question]]
        parts.append("\n" * lines + " " * column)
        done = call.end
    return "".join([*parts, query[done:]])


def _only_reading(query: str) -> list[Token]:
    """Return the tokens of a query that matter. Raises ServiceRefused where readings differ."""
    every = list(tokens_of(query))
    end = next(i for i, token in enumerate(every) if token.end() == len(query)) + 1
    first = [token for token in every[:end] if token.lastgroup != "skipped"]
    places = [token.start() for token in first if _is_structure(token)]
    for other in every[end:]:
        inside = bisect_right(places, other.start())
        hides = inside < len(places) and places[inside] < other.end()
        if hides or _is_structure(other):
            raise ServiceRefused(
                "a '<' of the query may open an IRI or mean 'less than'; write spaces around each "
                "'less than', and the IRIs as prefixed names"
            )
    return first


def _is_structure(token: Token) -> bool:
    return token.group() in _BRACES or _is_word(token, "SERVICE")


def _is_word(token: Token, word: str) -> bool:
    return token.lastgroup == "word" and token.group().upper() == word


def _form(tokens: Sequence[Token]) -> int:
    """Return where the prologue ends. Raises ServiceRefused for what is not a query."""
    for at, token in enumerate(tokens):
        word = token.group().upper() if token.lastgroup == "word" else ""
        if word in _FORMS:
            return at
        if word and word not in _PROLOGUE:
            break
    raise ServiceRefused("SERVICE is only for SELECT, ASK, CONSTRUCT and DESCRIBE")


def _call_at(query: str, tokens: Sequence[Token], form: int, at: int) -> tuple[Call, int]:
    """Return the call whose keyword is a token, and the number of the token after it."""
    is_silent = _is_word(tokens[min(at + 1, len(tokens) - 1)], "SILENT")
    first = at + 1 + is_silent
    opening = next((i for i in range(first, len(tokens)) if tokens[i].group() == "{"), first)
    closing = _closing(tokens, opening)
    if not first < opening < closing:
        raise ServiceRefused("SERVICE is not followed by an endpoint and a group in braces")
    named = query[tokens[first].start() : tokens[opening - 1].end()]
    group = query[tokens[opening].start() : tokens[closing].end()]
    marked = {t.group() for t in tokens[opening:closing] if t.lastgroup == "marked"}
    question = Question(
        endpoint=_endpoint(named, _namespaces(tokens[:form])),
        query=f"{query[: tokens[form].start()]}SELECT * WHERE {group}",
        names=frozenset(name[1:] for name in marked if name[0] in "?$"),
        is_silent=is_silent,
    )
    return Call(tokens[at].start(), tokens[closing].end(), question), closing + 1


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """Return the token that closes a brace; -1 when none does."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += _BRACES.get(tokens[at].group(), 0)
        if depth == 0:
            return at
    return -1


def _namespaces(prologue: Sequence[Token]) -> dict[str, str]:
    """Return the prefixes that a prologue declares; of two alike, the later one, as the engine."""
    pairs = pairwise(token.group() for token in prologue)
    return {name[:-1]: iri[1:-1] for name, iri in pairs if name[-1] == ":" and iri[0] == "<"}


def _endpoint(named: str, namespaces: Mapping[str, str]) -> str:
    """Return the IRI of an endpoint as a query names it. Raises ServiceRefused."""
    if named[0] in "?$":
        raise ServiceRefused(f"SERVICE {named}: only an endpoint that the query names is asked")
    found = _ENDPOINT.fullmatch(named)
    if found is None:
        raise ServiceRefused(f"SERVICE {named[:80]}: no IRI; write it as <https://…>")
    if found["iri"] is not None:
        return found["iri"]
    if found["prefix"] not in namespaces:
        raise ServiceRefused(f"SERVICE {named[:80]}: the prefix is not declared; add a PREFIX line")
    return namespaces[found["prefix"]] + re.sub(r"\\(.)", r"\1", found["local"])
