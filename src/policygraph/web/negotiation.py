"""Choose what to send: by `?format=`, else by the Accept header (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from typing import TypeAlias, TypeVar

from flask import Response, request

from policygraph.store import Format, Kind, format_named, formats_for
from policygraph.web.faults import NotAcceptable

PAGE = "text/html"
PROBLEM = "application/problem+json"
ANSWERS = (Kind.ROWS, Kind.BOOLEAN, Kind.GRAPH)
"""The kinds of answers to queries."""

_ALIASES = (
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
    ("application/x-turtle", "ttl"),
    ("application/turtle", "ttl"),
    ("text/n3", "ttl"),
    ("text/rdf+n3", "ttl"),
    ("application/json", "jsonld"),
    ("application/xml", "rdf"),
    ("text/xml", "rdf"),
    ("text/plain", "nt"),
    ("text/x-nquads", "nq"),
    ("application/x-trig", "trig"),
)
"""Other media types that clients name for a format; its own is preferred. To add one, add a row."""

_OTHER_NAMES = (
    ("turtle", "ttl"),
    ("n3", "ttl"),
    ("n-triples", "nt"),
    ("ntriples", "nt"),
    ("n-quads", "nq"),
    ("nquads", "nq"),
    ("json-ld", "jsonld"),
    ("json", "jsonld"),
    ("rdf+xml", "rdf"),
    ("rdfxml", "rdf"),
    ("xml", "rdf"),
)
"""Other short names, where none of the offers has it as its own. To add one, add a row."""

_LONGEST = 8192
"""Characters of an Accept header that are read; those that clients send have a few hundred."""
_REMEMBERED = 512
"""Characters of one whose meaning is remembered, so that nobody can fill the memory."""

_Meaning = TypeVar("_Meaning")
_Range: TypeAlias = tuple[str, str, float]
_RANGE = re.compile(r"\s*([\w!#$%&'+.^`|~*-]+)/([\w!#$%&'+.^`|~*-]+)\s*(?:;(.*))?")
_WEIGHT = re.compile(r"(?:.*;)?\s*q\s*=\s*([01](?:\.\d*)?)\s*(?:;.*)?", re.IGNORECASE)
_ANYTHING = (("*", "*", 1.0),)


def remembered(read: Callable[[str, str], _Meaning]) -> Callable[[str, str], _Meaning]:
    """Remember what short Accept headers and `?format=` mean: clients have but a few."""
    known = lru_cache(maxsize=1024)(read)

    @wraps(read)
    def look_up(accept: str, wanted: str) -> _Meaning:
        is_short = len(accept) + len(wanted) <= _REMEMBERED
        return (known if is_short else read)(accept, wanted)

    return look_up


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to send an answer: its media type, and its format (None: as a page)."""

    media_type: str
    format: Format | None = None

    @property
    def name(self) -> str:
        """The short name, as in `?format=`."""
        return self.format.name if self.format else "html"

    @property
    def content_type(self) -> str:
        """The Content-Type to send it with; all that is written is UTF-8."""
        is_text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if is_text else self.media_type


@cache
def offers_for(kind: Kind) -> tuple[Offer, ...]:
    """Return all ways to send an answer of a kind, the preferred first, other names last."""
    formats = formats_for(kind)
    own = (Offer(format_.media_type, format_) for format_ in formats)
    named = ((media_type, format_named(name)) for media_type, name in _ALIASES)
    others = (Offer(media_type, format_) for media_type, format_ in named if format_ in formats)
    return (*own, Offer(PAGE), *others)


def chosen(offers: Sequence[Offer], accept: str, wanted: str = "") -> Offer:
    """Return the offer that suits a client best. Raises NotAcceptable when none does.

    `wanted` (of `?format=`) wins over the Accept header; it is a short name or a media type.
    """
    if wanted:
        found = _named(offers).get(_as_name(wanted))
        reason = f"no format '{wanted[:80]}' for this"
    else:
        found = preferred(accept, offers)
        reason = "nothing that the Accept header names can be sent"
    if found is None:
        raise NotAcceptable(f"{reason}; there is {_listed(offers)}", _media_types(offers))
    return found


