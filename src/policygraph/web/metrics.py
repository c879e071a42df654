"""Metrics for Prometheus, over all web processes: how much is asked, how fast it is answered.

A request only leaves a note; once a second a thread counts the notes into files that the processes
share (`prometheus_client`'s multiprocess mode). Labels are few and never what a client sends.
"""

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BETWEEN_COUNTS = 1.0
_MOST_NOTES = 1_000_000
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""The buckets of the histogram: from a page to the limit of a query."""


_Note = TypeVar("_Note")


class Version(Protocol):
    """What is told of a snapshot."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def release(self) -> str:
        """The release it holds."""

    @property
    def statements(self) -> int:
        """How many statements it has."""

    @property
    def triples(self) -> int:
        """How many triples it has."""


class _Meters(NamedTuple):
    requests: prometheus_client.Counter
    hits: prometheus_client.Counter
    seconds: prometheus_client.Histogram
    queries: prometheus_client.Counter


class _Requests(NamedTuple):
    route: str
    method: str
    status: int
    hit: str


_requests: deque[_Requests] = deque(maxlen=_MOST_NOTES)
_seconds: deque[tuple[str, float]] = deque(maxlen=_MOST_NOTES)
_queries: deque[str] = deque(maxlen=_MOST_NOTES)
_counting = threading.Lock()
_meters: list[_Meters] = []
"""The meters of this process, once it counts."""


def start(folder: Path) -> None:
    """Count in a folder that all web processes share. Called once in each of them."""
    os.environ[_FOLDER] = str(folder)
    # The library looks for the folder when it is imported, which may have been before.
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    with _counting:
        _meters[:] = [_made()]
    threading.Thread(target=_count_on, name="metrics", daemon=True).start()


def note_request(route: str, method: str, status: int, hit: str = "") -> None:
    """Note an answer; `hit` says how it came from the cache, '' that it did not."""
    _requests.append(_Requests(route, method, status, hit))


def note_seconds(route: str, seconds: float) -> None:
    """Note how long a request took that was not answered from the cache."""
    _seconds.append((route, seconds))


def note_query(outcome: str) -> None:
    """Note how a query ended: `answered`, or the name of the error."""
    _queries.append(outcome)


def page(version: Version | None = None) -> bytes:
    """Return all metrics as Prometheus reads them."""
    _count()
    registry = CollectorRegistry()
    if _meters:
        MultiProcessCollector(registry, path=os.environ[_FOLDER])  # type: ignore[no-untyped-call]
    if version is not None:
        registry.register(_Told(version))
    return bytes(generate_latest(registry))


class _Told:
    """What is told of the snapshot that is served."""

    def __init__(self, version: Version) -> None:
        self._version = version

    def collect(self) -> Iterable[Metric]:
        version = self._version
        yield InfoMetricFamily(
            "policygraph_snapshot",
            "What is served.",
            value={"id": version.id, "release": version.release},
        )
        for name in ("statements", "triples"):
            yield GaugeMetricFamily(
                f"policygraph_{name}", f"How many {name} are served.", getattr(version, name)
            )


def _made() -> _Meters:
    counter, histogram = prometheus_client.Counter, prometheus_client.Histogram
    return _Meters(
        counter(
            "policygraph_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=None,
        ),
        counter(
            "policygraph_cache_hits", "Requests answered from the cache.", ("kind",), registry=None
        ),
        histogram(
            "policygraph_request_seconds",
            "Seconds that requests took which were not answered from the cache.",
            ("route",),
            buckets=_SECONDS,
            registry=None,
        ),
        counter("policygraph_queries", "Queries, by how they ended.", ("outcome",), registry=None),
    )


def _count_on() -> None:
    while True:
        time.sleep(_BETWEEN_COUNTS)
        _count()


def _count() -> None:
    """Count what was noted since the last time."""
    with _counting:
        if not _meters:
            return
        (meters,) = _meters
        for noted, count in Counter(_taken(_requests)).items():
            labels = (noted.route, noted.method, str(noted.status))
            meters.requests.labels(*labels).inc(count)
            if noted.hit:
                meters.hits.labels(noted.hit).inc(count)
        taken = _taken(_seconds)
        histograms = {route: meters.seconds.labels(route) for route, _ in taken}
        for route, seconds in taken:
            histograms[route].observe(seconds)
        for outcome, count in Counter(_taken(_queries)).items():
            meters.queries.labels(outcome).inc(count)


def _taken(notes: deque[_Note]) -> list[_Note]:
    # Requests go on adding; what comes after this is for the next time.
    return [notes.popleft() for _ in range(len(notes))]
