"""Flights: of requests that are the same and come while one runs, only the first is worked on."""

import threading
from collections.abc import Callable
from http import HTTPStatus

from policygraph.front.answers import Answer
from policygraph.front.cache import Key
from policygraph.web.crowds import Crowd

MOST_WAITING, MOST_WAITING_OF_ONE = 48, 16
"""Requests that wait for another's answer, each on a thread; more are worked on as usual."""


class Flight:
    """A request that is worked on, and how many wait for its answer."""

    def __init__(self) -> None:
        self.waiting = 0
        self.answer: Answer | None = None
        # Held until it ends: an Event takes ten times as long to make, and few are waited for.
        self._running = threading.Lock()
        self._running.acquire()

    def end(self) -> None:
        """Let those go on who wait."""
        self._running.release()

    def wait(self, seconds: float) -> None:
        """Wait until it ends, or for so long."""
        if self._running.acquire(timeout=seconds):
            self._running.release()


class Flights:
    """The requests that are worked on, by what their answers depend on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Key, Flight] = {}
        self._lock = threading.Lock()
        self._crowd = Crowd(MOST_WAITING, MOST_WAITING_OF_ONE)

    def answer(
        self, key: Key, client: str, make: Callable[[Flight], Answer]
    ) -> tuple[Answer, bool]:
        """Return an answer, and whether it was made for another request.

        `make` makes one; it is told of the flight, which should go on while somebody waits.
        """
        own = Flight()
        with self._lock:
            flight = self._running.setdefault(key, own)
        if flight is own:
            return self._led(key, own, make), False
        shared = self._waited(flight, client)
        return (shared, True) if shared else (make(own), False)

    def _led(self, key: Key, flight: Flight, make: Callable[[Flight], Answer]) -> Answer:
        try:
            answer = make(flight)
            flight.answer = answer if _is_for_all(answer) else None
        finally:
            with self._lock:
                del self._running[key]
            flight.end()
        return answer

    def _waited(self, flight: Flight, client: str) -> Answer | None:
        if not self._crowd.enter(client):
            return None
        with self._lock:
            flight.waiting += 1
        try:
            flight.wait(self._seconds)
            return flight.answer
        finally:
            with self._lock:
                flight.waiting -= 1
            self._crowd.leave(client)


def _is_for_all(answer: Answer) -> bool:
    """Say whether others would have got the same: a query that ran too long would again."""
    ran_too_long = answer.code == HTTPStatus.GATEWAY_TIMEOUT and answer.size is not None
    return bool(answer.etag) or ran_too_long
