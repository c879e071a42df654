"""What is kept of each request once it is answered: numbers, and a line where a log is wanted."""

import time
from collections.abc import Callable, Iterable, Iterator

from policygraph.front.accesslog import AccessLog
from policygraph.front.answers import close_body
from policygraph.front.requests import Asked, client_of, method_of, route_of, shortened
from policygraph.web import metrics


class Records:
    """Notes requests for the metrics, and in an access log: a file, '-' for stderr, None for none.

    `has_log` says whether there is one: who answers from the cache then has more to tell.
    """

    def __init__(self, where: str | None, proxies: int) -> None:
        self._log = AccessLog(where) if where else None
        self._proxies = proxies
        self.has_log = self._log is not None

    def of(self, asked: Asked, code: int, count: int) -> None:
        """Note a request that was answered with a code and so many bytes of a body."""
        route = route_of(asked.environ["PATH_INFO"])
        hit = "shared" if asked.cache == "shared" else ""
        metrics.note_request(route, method_of(asked.method), code, hit)
        metrics.note_seconds(route, time.perf_counter() - asked.began)
        if "query" in asked.note:
            metrics.note_query(str(asked.note.get("fault", "answered")))
        self.write(asked, code, count)

    def write(self, asked: Asked, code: int, count: int) -> None:
        """Write a line about a request, where there is a log."""
        if self._log is None:
            return
        client = client_of(asked.environ, self._proxies)
        self._log.write(
            {
                "id": asked.environ["policygraph.request_id"],
                "client": shortened(client),
                "method": asked.method,
                "path": _as_text(asked.environ["PATH_INFO"]),
                "status": code,
                "bytes": count,
                "ms": round((time.perf_counter() - asked.began) * 1000, 2),
                "cache": asked.cache,
                **asked.note,
            }
        )


class Sending:
    """A body on its way; tells how many bytes that were when it ends."""

    def __init__(self, body: Iterable[bytes], ended: Callable[[int], None]) -> None:
        self._body = body
        self._pieces = iter(body)
        self._ended = ended
        self._count = 0

    def __iter__(self) -> Iterator[bytes]:
        """Go through the pieces."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        piece = next(self._pieces)
        self._count += len(piece)
        return piece

    def close(self) -> None:
        """End the body, sent whole or not."""
        try:
            close_body(self._body)
        finally:
            self._ended(self._count)


def _as_text(path: str) -> str:
    """Return a path as it was meant: WSGI gives bytes, each as a character (PEP 3333)."""
    return path.encode("latin-1", "replace").decode(errors="replace")
