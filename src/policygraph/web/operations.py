"""What operators and careful clients ask: is the server well, what are its limits and errors."""

import datetime as dt
import ipaddress
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import HTTPException

from policygraph import __version__
from policygraph.errors import PolicygraphError
from policygraph.store import Kind, format_named
from policygraph.web import metrics as numbers
from policygraph.web.faults import NotForStrangers
from policygraph.web.limits import limits_in_force
from policygraph.web.negotiation import PAGE, Offer, negotiated, vary_by_accept
from policygraph.web.problems import PROBLEMS, STATUSES, name_of
from policygraph.web.served import Served, current
from policygraph.workers import Task

bp = Blueprint("operations", __name__)

SECONDS_FOR_A_CHECK = 2.0
"""How long the query of a deep check may run."""

_JSON = Offer("application/json", format_named("json"))
_TABLES = (_JSON, Offer(PAGE))
_ASK = "ASK { ?s ?p ?o }"
_ENOUGH = 1024
_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""The headers by which a proxy says that it asks for another."""


@bp.get("/health")
def health() -> Response:
    """Say whether queries are answered, and how old the data is. With ?deep=1 a worker is asked."""
    served = current()
    told, status = {"status": "ok"}, HTTPStatus.OK
    try:
        _try_a_query(served)
    except PolicygraphError as error:
        told, status = {"status": "down", "detail": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE
    text = json.dumps(told | _about(served), indent=2)
    return _unkept(Response(f"{text}\n", status, mimetype="application/json"))


@bp.get("/metrics")
def metrics() -> Response:
    """Give the numbers of this server to a Prometheus on the same machine."""
    if not _is_of_this_machine():
        raise NotForStrangers("the numbers of this server are told to its own machine only")
    page = numbers.page(current().snapshot)
    return _unkept(Response(page, content_type=numbers.CONTENT_TYPE))


@bp.get("/limits")
def limits() -> Response:
    """List what a query may use, and what happens beyond."""
    rows = [
        {
            "name": limit.name,
            "value": limit.value,
            "unit": limit.unit.value,
            "words": limit.words,
            "meaning": limit.meaning,
            "beyond": _told(limit.beyond),
        }
        for limit in limits_in_force()
    ]
    return _table("limits", rows)


@bp.get("/problems")
def problems() -> Response:
    """Explain each kind of problem document: its type is an address on this page."""
    rows = [_told(class_) | {"meaning": row.meaning} for class_, row in PROBLEMS.items()]
    return _table("problems", rows)


def _table(name: str, rows: Sequence[dict[str, Any]]) -> Response:
    offer = negotiated(_TABLES)
    if offer.media_type == PAGE:
        body = render_template(f"{name}.html", rows=rows, statuses=STATUSES)
    else:
        body = json.dumps({name: rows}, ensure_ascii=False, indent=2) + "\n"
    return vary_by_accept(Response(body, content_type=offer.content_type))


def _told(class_: type[Exception]) -> dict[str, Any]:
    """Return the status of a class of errors and, of our own, what its problem documents say."""
    if issubclass(class_, HTTPException):
        status = HTTPStatus(class_.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        return {"status": status.value, "type": "about:blank", "title": status.phrase}
    assert issubclass(class_, PolicygraphError)
    problem = PROBLEMS[class_]
    return {
        "status": problem.status.value,
        "type": f"{current().base}problems#{name_of(class_)}",
        "title": problem.title,
        "name": name_of(class_),
    }


def _try_a_query(served: Served) -> None:
    """Ask something small, of this process or of a worker. Raises PolicygraphError."""
    if request.args.get("deep") != "1":
        served.store.query(_ASK)
        return
    task = Task(_ASK, {Kind.BOOLEAN.value: "json"}, _ENOUGH)
    client = str(request.environ.get("policygraph.client", ""))
    served.pool.run(task, client=client, seconds=SECONDS_FOR_A_CHECK)


def _about(served: Served) -> dict[str, Any]:
    """Return what is served, and how old it is."""
    snapshot, now = served.snapshot, dt.datetime.now(dt.UTC)
    checked = served.last_check()
    made = snapshot.made.isoformat(timespec="seconds")
    return {
        "version": __version__,
        "snapshot": snapshot.id,
        "release": snapshot.release,
        "made": made,
        "age_seconds": int((now - snapshot.made).total_seconds()),
        "checked": (checked or {}).get("time", made),
        "statements": snapshot.statements,
        "triples": snapshot.triples,
        "last_check": checked,
    }


def _is_of_this_machine() -> bool:
    """Say whether a request comes from this machine, and not by way of a proxy on it."""
    if any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
