"""Headers on every answer: what a browser may do with it, and that anybody may read it."""

from flask import Flask, Response

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
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""To add a header, add a row."""


def register(app: Flask) -> None:
    """Let an application send these headers with each of its answers, errors too."""
    app.after_request(_with_headers)


def _with_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response
