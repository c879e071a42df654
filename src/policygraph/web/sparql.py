"""The SPARQL endpoint: queries in, answers out, each in the format that the client asks for.

How a request is read is in `protocol.py`, how it is answered in `asking.py`; here is what Flask
adds: the page for people, the service description, and QUERY with its conditions.
"""

import json
from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from policygraph.store import Kind, format_named, formats_for, read_answer
from policygraph.web.asking import (
    LONGEST_PAGE,
    Answered,
    Question,
    ask,
    headers_of,
    note_answer,
    note_question,
)
from policygraph.web.conditions import judged
from policygraph.web.description import service_description
from policygraph.web.faults import PreconditionFailed
from policygraph.web.negotiation import negotiated, offers_for, vary_by_accept
from policygraph.web.protocol import ACCEPTED, METHODS, read_question
from policygraph.web.served import as_example, current
from policygraph.web.tables import as_table

bp = Blueprint("sparql", __name__)

_ALL = (*formats_for(Kind.ROWS), *formats_for(Kind.GRAPH))
_LONGEST_ADDRESS = 2000
"""Characters of an address that is given for a query that came by QUERY."""


@bp.route("/sparql", methods=METHODS, endpoint="ask")
def answer() -> Response:
    """Answer a query; without one, show people a form and tell programs what this is."""
    question = read_question(request.environ, request.get_data)
    if question is None:
        return _introduced()
    g.asked = question.query
    note_question(request.environ, question)
    answered = ask(question, current())
    note_answer(request.environ, answered)
    response = _response(question, answered)
    return _on_condition(response, question, answered) if request.method == "QUERY" else response


@bp.after_request
def _with_media_types(response: Response) -> Response:
    """Say in what a query may be sent (RFC 10008; of a POST too, when it was sent in another)."""
    response.headers["Accept-Query"] = ACCEPTED
    if response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        response.headers["Accept-Post"] = ACCEPTED
    return response


def example_query() -> str:
    """Return a query for people to start from."""
    examples = current().tagged("home")
    return as_example(examples[0]) if examples else "SELECT * { ?s ?p ?o } LIMIT 20"


def _introduced() -> Response:
    offer = negotiated(offers_for(Kind.GRAPH))
    body = service_description(offer.format) if offer.format else _page("")
    return vary_by_accept(Response(body, content_type=offer.content_type))


def _response(question: Question, answered: Answered) -> Response:
    is_page = answered.offer.format is None
    body = _page(question.query, **_shown(answered)) if is_page else answered.body
    return Response(body, headers=headers_of(answered))


def _on_condition(response: Response, question: Question, answered: Answered) -> Response:
    """Give the answer to a QUERY an ETag and an address, and judge its conditions."""
    if answered.is_volatile:
        return response
    etag = _etag(response)
    response.headers["ETag"] = etag
    address = _address(question, answered)
    if len(address) <= _LONGEST_ADDRESS:
        response.headers["Content-Location"] = address
    status = judged(etag, request.environ)
    if status == HTTPStatus.PRECONDITION_FAILED:
        raise PreconditionFailed("the answer is not the one that If-Match names; ask without it")
    if status == HTTPStatus.NOT_MODIFIED:
        response.status_code = status
        response.set_data(b"")
    return response


def _etag(response: Response) -> str:
    digest = blake2b(response.content_type.encode(), digest_size=8)
    digest.update(response.get_data())
    return f'"{current().snapshot.id[:8]}-{digest.hexdigest()}"'


def _address(question: Question, answered: Answered) -> str:
    """Return where the same answer is to be had by GET."""
    parameters = [("query", question.query)]
    parameters += [("default-graph-uri", graph) for graph in question.default_graphs]
    parameters += [("named-graph-uri", graph) for graph in question.named_graphs]
    parameters += [("format", answered.offer.name)]
    return f"{request.path}?{urlencode(parameters)}"


def _shown(answered: Answered) -> dict[str, Any]:
    """Return what a page shows of an answer, by its kind."""
    formats = formats_for(answered.kind) if answered.kind else _ALL
    shown: dict[str, Any] = {"formats": formats}
    body = answered.body
    if body is None:
        return shown | {"is_too_large": True}
    if answered.kind is Kind.ROWS:
        store = current().store
        rows = read_answer(body, format_named("json"), store.base)
        table = as_table(rows, store, limit=LONGEST_PAGE)
        return shown | {"table": table, "has_more": answered.has_more}
    if answered.kind is Kind.BOOLEAN:
        return shown | {"boolean": json.loads(body)["boolean"]}
    return shown | {"graph": body.decode()}


def _page(query: str, **shown: object) -> str:
    return render_template(
        "sparql.html", query=query or example_query(), asked=bool(query), **shown
    )
