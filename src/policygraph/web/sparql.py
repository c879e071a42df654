"""The SPARQL endpoint: queries in, answers out, each in the format that the client asks for.

SPARQL 1.1 Protocol, section 2: a query by GET, by a form, or as the body of a POST.
"""

import json
from collections.abc import Callable

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from policygraph.errors import QueryFault
from policygraph.store import Answer, Kind, format_named
from policygraph.web import description
from policygraph.web.faults import CallRefused, RequestFault, UnsupportedBody, UpdateRefused
from policygraph.web.negotiation import PAGE, Offer, negotiated, offers_for, vary_by_accept
from policygraph.web.screening import calls_out, is_update
from policygraph.web.served import current
from policygraph.web.tables import as_table

bp = Blueprint("sparql", __name__)

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"
LONGEST_PAGE = 500
"""Rows shown on a page; the other formats hold all."""

_DESCRIPTIONS = (Offer("text/turtle", format_named("ttl")), Offer(PAGE))
_DATASETS = ("default-graph-uri", "named-graph-uri", "using-graph-uri", "using-named-graph-uri")
_READ_ONLY = "this endpoint only answers queries; change the project's files and start it again"


@bp.get("/sparql")
def ask() -> Response:
    """Answer a query; without one, show people a form and tell programs what this is."""
    if "query" in request.args or "update" in request.args:
        return _answer(_parameter(request.args))
    if negotiated(_DESCRIPTIONS).format is None:
        return _send(_page(""), PAGE)
    return _send(description.turtle(current().project), "text/turtle; charset=utf-8")


@bp.post("/sparql")
def ask_by_post() -> Response:
    """Answer a query sent as a form or as the body itself."""
    read = _BODIES.get(request.mimetype)
    if read is None:
        response = f"a body of type '{request.mimetype}' is not understood" if request.mimetype else (
            "the body has no media type"
        )
        raise UnsupportedBody(f"{response}; send {' or '.join((FORM, QUERY))}")
    return _answer(read())
