"""The SPARQL endpoint: queries in, answers out, each in the format that the client asks for.

SPARQL 1.1 Protocol, section 2.1: a query comes by GET, as a form, or as the body of a POST.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from policygraph.errors import QueryFault
from policygraph.screening import calls_out, is_nested_too_deeply, is_update
from policygraph.store import Format, Kind, format_named, formats_for, read_answer
from policygraph.web.description import service_description
from policygraph.web.faults import (
    CallRefused,
    NotAcceptable,
    RequestFault,
    UnsupportedBody,
    UpdateRefused,
)
from policygraph.web.negotiation import PAGE, Offer, negotiated, offers_for, vary_by_accept
from policygraph.web.served import as_example, current
from policygraph.web.tables import as_table
from policygraph.workers import Task

bp = Blueprint("sparql", __name__)

LONGEST_PAGE = 500
"""Rows shown on a page; the other formats hold all of them."""

_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_DESCRIPTION = (Offer("text/turtle", format_named("ttl")), Offer(PAGE))
_UPDATED = ("using-graph-uri", "using-named-graph-uri")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


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
    _refuse_updates(request.args)
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
    _refuse_updates(parameters)
    _refuse_updates(request.args)
    queries = parameters.getlist("query")
    if len(queries) != 1:
        count = f"{len(queries)} queries" if queries else "no query"
        raise RequestFault(f"the request has {count}; send one, as the parameter 'query'")
    return queries[0]


def _refuse_updates(parameters: MultiDict[str, str]) -> None:
    if "update" in parameters:
        raise _read_only()
    for name in _UPDATED:
        if name in parameters:
            raise RequestFault(f"'{name}' is for updates; a query has default-graph-uri")


def _answered(query: str) -> Response:
    """Run a query and write its answer in the format that suits the client."""
    _refuse_before_parsing(query)
    pool = current().pool
    offers = dict(_acceptable())
    task = Task(
        query,
        {kind.value: _written(kind, offer).name for kind, offer in offers.items()},
        pool.limits.result,
        default_graphs=_graphs("default-graph-uri"),
        named_graphs=_graphs("named-graph-uri"),
    )
    try:
        reply = pool.run(task, seconds=_seconds())
    except QueryFault as error:
        raise (_read_only() if is_update(query) else error) from error
    kind = Kind(reply.kind)
    offer = offers[kind] if kind in offers else negotiated(offers_for(kind))
    body = reply.body if offer.format else _page(query, **_shown(kind, reply.body))
    return _response(body, offer)


def _acceptable() -> Iterator[tuple[Kind, Offer]]:
    """Yield how to send each kind of answer; a kind that the client takes in no form is left out.

    Which kind it is, only the worker that parses the query will know.
    """
    for kind in (Kind.ROWS, Kind.BOOLEAN, Kind.GRAPH):
        with suppress(NotAcceptable):
            yield kind, negotiated(offers_for(kind))


def _written(kind: Kind, offer: Offer) -> Format:
    """Return the format that a worker writes; a page is made here, from one that can be read."""
    return offer.format or format_named("ttl" if kind is Kind.GRAPH else "json")


def _graphs(name: str) -> tuple[str, ...]:
    """Return the graphs that the protocol's parameter names (SPARQL 1.1 Protocol, 2.1.4)."""
    graphs = tuple(request.values.getlist(name))
    for graph in graphs:
        if not _IRI.fullmatch(graph):
            raise RequestFault(f"'{name}' is no absolute IRI: {graph[:80]}")
    return graphs


def _seconds() -> float | None:
    """Return the seconds that the client gives its query, if it says."""
    asked = request.values.get("timeout")
    if asked is None:
        return None
    if not _SECONDS.fullmatch(asked) or float(asked) <= 0:
        raise RequestFault("'timeout' is a number of seconds, more than 0, such as 2.5")
    return float(asked)


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


def _shown(kind: Kind, body: bytes) -> dict[str, Any]:
    """Return what a page shows of an answer, by its kind."""
    shown: dict[str, Any] = {"formats": formats_for(kind)}
    if kind is Kind.ROWS:
        store = current().store
        answer = read_answer(body, format_named("json"), store.base)
        return shown | {"table": as_table(answer, store, limit=LONGEST_PAGE)}
    if kind is Kind.BOOLEAN:
        return shown | {"boolean": json.loads(body)["boolean"]}
    return shown | {"graph": body.decode()}


def _page(query: str, **shown: object) -> str:
    examples = current().tagged("home")
    example = as_example(examples[0]) if examples else "SELECT * { ?s ?p ?o } LIMIT 20"
    return render_template("sparql.html", query=query or example, asked=bool(query), **shown)


def _response(body: bytes | str, offer: Offer) -> Response:
    return vary_by_accept(Response(body, content_type=offer.content_type))


def _read_only() -> UpdateRefused:
    return UpdateRefused(
        "this endpoint answers queries and takes no updates; what it serves is made from the "
        "files of its project"
    )
