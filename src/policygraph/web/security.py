"""Headers on every answer: what a browser may do with it, and that anybody may read it.

The application sends them with its answers; the front (`front.py`) with those it makes itself.
"""

from flask import Flask, Response

METHODS = "GET, HEAD, POST, QUERY, OPTIONS"

HEADERS = {
    "Server": "policygraph",
    # Nothing but our own style sheet and pictures: no script, no frame, no other host.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The data is open: a page of any origin may ask, without credentials.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Query, Accept-Ranges, Content-Location, Content-Range, ETag, Link, Location, "
        "Repr-Digest, Retry-After, Vary, X-Request-Id"
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""To add a header, add a row."""

PREFLIGHT = {
    "Allow": METHODS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Request-Id"
    ),
    "Access-Control-Max-Age": "86400",
}
"""What a browser is told when it asks whether a page of another origin may ask (CORS)."""


def register(app: Flask) -> None:
    """Let an application send these headers with each of its answers, errors too."""
    app.after_request(_with_headers)


def _with_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response
