"""Errors over HTTP: problem documents (RFC 9457) for programs, pages for people.

Which error has which status is one table. No traceback, no path and no inner name is ever sent.
"""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from policygraph.errors import (
    AnswerTooLarge,
    OutOfMemory,
    PolicygraphError,
    QueryFault,
    TimedOut,
    TooBusy,
    TooComplex,
    UnknownThing,
)
from policygraph.web.faults import (
    CallRefused,
    NotAcceptable,
    RequestFault,
    UnsupportedBody,
    UpdateRefused,
)
from policygraph.web.negotiation import PAGE, PROBLEM, prefers_page, vary_by_accept
from policygraph.web.served import current


@dataclass(frozen=True, slots=True)
class Problem:
    """What a class of errors is over HTTP."""

    status: HTTPStatus
    title: str


PROBLEMS: dict[type[Exception], Problem] = {
    RequestFault: Problem(HTTPStatus.BAD_REQUEST, "The request is not understood"),
    QueryFault: Problem(HTTPStatus.BAD_REQUEST, "The query cannot be run"),
    CallRefused: Problem(HTTPStatus.BAD_REQUEST, "The query asks another server"),
    UpdateRefused: Problem(HTTPStatus.FORBIDDEN, "The graph cannot be changed here"),
    UnknownThing: Problem(HTTPStatus.NOT_FOUND, "There is nothing with this name"),
    NotAcceptable: Problem(HTTPStatus.NOT_ACCEPTABLE, "No accepted format fits the answer"),
    UnsupportedBody: Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body's type is not known"),
    TimedOut: Problem(HTTPStatus.GATEWAY_TIMEOUT, "The query ran too long"),
    OutOfMemory: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The query took too much memory"),
    AnswerTooLarge: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The answer is too large"),
    TooComplex: Problem(HTTPStatus.BAD_REQUEST, "The query is too complex"),
    TooBusy: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many queries at once"),
    PolicygraphError: Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server could not answer"),
}
"""To give an error a status, add a row; an error without one has that of its nearest base."""

_EXTRAS = ("line", "column", "available")
"""What an error may know besides its message; the problem document says it too."""
_KEPT = ("Allow", "Retry-After")
"""Headers that belong to a status, whatever the body."""
SECONDS_TO_COME_BACK = 5
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def register(app: Flask) -> None:
    """Let an application answer with problem documents."""
    app.register_error_handler(PolicygraphError, _own)
    app.register_error_handler(HTTPException, _foreign)


def problem_of(error: Exception) -> Problem:
    """Return the row of the table that fits an error best."""
    return next(PROBLEMS[class_] for class_ in type(error).__mro__ if class_ in PROBLEMS)


def _own(error: PolicygraphError) -> BaseResponse:
    problem = problem_of(error)
    name = _WORDS.sub("-", type(error).__name__).lower()
    members: dict[str, Any] = {
        "type": f"{current().project.base}problems#{name}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": str(error),
    }
    extras = {name: getattr(error, name, None) for name in _EXTRAS}
    response = _response(members | {name: value for name, value in extras.items() if value})
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = str(SECONDS_TO_COME_BACK)
    return response


def _foreign(error: HTTPException) -> BaseResponse:
    """Answer what Flask finds wrong: no such page, not this method, too large a body."""
    answer = error.get_response()
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return answer
    response = _response(
        {
            "type": "about:blank",
            "title": error.name,
            "status": answer.status_code,
            "detail": error.description or error.name,
        }
    )
    for name in set(_KEPT) & set(answer.headers.keys()):
        response.headers[name] = answer.headers[name]
    return response


def _response(members: dict[str, Any]) -> Response:
    if prefers_page():
        body, media_type = _page(members), PAGE
    else:
        body, media_type = json.dumps(members, ensure_ascii=False) + "\n", PROBLEM
    return vary_by_accept(Response(body, members["status"], mimetype=media_type))


def _page(members: dict[str, Any]) -> str:
    """Return the page that tells a person; what was asked stays in the form, to be mended."""
    asked = request.args.get("query", "")
    lines = asked.splitlines()
    line = members.get("line", 0)
    return render_template(
        "error.html",
        problem=members,
        query=asked,
        faulty=lines[line - 1] if 0 < line <= len(lines) else None,
    )