def acceptable(accept: str, wanted: str) -> dict[Kind, Offer]:
    """Return how to send each kind of answer; a kind that the client takes in no form is left out.

    Which kind it is, only the worker that parses the query will know.
    """
    offers = {}
    for kind in ANSWERS:
        with suppress(NotAcceptable):
            offers[kind] = chosen(offers_for(kind), accept, wanted)
    return offers


def preferred(accept: str, offers: Iterable[Offer]) -> Offer | None:
    """Return the offer with the highest weight, of equals the first; None when all weigh 0."""
    ranges = _ranges(accept, "")
    weighed = [(_weight(offer.media_type, ranges), offer) for offer in offers]
    weight, best = max(weighed, key=lambda pair: pair[0])
    return best if weight > 0 else None


@remembered
def wants_page(accept: str, wanted: str) -> bool:
    """Say whether a client would rather read of an error on a page than in a problem document."""
    if wanted:
        return _as_name(wanted) in {"html", PAGE}
    found = preferred(accept, _PROBLEMS)
    return found is not None and found.media_type == PAGE


def negotiated(offers: Sequence[Offer]) -> Offer:
    """Return the offer that suits the client of this request best. Raises NotAcceptable."""
    return chosen(offers, request.headers.get("Accept", ""), request.args.get("format", ""))


def prefers_page() -> bool:
    """Say whether the client of this request would rather read a page than a problem document.

    The body is not looked at: it may be what is wrong with the request.
    """
    return wants_page(request.headers.get("Accept", ""), request.args.get("format", ""))


def vary_by_accept(response: Response) -> Response:
    """Tell caches that what was sent depends on the Accept header."""
    response.vary.add("Accept")
    return response


_PROBLEMS = (Offer(PROBLEM), Offer("application/json"), Offer(PAGE))


def _as_name(wanted: str) -> str:
    """Return what `?format=` names; a `+` that was sent as it is has become a space."""
    return wanted.strip().lower().replace(" ", "+").partition(";")[0]


def _named(offers: Iterable[Offer]) -> dict[str, Offer]:
    """Return the offers by each name they go by: their own first, then other names."""
    names: dict[str, Offer] = {}
    for offer in offers:
        names.setdefault(offer.name, offer)
        names.setdefault(offer.media_type, offer)
    for other, name in _OTHER_NAMES:
        if name in names:
            names.setdefault(other, names[name])
    return names


@remembered
def _ranges(accept: str, _: str) -> tuple[_Range, ...]:
    """Return the media ranges of a header with their weights; what is none is passed over.

    Parameters other than the weight are ignored: no format here comes in variants. A header
    without any range is as good as none.
    """
    return tuple(_read_ranges(accept[:_LONGEST].lower())) or _ANYTHING


def _read_ranges(accept: str) -> Iterator[_Range]:
    for part in accept.split(","):
        found = _RANGE.fullmatch(part)
        if found:
            weight = _WEIGHT.fullmatch(found[3] or "")
            yield found[1], found[2], min(float(weight[1]), 1.0) if weight else 1.0


def _weight(media_type: str, ranges: Iterable[_Range]) -> float:
    """Return the weight that the most specific range gives a media type."""
    main, _, sub = media_type.partition("/")
    matches = [
        ((major != "*") + (minor != "*"), weight)
        for major, minor, weight in ranges
        if major in {main, "*"} and minor in {sub, "*"}
    ]
    return max(matches, default=(0, 0.0))[1]


def _listed(offers: Iterable[Offer]) -> str:
    names: dict[str, str] = {}
    for offer in offers:
        names.setdefault(offer.name, offer.media_type)
    return ", ".join(f"{name} ({media_type})" for name, media_type in names.items())


def _media_types(offers: Iterable[Offer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(offer.media_type for offer in offers))
