"""Problem documents (RFC 9457): how an error is told to programs, and to the pages for people.

No traceback, no path and no inner name is ever sent. Nothing here needs Flask or a request, so that
what stands before the application answers in the same words.
"""

import json
import logging
from http import HTTPStatus
from typing import Any

from policygraph.errors import PolicygraphError
from policygraph.web.negotiation import PROBLEM
from policygraph.web.problems import STATUSES, problem_of, type_of

_UNTOLD = "the server could not answer this; its log says why"
_BEFORE, _LONGEST = 60, 120
"""Characters shown of a line of a query: before the place of the fault, and at most."""
_LOG = logging.getLogger(__name__)


def problem_document(
    what: PolicygraphError | HTTPStatus,
    *,
    base: str,
    detail: str = "",
    query: str = "",
    request_id: str = "",
) -> bytes:
    """Return the whole problem document of an error, or of a status that no error stands for."""
    if isinstance(what, HTTPStatus):
        return as_json(members_of_status(what, detail=detail, request_id=request_id))
    return as_json(members_of(what, base, query=query, request_id=request_id))


def members_of(
    error: PolicygraphError, base: str, *, query: str = "", request_id: str = ""
) -> dict[str, Any]:
    """Return the members of an error's problem document; of the query, the line at fault."""
    problem = problem_of(error)
    is_told = problem.status != HTTPStatus.INTERNAL_SERVER_ERROR
    if not is_told:
        _LOG.error("request %s: %s: %s", request_id or "-", type(error).__name__, error)
    members = {
        "type": type_of(error, base),
        "title": problem.title,
        "status": problem.status.value,
        "detail": str(error) if is_told else _UNTOLD,
        **_place(error, query),
        "available": getattr(error, "available", None),
        "request": request_id,
    }
    return {name: value for name, value in members.items() if value}


def members_of_status(
    status: HTTPStatus, *, detail: str = "", request_id: str = ""
) -> dict[str, Any]:
    """Return the members of a problem document that says no more than its status."""
    members = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail or STATUSES.get(status) or status.description or status.phrase,
        "request": request_id,
    }
    return {name: value for name, value in members.items() if value}


def headers_of(what: PolicygraphError | HTTPStatus) -> list[tuple[str, str]]:
    """Return the headers that the problem document of this is sent with."""
    headers = [("Content-Type", PROBLEM), ("Vary", "Accept")]
    wait = None if isinstance(what, HTTPStatus) else problem_of(what).retry_after
    return [*headers, ("Retry-After", str(wait))] if wait else headers


def note_problem(environ: dict[str, Any], what: PolicygraphError | HTTPStatus) -> None:
    """Note the name of a problem where an access log is kept."""
    if "policygraph.note" in environ:
        name = what.name if isinstance(what, HTTPStatus) else type_of(what, "")
        environ["policygraph.note"]["fault"] = name.rpartition("#")[2].lower().replace("_", "-")


def as_json(members: dict[str, Any]) -> bytes:
    """Write the members of a problem document as application/problem+json."""
    return f"{json.dumps(members, ensure_ascii=False)}\n".encode()


def _place(error: PolicygraphError, query: str) -> dict[str, Any]:
    """Return line and column of a fault, the line itself, and where in that the fault is.

    All count from 1, columns in characters. Of a long line `source_line` is the part around the
    fault. Only a line feed ends a line, as in the engine.
    """
    line, column = getattr(error, "line", None), getattr(error, "column", None)
    place = {"line": line, "column": column}
    lines = query.split("\n")
    if not line or not column or line > len(lines):
        return place
    text = lines[line - 1].removesuffix("\r")
    start = max(min(column - 1, len(text)) - _BEFORE, 0)
    return place | {"source_line": text[start : start + _LONGEST], "caret": column - start}
