"""Connections and bodies, at a real server: clients that leave, and those that only hold on."""

import socket
import subprocess
import sys
import time

import httpx
import pytest

from policygraph.front.connections import Connection, Look, Watch

SERVED = """
import sys, time
from types import SimpleNamespace
from granian.constants import Interfaces
from granian.server import Server
from policygraph import front
from policygraph.front import connections
from policygraph.front import Front
from policygraph.web.settings import Settings
from policygraph.workers import Limits

gone = {}

def app(environ, start_response):
    path, said = environ["PATH_INFO"], "no"
    if path == "/wait":
        until = time.monotonic() + float(environ["QUERY_STRING"])
        while time.monotonic() < until and said == "no":
            time.sleep(0.05)
            said = "yes" if environ["policygraph.is_gone"]() else "no"
        gone[environ["policygraph.request_id"]] = said
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _stream()
    body = environ["wsgi.input"].read() if path == "/echo" else repr(gone).encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [body]

def _stream():
    try:
        for _ in range(1000):
            yield b"x" * 100_000
    finally:
        gone["stream"] = "yes"

# Short times, so that the tests are.
front._KEEP_ALIVE, front._ON_ITS_WAY = 6.0, 1.0
connections._BETWEEN_ROUNDS = 0.3
served = SimpleNamespace(snapshot=SimpleNamespace(id="0123456789abcdef"), base="http://x.test/")
limits = Limits(seconds=1, patience=1, body=5000, body_seconds=1)

def load():
    live, settings = SimpleNamespace(served=served), Settings(limits=limits)
    made = Front(app, live, settings, shortcut=lambda *_: None)
    made.start()
    return made

if __name__ == "__main__":
    Server(
        "app", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.WSGI,
        blocking_threads=80, websockets=False, log_level="error",
    ).serve(target_loader=load, wrap_loader=False)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    script = tmp_path_factory.mktemp("served") / "served.py"
    script.write_text(SERVED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, script, str(port)], start_new_session=True)
    until = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            break
        except httpx.ConnectError:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(timeout=20)


def _connected(port, *pieces):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def _post(*headers, path="/echo"):
    lines = (f"POST {path} HTTP/1.1", "Host: x.test", *headers, "", "")
    return "\r\n".join(lines).encode()


def _answer(connection):
    """Read one answer: its status and its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = httpx.Headers([line.split(": ", 1) for line in lines[1:]])
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return httpx.Response(int(lines[0].split()[1]), headers=headers, content=body)


