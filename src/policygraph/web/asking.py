"""Ask a question of what is served: screen it, have a worker run it, say in what form it went out.

The one way by which a stranger's query reaches the pool, whoever received it. Nothing here needs
Flask or a request.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from policygraph.errors import AnswerTooLarge, QueryFault, TooBusy, TooManyFromOne
from policygraph.federation import MOST_BYTES, resolved
from policygraph.screening import Screened, is_update, is_volatile, screen
from policygraph.store import Format, Kind, format_named
from policygraph.web.crowds import Crowd
from policygraph.web.faults import RequestFault, UpdateRefused
from policygraph.web.negotiation import Offer, acceptable, chosen, offers_for, remembered
from policygraph.web.served import Served
from policygraph.workers import Task

LONGEST_PAGE = 500
"""Rows shown on a page; the other formats hold all of them."""
LARGEST_PAGE = 1024 * 1024
"""Bytes of an answer that are made into a page; of a larger one, a page says so."""

MOST_CALLING, MOST_CALLING_OF_ONE = 16, 4
"""Queries whose endpoints a web process asks at once, in all and of one client: each holds a thread
for as long as the slowest endpoint takes, and the answers in memory."""
_CALLING = Crowd(MOST_CALLING, MOST_CALLING_OF_ONE)
_LEAST = 0.1
"""Seconds that a query has at least, however long the endpoints took that it asks."""
_GENID = ".well-known/genid/"
"""Where, below the base, blank nodes of other endpoints get their IRIs (RDF 1.1, section 3.5)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and how its client wants it answered.

    The graphs are those of the protocol; `seconds` None leaves the time to the limits. `accept` and
    `format` are the Accept header and `?format=`. `client` is whom its places are counted for,
    `is_gone` says whether nobody waits any more. `depth` is how many servers sent it on before.
    """

    query: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    seconds: float | None = None
    accept: str = ""
    format: str = ""
    client: str = ""
    is_gone: Callable[[], bool] | None = None
    depth: int = 0

    @property
    def digest(self) -> str:
        """What stands for the query in logs: the first digits of its SHA-256."""
        return hashlib.sha256(self.query.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the form that suits its client.

    For a page (an offer without a format) the body is for reading here: JSON, or Turtle. It is None
    where that is too large for a page; then the kind may not be known either. `is_volatile` says
    that the same question may have another answer a moment later.
    """

    offer: Offer
    body: bytes | None
    kind: Kind | None
    has_more: bool = False
    is_volatile: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """In what form a client is sent each kind of answer, and what a worker writes for it.

    `formats` maps the name of a kind to that of a format. `is_page` says whether every kind that
    can be sent goes out as a page, `may_be_page` whether one does.
    """

    offers: dict[Kind, Offer]
    formats: dict[str, str]
    is_page: bool
    may_be_page: bool
    most_rows: int | None


@remembered
def form_for(accept: str, wanted: str) -> Form:
    """Return the form that suits a client, by its Accept header and `?format=`."""
    offers = acceptable(accept, wanted)
    pages = {kind for kind, offer in offers.items() if offer.format is None}
    return Form(
        offers,
        {kind.value: _written(kind, offer).name for kind, offer in offers.items()},
        is_page=bool(pages) and len(pages) == len(offers),
        may_be_page=bool(pages),
        most_rows=LONGEST_PAGE if Kind.ROWS in pages else None,
    )


def ask(question: Question, served: Served) -> Answered:
    """Answer a question. Raises what says why it has no answer, a PolicygraphError.

    The client may take one kind of answer as a page and another as data.
    """
    screened = screen(question.query)
    _refuse_before_parsing(question.query, screened)
    form = form_for(question.accept, question.format)
    query, seconds = question.query, question.seconds
    if screened.calls_out:
        query, seconds = _with_services(question, served)
    try:
        reply = served.pool.run(
            _task(question, query, form, served),
            client=question.client,
            seconds=seconds,
            is_gone=question.is_gone,
        )
    except QueryFault as error:
        raise (read_only() if is_update(query) else error) from error
    except AnswerTooLarge:
        if not form.is_page:
            raise
        return Answered(next(iter(form.offers.values())), None, None)
    kind = Kind(reply.kind)
    offer = form.offers.get(kind) or chosen(offers_for(kind), question.accept, question.format)
    is_too_large = offer.format is None and len(reply.body) > LARGEST_PAGE
    return Answered(
        offer,
        None if is_too_large else reply.body,
        kind,
        has_more=reply.has_more,
        is_volatile=screened.calls_out or is_volatile(query),
    )


def headers_of(answered: Answered) -> list[tuple[str, str]]:
    """Return the headers that an answer is sent with, besides those of all answers."""
    headers = [("Content-Type", answered.offer.content_type), ("Vary", "Accept")]
    return [*headers, ("Cache-Control", "no-store")] if answered.is_volatile else headers


def note_question(environ: dict[str, Any], question: Question) -> None:
    """Note the query of a request where an access log is kept: its digest, never its text."""
    if "policygraph.note" in environ:
        environ["policygraph.note"]["query"] = question.digest


def note_answer(environ: dict[str, Any], answered: Answered) -> None:
    """Note the format of an answer where an access log is kept."""
    if "policygraph.note" in environ:
        environ["policygraph.note"]["format"] = answered.offer.name


def read_only() -> UpdateRefused:
    """Return the error that says that updates are not taken."""
    return UpdateRefused(
        "this endpoint answers queries and takes no updates; what it serves is made from the "
        "files of its project"
    )


def _task(question: Question, query: str, form: Form, served: Served) -> Task:
    limit = served.settings.limits.result
    return Task(
        query,
        form.formats,
        min(limit, LARGEST_PAGE) if form.is_page else limit,
        default_graphs=question.default_graphs,
        named_graphs=question.named_graphs,
        most_rows=form.most_rows,
    )


def _written(kind: Kind, offer: Offer) -> Format:
    """Return the format that a worker writes; a page is made here, from one that can be read."""
    return offer.format or format_named("ttl" if kind is Kind.GRAPH else "json")


def _refuse_before_parsing(query: str, screened: Screened) -> None:
    if not query.strip():
        raise RequestFault("the query is empty; write one")
    if screened.is_nested_too_deeply:
        raise RequestFault("too many brackets within brackets; write the query flatter")


def _with_services(question: Question, served: Served) -> tuple[str, float]:
    """Return a query with the answers of the endpoints it calls, and the seconds that are left."""
    most = served.settings.limits.seconds
    seconds = min(question.seconds or most, most)
    begun = time.monotonic()
    with place_to_call(question.client):
        query = resolved(
            question.query,
            allowed=served.settings.allowed_services,
            seconds=seconds,
            most_bytes=MOST_BYTES,
            genid=served.base + _GENID,
            depth=question.depth,
        )
    return query, max(seconds - (time.monotonic() - begun), _LEAST)


@contextmanager
def place_to_call(client: str) -> Iterator[None]:
    """Be one of the few queries whose endpoints are asked. Raises TooBusy, TooManyFromOne."""
    if not _CALLING.enter(client):
        if _CALLING.is_full:
            raise TooBusy("too many queries wait for other endpoints; try again in a few seconds")
        raise TooManyFromOne(
            "too many of your queries wait for other endpoints; send this one after them"
        )
    try:
        yield
    finally:
        _CALLING.leave(client)
