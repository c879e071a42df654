"""The SPARQL endpoint: queries in, answers out, each in the format that the client asks for.

SPARQL 1.1 Protocol, section 2.1: a query comes by GET, as a form, or as the body of a POST.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from policygraph.errors import QueryFault
from policygraph.store import Answer, Kind, format_named, formats_for
from policygraph.web.description import service_description
from policygraph.web.faults import CallRefused, RequestFault, UnsupportedBody, UpdateRefused
from policygraph.web.negotiation import PAGE, Offer, negotiated, offers_for, vary_by_accept
from policygraph.web.screening import calls_out, is_nested_too_deeply, is_update
from policygraph.web.served import as_example, current
from policygraph.web.tables import as_table

bp = Blueprint("sparql", __name__)

LONGEST_PAGE = 500
"""Rows shown on a page; the other formats hold all of them."""

_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_PREFIX = re.compile(r"[a-z]+:")
_DESCRIPTION = (Offer("text/turtle", format_named("ttl")), Offer(PAGE))
_DATASET = ("default-graph-uri", "named-graph-uri", "using-graph-uri", "using-named-graph-uri")


@bp.get("/sparql")
def ask() -> Response:
    """Answer a query; without one, show people a form and tell programs what this is."""
    if {"query", "update"} & set(request.args):
        return _answered(_query_in(request.args))
    offer = negotiated(_DESCRIPTION)
    body = service_description() if offer.format else _page("")
    return _response(body, offer)


@bp.post("/sparql")
def ask_by_post() -> Response:
    """Answer a query that is sent as a form or is itself the body."""
    read = _READERS.get(request.mimetype)
    if read is None:
        named = f"'{request.mimetype}' is" if request.mimetype else "a body of no named type is"
        raise UnsupportedBody(f"{named} not understood here; send {_FORM} or {_QUERY}")
    return _answered(read())


def _from_form() -> str:
    return _query_in(request.form)


def _from_body() -> str:
    _refuse_what_is_not_done(request.args)
    try:
        return request.get_data().decode()
    except UnicodeDecodeError as error:
        raise RequestFault(f"the query is not UTF-8 (byte {error.start}); encode it so") from error


def _from_update() -> str:
    raise _read_only()


_READERS: dict[str, Callable[[], str]] = {
    _FORM: _from_form,
    _QUERY: _from_body,
    _UPDATE: _from_update,
}
"""How a body of each media type is read."""


def _query_in(parameters: MultiDict[str, str]) -> str:
    """Return the one query among the parameters of a request."""
    _refuse_what_is_not_done(parameters)
    _refuse_what_is_not_done(request.args)
    queries = parameters.getlist("query")
    if len(queries) != 1:
        count = f"{len(queries)} queries" if queries else "no query"
        raise RequestFault(f"the request has {count}; send one, as the parameter 'query'")
    return queries[0]


def _refuse_what_is_not_done(parameters: MultiDict[str, str]) -> None:
    if "update" in parameters:
        raise _read_only()
    for name in _DATASET:
        if name in parameters:
            raise RequestFault(f"'{name}' is not done here; write FROM or FROM NAMED in the query")


def _answered(query: str) -> Response:
    """Run a query and write its answer in the format that suits the client."""
    _refuse_before_parsing(query)
    try:
        answer = current().store.query(query)
    except QueryFault as error:
        raise (_read_only() if is_update(query) else error) from error
    offer = negotiated(offers_for(answer.kind))
    body = answer.write(offer.format) if offer.format else _page(query, **_shown(answer))
    return _response(body, offer)


def _refuse_before_parsing(query: str) -> None:
    if not query.strip():
        raise RequestFault("the query is empty; write one")
    if is_nested_too_deeply(query):
        raise RequestFault("too many brackets within brackets; write the query flatter")
    if calls_out(query):
        raise CallRefused(
            "the query uses SERVICE, and this server calls no other; ask the other one yourself "
            "and join the answers"
        )


def _shown(answer: Answer) -> dict[str, Any]:
    """Return what a page shows of an answer, by its kind."""
    shown: dict[str, Any] = {"formats": formats_for(answer.kind)}
    if answer.kind is Kind.ROWS:
        return shown | {"table": as_table(answer, current().store, limit=LONGEST_PAGE)}
    if answer.kind is Kind.BOOLEAN:
        return shown | {"boolean": json.loads(answer.write(format_named("json")))["boolean"]}
    return shown | {"graph": _readable(answer.write(format_named("ttl")).decode())}


def _page(query: str, **shown: object) -> str:
    examples = current().tagged("home")
    example = as_example(examples[0]) if examples else "SELECT * { ?s ?p ?o } LIMIT 20"
    return render_template("sparql.html", query=query or example, asked=bool(query), **shown)


def _readable(turtle: str) -> str:
    """Leave out the prefixes that are not used, which the engine writes too."""
    lines = turtle.splitlines()
    body = "\n".join(line for line in lines if not line.startswith("@prefix"))
    used = set(_PREFIX.findall(body))
    head = (line for line in lines if line.startswith("@prefix") and line.split()[1] in used)
    return "\n".join((*sorted(head), "", body))


def _response(body: bytes | str, offer: Offer) -> Response:
    return vary_by_accept(Response(body, content_type=offer.content_type))


def _read_only() -> UpdateRefused:
    return UpdateRefused(
        "this endpoint answers queries and takes no updates; what it serves is made from the "
        "files of its project"
    )
