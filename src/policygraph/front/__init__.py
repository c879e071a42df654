"""The front: a thin layer before the application, for what a request need not ask it.

In this order: a request id, the cache and 304, bodies within bytes and seconds, one answer for
requests that are the same, compression; then a line in the access log and a note for the metrics.
"""

import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

from policygraph.errors import PolicygraphError
from policygraph.front.answers import (
    Answer,
    Application,
    Raw,
    called,
    close_body,
    leave_conditions_to_the_front,
    made_ready,
)
from policygraph.front.bodies import Bodies, BodyTooSlow
from policygraph.front.cache import Cache, Key, key_of
from policygraph.front.connections import Lookout, Reaper, Watch
from policygraph.front.flights import Flight, Flights
from policygraph.front.records import Records, Sending
from policygraph.front.refusals import Refusal, preflight, refused
from policygraph.front.requests import Asked, Ids, client_of, route_of, scheme_of
from policygraph.front.shortcut import fast
from policygraph.web import metrics
from policygraph.web.conditions import judged
from policygraph.web.documents import note_problem
from policygraph.web.faults import PreconditionFailed, Unforeseen
from policygraph.web.served import IN_ENVIRON, Environ, Served
from policygraph.web.settings import Settings

_LOG = logging.getLogger(__name__)
_KEEP_ALIVE = 75.0
"""Seconds for which a connection may be silent, at least."""
_ON_ITS_WAY = 15.0
"""Seconds in which an answer is sent, or fails to be, once its query has ended."""
_UNCHANGED = "304 Not Modified"

Shortcut: TypeAlias = Callable[[Environ, Served], tuple[str, list[tuple[str, str]], bytes] | None]
"""Answers what need not go to the application; None for what must."""


class Live(Protocol):
    """Gives what is served now; a moment later that may be another snapshot."""

    @property
    def served(self) -> Served:
        """What is served."""


