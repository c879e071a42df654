"""Choose what to send: by `?format=`, else by the Accept header (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from flask import Response, request

from policygraph.errors import UnknownThing
from policygraph.store import Format, Kind, format_named, formats_for
from policygraph.web.faults import NotAcceptable

PAGE = "text/html"
PROBLEM = "application/problem+json"

_ALIASES = (
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
    ("application/x-turtle", "ttl"),
    ("application/json", "jsonld"),
    ("application/xml", "rdf"),
    ("text/xml", "rdf"),
    ("text/plain", "nt"),
)
"""Other names that clients have for a format; its own name is preferred. To add one, add a row."""

_Range: TypeAlias = tuple[str, str, float]
_RANGE = re.compile(r"\s*([\w!#$%&'+.^`|~*-]+)/([\w!#$%&'+.^`|~*-]+)\s*(?:;(.*))?")
_WEIGHT = re.compile(r"(?:.*;)?\s*q\s*=\s*([01](?:\.\d*)?)\s*(?:;.*)?", re.IGNORECASE)


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


def offers_for(kind: Kind) -> tuple[Offer, ...]:
    """Return all ways to send an answer of a kind, the preferred first, other names last."""
    formats = formats_for(kind)
    own = (Offer(format_.media_type, format_) for format_ in formats)
    named = ((media_type, format_named(name)) for media_type, name in _ALIASES)
    others = (Offer(media_type, format_) for media_type, format_ in named if format_ in formats)
    return (*own, Offer(PAGE), *others)


def negotiated(offers: Sequence[Offer]) -> Offer:
    """Return the offer that suits the client best. Raises NotAcceptable when none does.

    `?format=` wins over the header; it takes a short name or a media type.
    """
    wanted = request.values.get("format", "").strip().lower()
    if wanted:
        names = {wanted, _short_name(wanted)}
        found = next((offer for offer in offers if names & {offer.name, offer.media_type}), None)
        reason = f"no format '{wanted}' for this"
    else:
        found = preferred(request.headers.get("Accept", ""), offers)
        reason = "nothing that the Accept header names can be sent"
    if found is None:
        raise NotAcceptable(f"{reason}; there is {_listed(offers)}", _media_types(offers))
    return found


def preferred(accept: str, offers: Iterable[Offer]) -> Offer | None:
    """Return the offer with the highest weight, of equals the first; None when all weigh 0."""
    ranges = list(_ranges(accept)) or [("*", "*", 1.0)]
    weighed = [(_weight(offer.media_type, ranges), offer) for offer in offers]
    weight, best = max(weighed, key=lambda pair: pair[0])
    return best if weight > 0 else None


def prefers_page() -> bool:
    """Say whether the client would rather read a page than a document for programs.

    The body is not looked at: it may be what is wrong with the request.
    """
    if request.args.get("format"):
        return request.args["format"] == "html"
    offers = (Offer(PROBLEM), Offer("application/json"), Offer(PAGE))
    found = preferred(request.headers.get("Accept", ""), offers)
    return found is not None and found.media_type == PAGE


def vary_by_accept(response: Response) -> Response:
    """Tell caches that what was sent depends on the Accept header."""
    response.vary.add("Accept")
    return response


def _short_name(name: str) -> str:
    """Return the short name of a format that is called by another, such as `turtle`."""
    try:
        return format_named(name).name
    except UnknownThing:
        return name


def _ranges(accept: str) -> Iterator[_Range]:
    """Yield the media ranges with their weights; what is none is passed over.

    Parameters other than the weight are ignored: no format here comes in variants.
    """
    for part in accept.lower().split(","):
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
