"""Errors over HTTP: problem documents (RFC 9457) for programs, pages for people."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from policygraph.errors import PolicygraphError
from policygraph.web.documents import (
    as_json,
    headers_of,
    members_of,
    members_of_status,
    note_problem,
)
from policygraph.web.faults import Unforeseen
from policygraph.web.negotiation import PAGE, Offer, prefers_page
from policygraph.web.served import current
from policygraph.web.sparql import example_query

_KEPT = ("Allow", "Content-Range")
"""Headers that belong to a status, whatever the body."""
_PAGE = Offer(PAGE).content_type


def register(app: Flask) -> None:
    """Let an application answer with problem documents."""
    app.register_error_handler(PolicygraphError, _own)
    app.register_error_handler(HTTPException, _foreign)


def _own(error: PolicygraphError) -> BaseResponse:
    note_problem(request.environ, error)
    members = members_of(error, current().base, query=_asked(), request_id=_request_id())
    return _response(members, headers_of(error))


def _foreign(error: HTTPException) -> BaseResponse:
    """Answer what Flask finds wrong: no such page, not this method, too large a body."""
    if isinstance(error, InternalServerError):
        # Flask has logged what it was, with the traceback.
        return _own(Unforeseen(type(error.original_exception).__name__))
    answer = error.get_response()
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return answer
    status = HTTPStatus(answer.status_code)
    note_problem(request.environ, status)
    members = members_of_status(status, detail=_methods(answer), request_id=_request_id())
    kept = [(name, _in_order(answer.headers[name])) for name in _KEPT if name in answer.headers]
    return _response(members, [*headers_of(status), *kept])


def _methods(answer: BaseResponse) -> str:
    """Say which methods an address takes, where the answer names them."""
    allowed = _in_order(answer.headers.get("Allow", ""))
    return allowed and f"{request.method} is not for this address; it takes {allowed}"


def _in_order(values: str) -> str:
    """Put the values of a header in order: Flask has methods in a set."""
    return ", ".join(sorted(values.split(", ")))


def _request_id() -> str:
    return str(request.environ.get("policygraph.request_id", ""))


def _asked() -> str:
    """Return the query of this request; where it could not be read, what stands in the address."""
    return str(g.get("asked") or request.args.get("query", ""))


def _response(members: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
    if not prefers_page():
        return Response(as_json(members), members["status"], headers)
    return Response(_page(members), members["status"], dict(headers) | {"Content-Type": _PAGE})


def _page(members: dict[str, Any]) -> str:
    """Return the page that tells a person; what was asked stays in the form, to be mended."""
    return render_template(
        "error.html",
        problem=members,
        query=_asked().strip() or (example_query() if "query" in request.args else ""),
    )
