"""The limits as they are told to clients: their values in words, and what happens beyond each."""

from dataclasses import dataclass, fields
from enum import Enum

from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from policygraph.errors import AnswerTooLarge, OutOfMemory, TimedOut, TooBusy, TooManyFromOne
from policygraph.web.served import current
from policygraph.workers.limits import MEANINGS


class Unit(Enum):
    """What a limit counts."""

    SECONDS = "seconds"
    BYTES = "bytes"
    QUERIES = "queries"


BEYOND: dict[str, tuple[Unit, type[Exception]]] = {
    "seconds": (Unit.SECONDS, TimedOut),
    "memory": (Unit.BYTES, OutOfMemory),
    "result": (Unit.BYTES, AnswerTooLarge),
    "body": (Unit.BYTES, RequestEntityTooLarge),
    "running": (Unit.QUERIES, TooBusy),
    "per_client": (Unit.QUERIES, TooManyFromOne),
    "waiting": (Unit.QUERIES, TooBusy),
    "patience": (Unit.SECONDS, TooBusy),
    "trial": (Unit.SECONDS, TooBusy),
    "assured": (Unit.SECONDS, TooBusy),
    "body_seconds": (Unit.SECONDS, RequestTimeout),
}
"""What each limit counts, and the error that a request beyond it ends in. One row a limit."""

_ONE = {Unit.SECONDS: "second", Unit.QUERIES: "query"}
_POWERS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit of this server: its name, value and unit, what it is, and the error beyond it."""

    name: str
    value: float
    unit: Unit
    meaning: str
    beyond: type[Exception]

    @property
    def words(self) -> str:
        """The value as people write it: `1 GiB`, `30 seconds`."""
        if self.unit is Unit.BYTES:
            return size_in_words(int(self.value))
        return f"{self.value:g} {_ONE[self.unit] if self.value == 1 else self.unit.value}"


def limits_in_force() -> list[LimitInForce]:
    """Return the limits that this server holds queries to."""
    limits = current().settings.limits
    found = []
    for field in fields(limits):
        unit, error = BEYOND[field.name]
        value = getattr(limits, field.name)
        found.append(LimitInForce(field.name, value, unit, MEANINGS[field.name], error))
    return found


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it, to one decimal: `917.3 KiB`."""
    number, power = float(size), 0
    while number >= _STEP and power < len(_POWERS) - 1:
        number, power = number / _STEP, power + 1
    return f"{round(number, 1):g} {_POWERS[power]}"
