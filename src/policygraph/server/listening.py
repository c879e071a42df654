"""The sockets that a server listens on: had before anything else, and by one server only."""

import errno
import http.client
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from policygraph.errors import ProjectError

BACKLOG = 1024
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


@contextmanager
def listening(host: str, port: int, count: int) -> Iterator[tuple[socket.socket, ...]]:
    """Give a listening socket for each of so many web processes.

    They belong to the main process: what waits for a process that dies waits for the next one.
    The kernel deals connections out among them; where it would not, one serves all.

    Raises ProjectError when the port cannot be had.
    """
    with ExitStack() as opened:
        try:
            listeners = _listeners(host, port, count)
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, f"{error.strerror}; give another address")
            raise ProjectError(f"{host}:{port}: {reason}") from error
        for listener in listeners:
            opened.enter_context(listener)
        yield listeners


def url_of(host: str, port: int) -> str:
    """Return the address of a server, as people use it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def wait_until_answered(listener: socket.socket) -> None:
    """Wait until a web process answers."""
    address, port = listener.getsockname()[:2]
    while not _answers(_ANY.get(address, address), port):
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _listeners(host: str, port: int, count: int) -> tuple[socket.socket, ...]:
    family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    first = _listener(family, place)
    if sys.platform != "linux":
        return (first,) * count
    # Shared only once it is had, so that of two servers that start one is refused.
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return first, *(_listener(family, place, socket.SO_REUSEPORT) for _ in range(1, count))


def _listener(
    family: int, place: tuple[str | int, ...] | tuple[int, bytes], *options: int
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=1)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
