"""Answers as values: what an application answers, made ready to be kept, shared and sent."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeAlias

from policygraph.front.compression import coding_for, compressed, is_compressible
from policygraph.web.security import HEADERS
from policygraph.web.served import Environ

Application: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Raw: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes]]

_LARGEST_WHOLE = 512 * 1024 * 1024
_FRESH = "public, max-age=60"
_OF_UNCHANGED = {
    *("cache-control", "content-location", "etag", "expires", "vary"),
    *(name.lower() for name in HEADERS),
}
"""What a 304 repeats of the headers (RFC 9110, section 15.4.5), and what every answer has."""
_STATIC = "/static/"
"""Files of which there are no ranges to be had: their ETags are of the front's making as well."""
_OF_FILES = {"etag", "last-modified"}
_VARIES_BY = {"accept", "accept-encoding"}
"""The request headers that are part of a cache's key; what varies by another is not kept."""


@dataclass(slots=True, eq=False)
class Answer:
    """An answer: its status line, its headers, and its body, in one piece where that is known.

    With an `etag` it can be kept and shared, and `brief` is the headers of its 304.
    """

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]
    etag: str = ""
    brief: list[tuple[str, str]] = field(default_factory=list)
    is_touched: bool = False

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status[:3])

    @property
    def size(self) -> int | None:
        """The bytes of the body; None when they are still to come."""
        return sum(map(len, self.body)) if isinstance(self.body, list) else None


def called(app: Application, environ: Environ) -> Raw:
    """Return what an application answers: status line, headers, body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        started[:] = status, headers

    body = app(environ, start_response)
    status, headers = started
    return status, headers, body


def made_ready(raw: Raw, environ: Environ, version: str) -> Answer:
    """Return what an application answered with an ETag, compressed, and said to be fresh.

    `version` is what the ETag begins with. A body of unknown length, and one that has an ETag (a
    file, of which there may be ranges), stays as it is.
    """
    status, pairs, body = raw
    headers = _by_name(pairs)
    if _is_static(environ):
        pairs = [pair for pair in pairs if pair[0].lower() not in _OF_FILES]
        headers.pop("etag", None)
    if _is_as_it_should_be(headers):
        return Answer(status, pairs, body)
    return _ready((status, pairs, _joined(body)), headers, environ, version)


def _by_name(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name in lower case (werkzeug's Headers would take half of our time)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def leave_conditions_to_the_front(environ: Environ) -> None:
    """Let an application send a static file whole, whatever the client knows of it."""
    if _is_static(environ):
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            environ.pop(name, None)


def _is_static(environ: Environ) -> bool:
    return environ["PATH_INFO"].startswith(_STATIC) and "HTTP_RANGE" not in environ


def _is_as_it_should_be(headers: dict[str, str]) -> bool:
    is_file = "etag" in headers or "content-range" in headers
    length = headers.get("content-length", "")
    return is_file or not length.isdigit() or int(length) > _LARGEST_WHOLE


def _joined(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        close_body(body)


def close_body(body: Iterable[bytes]) -> None:
    """End a body that may hold something open."""
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _ready(
    whole: tuple[str, list[tuple[str, str]], bytes],
    headers: dict[str, str],
    environ: Environ,
    version: str,
) -> Answer:
    status, pairs, body = whole
    added: dict[str, str] = {}
    coding = etag = ""
    content_type = headers.get("content-type", "")
    if is_compressible(content_type) and "content-encoding" not in headers:
        added["Vary"] = _joined_names(headers.get("vary", ""), "Accept-Encoding")
        coding = coding_for(environ.get("HTTP_ACCEPT_ENCODING", ""), len(body))
    if environ["REQUEST_METHOD"] == "GET" and status.startswith("200") and _may_be_kept(headers):
        added["Cache-Control"] = headers.get("cache-control", _FRESH)
        etag = added["ETag"] = _etag(version, content_type, coding, body)
    if coding:
        body = compressed(body, coding)
        added |= {"Content-Encoding": coding, "Content-Length": str(len(body))}
    changed = {name.lower() for name in added}
    pairs = [*(pair for pair in pairs if pair[0].lower() not in changed), *added.items()]
    brief = [pair for pair in pairs if pair[0].lower() in _OF_UNCHANGED] if etag else []
    return Answer(status, pairs, [body], etag, brief)


def _may_be_kept(headers: dict[str, str]) -> bool:
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    is_kept = "no-store" not in headers.get("cache-control", "").lower()
    return is_kept and "set-cookie" not in headers and varies <= _VARIES_BY


def _etag(version: str, content_type: str, coding: str, body: bytes) -> str:
    """Return a strong ETag: the same for the same bytes of the same version, and for no others."""
    digest = blake2b(f"{content_type}\n{coding}\n".encode(), digest_size=8)
    digest.update(body)
    return f'"{version[:8]}-{digest.hexdigest()}"'


def _joined_names(names: str, name: str) -> str:
    has_it = name.lower() in names.lower().split(", ")
    return names if has_it else f"{names}, {name}".removeprefix(", ")
