"""The server: check the port, build and check the graph, answer until told to stop.

One process answers (granian starts it, and again should it crash); what strangers ask is run by
workers that it starts (`policygraph.workers`), each with a copy of the graph.
"""

import errno
import http.client
import logging
import signal
import socket
import sys
import threading
import time
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from granian.server.common import AbstractServer

from policygraph.errors import ProjectError
from policygraph.project import Project
from policygraph.store import Store
from policygraph.web.checking import checked_store
from policygraph.web.worker import Loader
from policygraph.workers import LIMITS, Limits

_SECONDS_TO_STOP = 5
"""How long a request may go on after the signal to stop."""
_THREADS_FOR_PAGES = 4
_SECONDS_BETWEEN_TRIES = 0.01
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be reached at, not listened on
"""Addresses that stand for all of a machine's, and one to reach the server at."""
_REASONS = {
    errno.EADDRINUSE: "port in use; stop what uses it, or give another with --port",
    errno.EACCES: "not allowed to use this port; give one above 1023 with --port",
    errno.EADDRNOTAVAIL: "not an address of this machine; give another with --host",
    socket.EAI_NONAME: "no such host; give another with --host",
}
"""Why an address cannot be had, and what to do. To explain one more error, add a row."""
_COUNT = """
SELECT (COUNT(DISTINCT ?statement) AS ?count) { ?statement a/rdfs:subClassOf* pg:Statement }"""


class _ManyThreads(logging.Filter):
    """Leaves out granian's warning of many threads: ours wait for workers, which use the cores."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads" not in record.getMessage()


_LOG = {
    "filters": {"many threads": {"()": _ManyThreads}},
    "handlers": {
        name: {
            "class": "logging.StreamHandler",
            "formatter": "generic",
            "filters": ["many threads"],
            "stream": "ext://sys.stderr",
        }
        for name in ("console", "access")
    },
}


def serve(project: Project, *, host: str, port: int, limits: Limits = LIMITS) -> None:
    """Build and check a project's graph and serve it until SIGINT or SIGTERM.

    Raises ProjectError when the address cannot be used, CheckFailed (after printing the findings)
    when a rule is violated.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        address = _free_address(host, port)
        store = checked_store(project)
        server = _server(address, port, limits)
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        server.on_startup(lambda: _announce(address, port, f"{_count(store)} statements at {url}"))
        server.serve(target_loader=Loader(project, limits, store), wrap_loader=False)
    except KeyboardInterrupt:
        return


def _server(address: str, port: int, limits: Limits) -> AbstractServer[Any]:
    return Server(
        "policygraph",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        # One for each query that runs or waits, so that the pool says who waits, and for pages.
        blocking_threads=limits.running + limits.waiting + _THREADS_FOR_PAGES,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_SECONDS_TO_STOP,
        log_level=LogLevels.warning,
        log_dictconfig=_LOG,
    )


def _free_address(host: str, port: int) -> str:
    """Return the numeric address of a host. Raises ProjectError when the port cannot be had.

    Granian shares a port with other processes of the same user, so it would not notice.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"{error.strerror}; give another --host or --port")
        raise ProjectError(f"{host}:{port}: {reason}") from error
    return str(place[0])


def _announce(address: str, port: int, what: str) -> None:
    """Say that the server serves, as soon as it answers."""
    threading.Thread(target=_say_when_answered, args=(address, port, what), daemon=True).start()


def _say_when_answered(address: str, port: int, what: str) -> None:
    while not _answers(_ANY.get(address, address), port):
        time.sleep(_SECONDS_BETWEEN_TRIES)
    sys.stdout.write(f"serving {what}\n")
    sys.stdout.flush()


def _answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=1)
    try:
        connection.request("HEAD", "/sparql")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _count(store: Store) -> int:
    (row,) = store.select(_COUNT)
    return int(str(row["count"]))
