"""The limits of a public endpoint: one table that code, pages and documents read."""

import os
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query, and all queries together, may use."""

    seconds: float = 30.0
    memory: int = 1024 * MEGABYTE
    result: int = 256 * MEGABYTE
    body: int = 1 * MEGABYTE
    running: int = os.cpu_count() or 1
    waiting: int = 64
    patience: float = 5.0


MEANINGS = {
    "seconds": "seconds that a query may run; a request may ask for less with ?timeout=",
    "memory": "bytes of memory that a query may use",
    "result": "bytes of an answer",
    "body": "bytes of a request",
    "running": "queries that run at once",
    "waiting": "queries that may wait for a place",
    "patience": "seconds that a query waits for a place",
}
"""What each limit is, for people. To add a limit, add a field and a row."""

LIMITS = Limits()
"""The limits that hold when nobody says otherwise."""
