"""Conditional requests: If-Match and If-None-Match against an ETag (RFC 9110, section 13)."""

from http import HTTPStatus

from werkzeug.http import parse_etags

from policygraph.web.served import Environ


def judged(etag: str, environ: Environ) -> HTTPStatus:
    """Return 200 when a request wants the representation with this ETag, else 304 or 412."""
    match = environ.get("HTTP_IF_MATCH")
    if match is not None and not _names(match, etag, is_weak_enough=False):
        return HTTPStatus.PRECONDITION_FAILED
    known = environ.get("HTTP_IF_NONE_MATCH")
    if known is not None and (known == etag or _names(known, etag, is_weak_enough=True)):
        return HTTPStatus.NOT_MODIFIED
    return HTTPStatus.OK


def _names(condition: str, etag: str, *, is_weak_enough: bool) -> bool:
    tags = parse_etags(condition)
    tag = etag.strip('"')
    return tags.contains_weak(tag) if is_weak_enough else tags.contains(tag)
