"""The bodies of requests: read before an application sees them, within bytes and seconds.

The server's `read` waits for the client without end and cannot be told to stop. So another thread
reads each body. When the time is over the answer is sent, and then the connection is condemned
(`connections.Reaper`), which ends that read. Only then may the request end: the server (granian
2.8.7) would wait for the read while it holds Python's lock, and the process would stand still.
"""

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from queue import SimpleQueue
from typing import BinaryIO

from policygraph.front.refusals import Refusal
from policygraph.web.crowds import Crowd
from policygraph.web.served import Environ

MOST, MOST_OF_ONE = 32, 8
"""Bodies that may be on their way at once to a web process, in all and from one client. Each holds
a thread of the server, which must have more of them."""
_PATIENCE = 0.5
"""Seconds that a body waits for its turn: others are read in less than a thousandth of that."""
_PIECE = 4096
_WITHOUT = {"GET", "HEAD", "OPTIONS"}
"""Methods whose bodies mean nothing here; they are not read."""


class BodyTooSlow(Refusal):
    """A body has not come in its time, and its connection is to be ended."""

    def __init__(self, seconds: float, wait: Callable[[float], bool]) -> None:
        super().__init__(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not come within {seconds:g} seconds; send it faster",
        )
        self._wait = wait

    def held(
        self, body: Iterable[bytes], condemn: Callable[[Callable[[], bool]], None]
    ) -> Iterator[bytes]:
        """Yield the body of the answer, and end only when the request's body is read no longer.

        `condemn` is called once the answer is on its way; it is given what says that this is over.
        """
        try:
            yield from body
        finally:
            condemn(lambda: self._wait(0))
            self._wait(-1)


class Bodies:
    """Reads bodies of at most so many bytes."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._crowd = Crowd(MOST, MOST_OF_ONE)
        self._readers = _Readers()

    def read(self, environ: Environ, client: str) -> None:
        """Put the body of a request into its environ, whole. Raises a Refusal when it is not."""
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        length = _announced(environ)
        if environ["REQUEST_METHOD"] in _WITHOUT or not (is_chunked or length):
            body = b""
        else:
            self._refuse_unread(environ, length)
            # One more than there should be shows a body that is too large.
            body = self._received(environ, self._most + 1 if is_chunked else length, client)
            self._refuse_read(len(body), 0 if is_chunked else length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)

    def _refuse_unread(self, environ: Environ, length: int) -> None:
        coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding not in {"", "identity"}:
            raise Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "a body is not decompressed here; send it without Content-Encoding",
            )
        self._refuse_read(length, 0)

    def _refuse_read(self, count: int, announced: int) -> None:
        if count > self._most:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a body may have {self._most} bytes; see /limits",
            )
        if count < announced:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"{count} of {announced} bytes came; send the whole body"
            )

    def _received(self, environ: Environ, most: int, client: str) -> bytes:
        if not self._crowd.enter(client, _PATIENCE):
            raise _crowded(is_by_all=self._crowd.is_full)
        reading = _Reading(environ["wsgi.input"], most, lambda: self._crowd.leave(client))
        self._readers.begin(reading.read)
        if not reading.has_ended(self._seconds):
            reading.is_left_behind = True
            raise BodyTooSlow(self._seconds, reading.has_ended)
        return reading.body


class _Readers:
    """Threads that read, as many as it takes; one that is done waits for the next body.

    They end with the process, whatever they wait for (those of concurrent.futures hold it up).
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)

    def begin(self, task: Callable[[], None]) -> None:
        """Do something on a thread."""
        self._tasks.put(task)
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, name="body", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._tasks.get()()
            self._idle.release()


class _Reading:
    """A body that another thread reads; it gives back the client's place when that is done."""

    def __init__(self, source: BinaryIO, most: int, leave: Callable[[], None]) -> None:
        self._source = source
        self._left = most
        self._leave = leave
        self._pieces: list[bytes] = []
        self._reads = threading.Lock()
        self._reads.acquire()  # `read` releases it
        self.is_left_behind = False

    @property
    def body(self) -> bytes:
        """What was sent, up to `most` bytes."""
        return b"".join(self._pieces)

    def has_ended(self, seconds: float) -> bool:
        """Wait for so long at most (-1: without end), and say whether the reading has ended."""
        is_it = (
            self._reads.acquire(timeout=seconds) if seconds else self._reads.acquire(blocking=False)
        )
        if is_it:
            self._reads.release()
        return is_it

    def read(self) -> None:
        """Read until the end of the body, or until nobody waits for it any more."""
        try:
            while self._left and not self.is_left_behind and (piece := self._piece()):
                self._pieces.append(piece)
                self._left -= len(piece)
        finally:
            self._leave()
            self._reads.release()

    def _piece(self) -> bytes:
        """Return the next bytes; none at the end, and none when the connection broke."""
        try:
            return self._source.read(min(_PIECE, self._left))
        except (OSError, RuntimeError):
            return b""


def _announced(environ: Environ) -> int:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Content-Length is no number; send the body's length")
    return int(length)


def _crowded(*, is_by_all: bool) -> Refusal:
    if is_by_all:
        return Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{MOST} bodies are on their way; send this one again a little later",
        )
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"{MOST_OF_ONE} bodies of yours are on their way; send this one after them",
    )
