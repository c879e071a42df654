"""Compression: what is worth it, which coding a client takes, and the bytes (RFC 9110, 8.4.1)."""

import gzip
import re
from collections.abc import Callable
from functools import lru_cache

import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

SMALLEST = 1024
"""Bytes below which a coding saves nothing: the answer fits in one packet anyhow."""
LARGEST = 32 * 1024 * 1024
"""Bytes above which compressing would keep a core busy for longer than it saves on the way."""
_LONGEST_HEADER = 200

_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "gzip": lambda body: gzip.compress(body, compresslevel=5, mtime=0),
}
"""The codings, the preferred first. Each gives the same bytes for the same body: ETags rely on it.
To add a coding, add a row."""

_COMPRESSIBLE = re.compile(
    r"text/.*|.*[+/](?:json|xml)|image/svg\+xml"
    r"|application/(?:n-triples|n-quads|trig|javascript|sparql-query|x-turtle)"
)


def is_compressible(content_type: str) -> bool:
    """Say whether a media type is of text; what is compressed already has another."""
    media_type = content_type.partition(";")[0].strip().lower()
    return _COMPRESSIBLE.fullmatch(media_type) is not None


def coding_for(accepted: str, size: int) -> str:
    """Return the coding for a text of a size, by an Accept-Encoding header; '' for none."""
    return wanted_coding(accepted) if SMALLEST <= size <= LARGEST else ""


def wanted_coding(accepted: str) -> str:
    """Return the coding that an Accept-Encoding header likes best; '' for none of ours."""
    return _wanted(accepted) if 0 < len(accepted) <= _LONGEST_HEADER else ""


@lru_cache(maxsize=256)
def _wanted(accepted: str) -> str:
    """Weigh the codings. That none is taken as well need not be said, so unsaid it weighs least."""
    weights = parse_accept_header(accepted, Accept)
    best = max(_CODINGS, key=weights.quality)
    is_taken = 0 < weights.quality(best) >= _weight_of_none(weights)
    return best if is_taken else ""


def _weight_of_none(weights: Accept) -> float:
    named = [weight for coding, weight in weights if coding == "identity"]
    return named[0] if named else 0.0


def compressed(body: bytes, coding: str) -> bytes:
    """Return a body in a coding."""
    return _CODINGS[coding](body)