class Front:
    """A WSGI application before another: `app`, which answers from `live.served`."""

    def __init__(
        self, app: Application, live: Live, settings: Settings, *, shortcut: Shortcut = fast
    ) -> None:
        limits = settings.limits
        seconds = limits.seconds + limits.patience + _ON_ITS_WAY
        self._app = app
        self._shortcut = shortcut
        self._live = live
        self._proxies = settings.proxies
        self._records = Records(settings.access_log, settings.proxies)
        self._id_of = Ids().of
        self._cache = Cache()
        self._flights = Flights(seconds)
        self._bodies = Bodies(limits.body, limits.body_seconds)
        self._lookout = Lookout()
        self._reaper = Reaper(max(_KEEP_ALIVE, seconds))

    def start(self) -> None:
        """Begin to end dead connections; called once in each process."""
        self._reaper.start()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        began = time.perf_counter()
        served = self._live.served
        if self._proxies:
            environ["wsgi.url_scheme"] = scheme_of(environ, self._proxies)
        key = _key(served, environ)
        kept = self._cache.get(key) if key else None
        environ["policygraph.request_id"] = self._id_of(environ)
        if kept and "HTTP_IF_MATCH" not in environ:
            return self._send_kept(kept, environ, start_response, began)
        asked = Asked(environ, served, key, began)
        return self._send(self._answered(asked, kept), asked, start_response)

    def _send_kept(
        self,
        kept: Answer,
        environ: Environ,
        start_response: Callable[..., Any],
        began: float,
    ) -> Iterable[bytes]:
        """Send what is in the cache, as briefly as can be: most requests come this way."""
        method = environ["REQUEST_METHOD"]
        status, headers, cache = kept.status, kept.headers, "hit"
        body = kept.body if method == "GET" else []
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and (known == kept.etag or judged(kept.etag, environ) != HTTPStatus.OK):
            status, headers, body, cache = _UNCHANGED, kept.brief, [], "304"
        start_response(status, [*headers, ("X-Request-Id", environ["policygraph.request_id"])])
        code = int(status[:3])
        metrics.note_request(route_of(environ["PATH_INFO"]), method, code, cache)
        if self._records.has_log:
            asked = Asked(environ, self._live.served, None, began)
            asked.cache = cache
            self._records.write(asked, code, sum(map(len, body)))
        return body

    def _answered(self, asked: Asked, kept: Answer | None) -> Answer:
        """Return the answer to a request, whatever happens."""
        id_: str = asked.environ["policygraph.request_id"]
        try:
            return _judged(kept or self._asked(asked), asked.environ)
        except PolicygraphError as error:
            asked.environ["policygraph.note"] = asked.note
            note_problem(asked.environ, error.status if isinstance(error, Refusal) else error)
            answer = refused(error, asked.served.base, id_)
            if isinstance(error, BodyTooSlow):
                peer = asked.environ.get("REMOTE_ADDR") or ""
                answer.body = error.held(answer.body, lambda end: self._reaper.condemn(peer, end))
            return answer
        except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
            _LOG.exception("request %s: %s %s", id_, asked.method, asked.environ["PATH_INFO"])
            asked.note["fault"] = "unforeseen"
            return refused(Unforeseen(type(error).__name__), asked.served.base, id_)

    def _asked(self, asked: Asked) -> Answer:
        environ = asked.environ
        if asked.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            return preflight()
        asked.client = client_of(environ, self._proxies)
        self._bodies.read(environ, asked.client)
        watch = Watch(self._lookout, environ.get("REMOTE_ADDR") or "")
        environ.update(
            {
                IN_ENVIRON: asked.served,
                "policygraph.client": asked.client,
                "policygraph.note": asked.note,
                "policygraph.is_gone": watch.is_gone,
            }
        )
        if asked.key is None:
            return self._made(environ, asked.served)
        return self._shared(asked, asked.key, watch)

    def _shared(self, asked: Asked, key: Key, watch: Watch) -> Answer:
        """Return an answer that may be another's, and may become one."""

        def make(flight: Flight) -> Answer:
            # A client that leaves ends its query only when nobody else waits for the answer.
            asked.environ["policygraph.is_gone"] = lambda: not flight.waiting and watch.is_gone()
            asked.environ["REQUEST_METHOD"] = "GET"
            leave_conditions_to_the_front(environ := dict(asked.environ))
            answer = self._made(environ, asked.served)
            self._cache.put(key, answer)
            return answer

        answer, is_anothers = self._flights.answer(key, asked.client, make)
        asked.cache = "shared" if is_anothers else "miss" if answer.etag else "-"
        return answer

    def _made(self, environ: Environ, served: Served) -> Answer:
        raw: Raw | None = None
        short = self._shortcut(environ, served)
        if short is not None:
            raw = (short[0], short[1], [short[2]])
        return made_ready(raw or called(self._app, environ), environ, served.snapshot.id)

    def _send(
        self, answer: Answer, asked: Asked, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        id_ = asked.environ["policygraph.request_id"]
        start_response(answer.status, [*answer.headers, ("X-Request-Id", id_)])
        body = answer.body
        if asked.method == "HEAD":
            close_body(body)
            body = []
        if isinstance(body, list):
            self._records.of(asked, answer.code, sum(map(len, body)))
            return body
        return Sending(body, lambda count: self._records.of(asked, answer.code, count))


def _key(served: Served, environ: Environ) -> Key | None:
    """Return the key in the cache of what is asked for; None for what is never kept."""
    method = environ["REQUEST_METHOD"]
    if method == "HEAD":
        environ.pop("HTTP_RANGE", None)  # RFC 9110, section 14.2: ranges are for GET
    elif method != "GET" or "HTTP_RANGE" in environ:
        return None
    return key_of(served.snapshot.id, environ)


def _judged(answer: Answer, environ: Environ) -> Answer:
    """Return what suits the conditions of a request: an answer, or that it is no news.

    Raises PreconditionFailed.
    """
    status = judged(answer.etag, environ) if answer.etag else answer.code
    if status == HTTPStatus.PRECONDITION_FAILED:
        close_body(answer.body)
        raise PreconditionFailed("If-Match names another version; get this one, then ask again")
    if status == HTTPStatus.NOT_MODIFIED and answer.etag:
        return Answer(_UNCHANGED, answer.brief, [])
    return answer
