"""Answers about things that are not there: never were (404), or were withdrawn (410).

A page for people, else a problem document with what may be meant (`near`).
"""

from typing import Any

from flask import Blueprint, Response, render_template, request

from policygraph.errors import PolicygraphError
from policygraph.standing import Standing, near_names
from policygraph.terms import Iri, Literal
from policygraph.web.addresses import address_of
from policygraph.web.documents import as_json, headers_of, members_of
from policygraph.web.faults import Gone, NoSuchThing
from policygraph.web.negotiation import PAGE, Offer, prefers_page
from policygraph.web.served import current


class UnknownName(NoSuchThing):
    """The graph knows nothing by a name; `near` are things that may be meant."""

    def __init__(self, message: str, near: tuple[Iri, ...] = ()) -> None:
        super().__init__(message)
        self.near = near


class Withdrawn(Gone):
    """A thing was withdrawn; `near` are the things that took its place."""

    def __init__(self, message: str, reasons: tuple[Literal, ...], near: tuple[Iri, ...]) -> None:
        super().__init__(message)
        self.reasons = reasons
        self.near = near


def register(blueprint: Blueprint) -> None:
    """Let the views of a blueprint answer so."""
    blueprint.register_error_handler(UnknownName, _answer)
    blueprint.register_error_handler(Withdrawn, _answer)


def unknown(iri: str) -> UnknownName:
    """Return the error for a name that is not known, with names near it."""
    near = near_names(current().store, iri)
    hint = f"; did you mean {', '.join(near)}?" if near else "; /doc/ lists what there is"
    return UnknownName(f"the graph knows nothing by the name {iri}{hint}", near)


def withdrawn(standing: Standing) -> Withdrawn:
    """Return the error for a thing that was withdrawn."""
    message = f"{standing.iri} was withdrawn: {standing.gone}"
    return Withdrawn(message, standing.reasons, standing.instead)


def _answer(error: PolicygraphError) -> Response:
    base = current().base
    near = [(iri, address_of(iri, base) or iri) for iri in getattr(error, "near", ())]
    members = members_of(error, base, request_id=request.environ.get("policygraph.request_id", ""))
    headers = dict(headers_of(error))
    if prefers_page():
        headers["Content-Type"] = Offer(PAGE).content_type
        return Response(_page(error, members, near), members["status"], headers)
    body = as_json(members | ({"near": [iri for iri, _ in near]} if near else {}))
    return Response(body, members["status"], headers)


def _page(error: PolicygraphError, members: dict[str, Any], near: list[tuple[Iri, str]]) -> str:
    template = "gone.html" if isinstance(error, Withdrawn) else "unknown.html"
    reasons = getattr(error, "reasons", ())
    return render_template(template, problem=members, near=near, reasons=reasons)