def _ends(connection):
    """Say whether the server ends a connection, within 20 seconds."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def _was_gone(port, id_):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        text = httpx.get(f"http://127.0.0.1:{port}/").text
        if f"'{id_}'" in text:
            return f"'{id_}': 'yes'" in text
        time.sleep(0.1)
    return None


def test_a_client_that_leaves_is_noticed(port):
    request = b"GET /wait?15 HTTP/1.1\r\nHost: x.test\r\nX-Request-Id: left\r\n\r\n"
    connection = _connected(port, request)
    time.sleep(0.8)
    connection.close()
    assert _was_gone(port, "left") is True


def test_a_client_that_waits_is_not_gone(port):
    headers = {"X-Request-Id": "stays"}
    response = httpx.get(f"http://127.0.0.1:{port}/wait?1.5", headers=headers, timeout=20)
    assert "'stays': 'no'" in response.text


def test_a_client_that_leaves_takes_no_other_request_with_it(port):
    """The other one began half a second later, from the same address."""
    first = _connected(port, b"GET /wait?15 HTTP/1.1\r\nHost: x.test\r\nX-Request-Id: a\r\n\r\n")
    time.sleep(1)
    second = _connected(port, b"GET /wait?3 HTTP/1.1\r\nHost: x.test\r\nX-Request-Id: b\r\n\r\n")
    time.sleep(0.5)
    first.close()
    assert _was_gone(port, "a") is True
    assert "'b': 'no'" in _answer(second).text
    second.close()


def test_a_client_that_leaves_after_its_body_is_noticed(port):
    connection = _connected(
        port,
        _post("Content-Length: 3", "X-Request-Id: posted", path="/wait?15"),
    )
    time.sleep(0.5)
    connection.sendall(b"abc")
    time.sleep(0.8)
    connection.close()
    assert _was_gone(port, "posted") is True


@pytest.mark.parametrize(
    "head", ["Content-Length: 10", "Transfer-Encoding: chunked"], ids=["counted", "chunked"]
)
def test_a_body_that_does_not_come_is_refused_and_its_connection_ended(port, head):
    with _connected(port, _post(head)) as connection:
        answer = _answer(connection)
        assert answer.status_code == 408
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.json()["detail"] == ("the body did not come within 1 seconds; send it faster")
        assert _ends(connection)


def test_others_are_answered_while_a_slow_body_is_refused(port):
    """The server would stand still if the request ended before the reading of its body."""
    with _connected(port, _post("Content-Length: 10")) as connection:
        assert _answer(connection).status_code == 408
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{port}/", timeout=20).status_code == 200
        assert _ends(connection)


def test_a_body_that_comes_byte_by_byte_is_refused_and_its_connection_ended(port):
    with _connected(port, _post("Content-Length: 4000")) as connection:
        start, status, has_ended = time.monotonic(), 0, False
        connection.settimeout(0.1)
        while time.monotonic() < start + 20 and not has_ended:
            try:
                connection.sendall(b"x")
                received = connection.recv(65536)
                status = status or int(received.split()[1])
            except TimeoutError:
                continue
            except (IndexError, OSError):
                has_ended = True
        assert (status, has_ended) == (408, True)


def test_one_client_cannot_take_all_the_places_for_bodies(port):
    slow = [_connected(port, _post("Content-Length: 10")) for _ in range(8)]
    time.sleep(0.2)
    with _connected(port, _post("Content-Length: 3"), b"abc") as connection:
        answer = _answer(connection)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "5"
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    assert all(map(_ends, slow))
    with _connected(port, _post("Content-Length: 3"), b"abc") as connection:
        assert _answer(connection).text == "abc"
    for connection in slow:
        connection.close()


def test_many_bodies_at_once_are_all_read(port):
    connections = [_connected(port, _post("Content-Length: 3"), b"abc") for _ in range(40)]
    assert [_answer(connection).text for connection in connections] == ["abc"] * 40
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (["Content-Length: 5000"], b"x" * 5000, 200),
        (["Content-Length: 5001"], b"x" * 5001, 413),
        (["Content-Length: 99999999999999999999"], b"", 400),
        (["Transfer-Encoding: chunked"], b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n", 200),
        (["Transfer-Encoding: chunked"], b"1389\r\n" + b"x" * 5001 + b"\r\n0\r\n\r\n", 413),
        (["Content-Length: 3", "Content-Encoding: gzip"], b"abc", 415),
        (["Content-Length: 3", "Content-Encoding: identity"], b"abc", 200),
        ([], b"", 200),
        (["Content-Length: 0"], b"", 200),
    ],
)
def test_a_body_has_as_many_bytes_as_it_may(port, headers, body, status):
    with _connected(port, _post(*headers), body) as connection:
        assert _answer(connection).status_code == status


def test_a_body_in_pieces_is_put_together(port):
    with _connected(port, _post("Content-Length: 6"), b"ab") as connection:
        time.sleep(0.1)
        connection.sendall(b"cd")
        time.sleep(0.1)
        connection.sendall(b"ef")
        assert _answer(connection).text == "abcdef"


def test_a_silent_connection_is_ended(port):
    with _connected(port) as silent, _connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as kept:
        assert _answer(kept).status_code == 200
        assert _ends(kept)
        assert _ends(silent)


def test_a_reader_that_does_not_read_is_ended(port):
    with _connected(port, b"GET /stream HTTP/1.1\r\nHost: x.test\r\n\r\n"):
        assert _was_gone(port, "stream") is True


class _Seen:
    """Connections as a test would have them seen."""

    def __init__(self, *connections):
        self.connections = connections

    def look(self):
        return Look(time.monotonic(), {one.inode: one for one in self.connections})


def _watch(*connections, peer="192.0.2.1"):
    """Return the watch of a request that began a second ago."""
    seen = _Seen(*connections)
    return Watch(seen, peer, began=time.monotonic() - 1), seen


def test_whose_connection_cannot_be_seen_is_never_gone():
    watch, seen = _watch(Connection(1, "192.0.2.9", is_open=True, received=1000, sent=5000))
    assert [watch.is_gone(), watch.is_gone()] == [False, False]
    seen.connections = ()
    assert watch.is_gone() is False


def test_only_when_all_connections_that_it_may_be_are_gone_is_the_client():
    one = Connection(1, "192.0.2.1", is_open=True, received=1000, sent=5000)
    other = Connection(2, "192.0.2.1", is_open=True, received=1010, sent=5000)
    watch, seen = _watch(one, other)
    assert watch.is_gone() is False
    seen.connections = (other,)
    assert watch.is_gone() is False
    seen.connections = (other._replace(is_open=False),)
    assert watch.is_gone() is True


def test_a_connection_that_was_answered_meanwhile_was_anothers():
    one = Connection(1, "192.0.2.1", is_open=True, received=1000, sent=5000)
    watch, seen = _watch(one)
    assert watch.is_gone() is False
    seen.connections = (one._replace(sent=10),)
    assert watch.is_gone() is False
    seen.connections = ()
    assert watch.is_gone() is False


def test_a_peer_over_ipv6_is_known_by_its_ipv4_address():
    one = Connection(1, "192.0.2.1", is_open=True, received=1000, sent=5000)
    watch, seen = _watch(one, peer="::ffff:192.0.2.1")
    assert watch.is_gone() is False
    seen.connections = ()
    assert watch.is_gone() is True
