"""Which address on this host tells of an IRI, and which IRIs an address may mean.

The IRIs of the data do not depend on the host: `{base}id/x` is described here at `/doc/x`.
"""

import re
from urllib.parse import quote

from flask import request

_IN_ADDRESSES = "/:@!$&'()*+,;=~%"
"""What stays in a path (RFC 3986); `%` too, because an IRI may hold what is encoded already."""
_NOT_IN_IRIS = re.compile(
    r"[^A-Za-z0-9/:@!$&'()*+,;=~._\-"
    r"\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U000dfffd]"
)
"""What cannot stand in the path of an IRI (RFC 3987, section 2.2)."""


def address_of(iri: str, base: str) -> str | None:
    """Return the path on this host that tells of an IRI of the project's own; None for another."""
    path = iri.removeprefix(base)
    place = f"{base}doc/{path.removeprefix('id/')}" if path.startswith("id/") else iri
    return named_by(place, base)


def named_by(iri: str, base: str) -> str | None:
    """Return the path on this host that is at the place of an IRI; None for one elsewhere."""
    if not iri.startswith(base):
        return None
    return f"{request.script_root}/{as_uri(iri.removeprefix(base))}"


def as_uri(iri: str) -> str:
    """Return an IRI in ASCII (RFC 3987, section 3.1), as headers need it."""
    return quote(iri, safe=_IN_ADDRESSES + "#?[]")


def iris_of(path: str, base: str) -> list[str]:
    """Return the IRIs of the project's own that a path may mean, the likeliest first.

    A server hands on the path decoded. So `josé` may be that, or an IRI with `jos%C3%A9` in it,
    whose digits may be small letters too.
    """
    readable = _NOT_IN_IRIS.sub(_encoded, path)
    plain = quote(path, safe=_IN_ADDRESSES.replace("%", ""))
    small = re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), plain)
    return list(dict.fromkeys(f"{base}{each}" for each in (readable, plain, small)))


def is_address(iri: str) -> bool:
    """Say whether an IRI may be linked to: one from data may be `javascript:` or anything else."""
    return iri.startswith(("http://", "https://"))


def _encoded(found: re.Match[str]) -> str:
    return quote(found.group(), safe="", errors="replace")
