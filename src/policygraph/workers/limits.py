"""The limits of a public endpoint: one table that code, pages and documents read."""

import os
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
_RUNNING = max(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query, one client, and all queries together, may use."""

    seconds: float = 30.0
    memory: int = 1024 * MEGABYTE
    result: int = 256 * MEGABYTE
    body: int = 1 * MEGABYTE
    running: int = _RUNNING
    per_client: int = _RUNNING - 1
    waiting: int = 64
    patience: float = 5.0
    trial: float = 0.1
    assured: float = 1.0
    body_seconds: float = 10.0


MEANINGS = {
    "seconds": "seconds that a query may run; a request may ask for less with ?timeout=",
    "memory": "bytes of memory that a query may use",
    "result": "bytes of an answer",
    "body": "bytes of a request",
    "running": "queries that run at once",
    "per_client": "queries of one client that run at once; one place is always left to others",
    "waiting": "queries that may wait for a place, at most half of them of one client",
    "patience": "seconds that a query waits for a place",
    "trial": "seconds of a processor that a query may take without a place; one that does not end "
    "needs one",
    "assured": "seconds after which a query may be ended, when another client with fewer running "
    "finds no place",
    "body_seconds": "seconds in which the body of a request has to be sent",
}
"""What each limit is, for people. To add a limit, add a field and a row."""

LIMITS = Limits()
"""The limits that hold when nobody says otherwise."""
