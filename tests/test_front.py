"""The front: what it answers by itself, what it hands on, and what it adds."""

import gzip
import json
import logging
import threading
import time
from http import HTTPStatus
from types import SimpleNamespace

import pytest
import zstandard
from werkzeug.test import Client

from policygraph.front import Front
from policygraph.front.requests import client_of, route_of, shortened
from policygraph.web import create_app
from policygraph.web.security import HEADERS
from policygraph.web.settings import Settings
from policygraph.workers import Limits

TEXT = "".join(f"line {number}\n" for number in range(1000)).encode()
PATHS = {
    "/text": {"Content-Type": "text/csv; charset=utf-8", "Vary": "Accept"},
    "/small": {"Content-Type": "text/plain"},
    "/picture": {"Content-Type": "image/png"},
    "/packed": {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
    "/fresh": {"Content-Type": "text/plain", "Cache-Control": "public, max-age=9"},
    "/no-store": {"Content-Type": "text/plain", "Cache-Control": "no-store"},
    "/cookie": {"Content-Type": "text/plain", "Set-Cookie": "a=b"},
    "/by-language": {"Content-Type": "text/plain", "Vary": "Accept, Accept-Language"},
    "/file": {"Content-Type": "text/plain", "ETag": '"own"'},
    "/static/file.css": {"Content-Type": "text/css", "ETag": '"own"', "Last-Modified": "then"},
    "/part": {"Content-Type": "text/plain", "Content-Range": "bytes 0-9/10"},
    "/sparql": {"Content-Type": "text/plain"},
}
STATUSES = {"/part": "206 Partial Content", "/missing": "404 Not Found", "/late": "504 Too Late"}


class App:
    """An application that counts what it is asked."""

    def __init__(self):
        self.environs = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, environ, start_response):
        self.environs.append(environ)
        self.may_go_on.wait(20)
        path = environ["PATH_INFO"]
        if path == "/fault":
            raise ZeroDivisionError("a secret")
        if path == "/panic":
            raise BaseException("a secret")  # noqa: TRY002 - what the engine's panics are
        environ["policygraph.note"]["query"] = "1234"
        body = b"short" if path == "/small" else TEXT
        headers = [*PATHS.get(path, {"Content-Type": "text/plain"}).items(), *HEADERS.items()]
        if path == "/streamed":
            start_response("200 OK", headers)
            return iter([b"ab", b"cd"])
        headers.append(("Content-Length", str(len(body))))
        start_response(STATUSES.get(path, "200 OK"), headers)
        return [body]


def _front(app, **settings):
    limits = Limits(seconds=5, patience=1, body=1000)
    live = SimpleNamespace(
        served=SimpleNamespace(snapshot=SimpleNamespace(id="0123456789abcdef"), base="http://x/")
    )
    made = Front(app, live, Settings(limits=limits, **settings), shortcut=lambda *_: None)
    return made, live


@pytest.fixture
def app():
    return App()


@pytest.fixture
def ask(app):
    client = Client(_front(app)[0])
    return client.open


def test_what_was_answered_is_not_asked_again(ask, app):
    first, second = ask("/text"), ask("/text")
    assert first.data == second.data == TEXT
    assert len(app.environs) == 1
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/small"},
        {"query_string": "a=b"},
        {"headers": {"Accept": "text/csv"}},
        {"headers": {"Accept-Encoding": "gzip"}},
        {"headers": {"Host": "elsewhere.test"}},
    ],
    ids=str,
)
def test_what_an_answer_depends_on_is_told_apart(ask, app, other):
    ask("/text")
    ask(**{"path": "/text"} | other)
    assert len(app.environs) == 2


@pytest.mark.parametrize("path", ["/no-store", "/cookie", "/by-language", "/missing", "/streamed"])
def test_what_may_not_be_kept_is_asked_again(ask, app, path):
    assert ask(path).data == ask(path).data
    assert len(app.environs) == 2
    assert "ETag" not in ask(path).headers


def test_another_snapshot_is_answered_anew(app):
    front, live = _front(app)
    ask = Client(front).open
    first = ask("/text").headers["ETag"]
    live.served = SimpleNamespace(snapshot=SimpleNamespace(id="fedcba9876543210"), base="http://x/")
    assert ask("/text").headers["ETag"].startswith('"fedcba98-')
    assert first.startswith('"01234567-')
    assert len(app.environs) == 2
    assert app.environs[1]["policygraph.served"] is live.served


def test_an_answer_keeps_the_freshness_that_its_view_gave_it(ask):
    assert ask("/fresh").headers["Cache-Control"] == "public, max-age=9"


@pytest.mark.parametrize("is_kept", [False, True])
def test_what_a_client_has_is_not_sent_again(ask, app, is_kept):
    etag = ask("/text").headers["ETag"]
    if not is_kept:
        ask = Client(_front(app)[0]).open
    for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        response = ask("/text", headers={"If-None-Match": condition})
        assert response.status_code == 304
        assert response.data == b""
        assert response.headers["ETag"] == etag
        assert response.headers["Vary"] == "Accept, Accept-Encoding"
        assert response.headers["Cache-Control"] == "public, max-age=60"
        assert "Content-Type" not in response.headers
        assert "Content-Length" not in response.headers
        assert HEADERS.items() <= dict(response.headers).items()
    assert ask("/text", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("is_kept", [False, True])
def test_what_is_not_what_the_client_expects_is_refused(ask, app, is_kept):
    etag = ask("/text").headers["ETag"]
    if not is_kept:
        ask = Client(_front(app)[0]).open
    response = ask("/text", headers={"If-Match": '"x"'})
    assert response.status_code == 412
    assert response.json["type"] == "http://x/problems#precondition-failed"
    assert ask("/text", headers={"If-Match": f"W/{etag}"}).status_code == 412
    assert ask("/text", headers={"If-Match": etag}).status_code == 200
    assert ask("/text", headers={"If-Match": "*"}).status_code == 200


def test_head_is_get_without_a_body(ask, app):
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"Range": "bytes=0-1"}):
        head = ask("/text", method="HEAD", headers=headers)
        got = ask("/text", headers={k: v for k, v in headers.items() if k != "Range"})
        assert head.data == b""
        same = dict(got.headers) | {"X-Request-Id": head.headers["X-Request-Id"]}
        assert dict(head.headers) == same
    assert {environ["REQUEST_METHOD"] for environ in app.environs} == {"GET"}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("*", "zstd"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0, zstd;q=0", None),
        ("br", None),
        ("identity", None),
        ("", None),
        ("gzip;q=nonsense", None),
        ("gzip," * 1000, None),
    ],
)
def test_a_text_is_sent_in_the_coding_that_the_client_likes_best(ask, accepted, coding):
    for _ in range(2):
        response = ask("/text", headers={"Accept-Encoding": accepted})
        assert response.headers.get("Content-Encoding") == coding
        assert response.headers["Vary"] == "Accept, Accept-Encoding"
        assert int(response.headers["Content-Length"]) == len(response.data)
        undo = {"gzip": gzip.decompress, "zstd": zstandard.ZstdDecompressor().decompress}
        assert undo.get(coding, bytes)(response.data) == TEXT


@pytest.mark.parametrize("path", ["/picture", "/packed", "/small", "/file", "/part", "/streamed"])
def test_what_is_no_text_or_small_or_a_file_is_not_compressed(ask, path):
    response = ask(path, headers={"Accept-Encoding": "gzip"})
    assert response.headers.get("Content-Encoding") == PATHS.get(path, {}).get("Content-Encoding")


def test_each_coding_is_a_representation_of_its_own(ask):
    tags = {ask("/text", headers={"Accept-Encoding": c}).headers["ETag"] for c in ("gzip", "zstd")}
    assert len(tags | {ask("/text").headers["ETag"]}) == 3


def test_files_keep_their_own_etag_and_are_asked_for_each_time(ask, app):
    ask("/file", headers={"If-None-Match": '"x"'})
    assert ask("/file").headers["ETag"] == '"own"'
    assert app.environs[0]["HTTP_IF_NONE_MATCH"] == '"x"'
    assert len(app.environs) == 2


def test_the_files_of_pages_are_compressed_and_kept(ask, app):
    headers = {"Accept-Encoding": "gzip", "If-None-Match": '"x"', "If-Modified-Since": "then"}
    response = ask("/static/file.css", headers=headers)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["ETag"].startswith('"01234567-')
    assert "Last-Modified" not in response.headers
    assert not {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"} & app.environs[0].keys()
    ask("/static/file.css", headers=headers)
    assert len(app.environs) == 1


def test_ranges_are_for_the_application(ask, app):
    ask("/text")
    ask("/text", headers={"Range": "bytes=0-9"})
    assert app.environs[1]["HTTP_RANGE"] == "bytes=0-9"


def test_a_page_of_another_origin_may_ask_all_that_there_is(ask, app):
    asked = {"Origin": "http://elsewhere.test", "Access-Control-Request-Method": "QUERY"}
    response = ask("/sparql", method="OPTIONS", headers=asked)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    for name in ("Allow", "Access-Control-Allow-Methods"):
        assert response.headers[name] == "GET, HEAD, POST, QUERY, OPTIONS"
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert {"If-None-Match", "Range", "X-Request-Id", "Content-Type"} <= set(allowed.split(", "))
    assert app.environs == []
    assert ask("/sparql", method="OPTIONS").status_code == 200


def test_what_a_page_of_another_origin_may_read(ask):
    exposed = ask("/text").headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Link", "ETag", "Location", "Content-Range", "Retry-After", "Vary"} <= set(exposed)


def test_every_request_has_an_id(ask, app):
    ids = [ask("/text").headers["X-Request-Id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert app.environs[0]["policygraph.request_id"] == ids[0]


@pytest.mark.parametrize(("given", "is_kept"), [("a.B-9_", True), ("a" * 64, True)])
def test_an_id_of_the_clients_own_is_kept(ask, given, is_kept):
    assert ask("/no-store", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a,b", "\u00e9", 'a"'])
def test_an_id_that_is_none_is_replaced(ask, given):
    assert ask("/text", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


@pytest.mark.parametrize("path", ["/fault", "/panic"])
def test_a_fault_is_told_to_the_log_and_not_to_the_client(ask, caplog, path):
    with caplog.at_level(logging.ERROR):
        response = ask(path, headers={"X-Request-Id": "abc"})
    assert response.status_code == 500
    assert response.json["type"] == "http://x/problems#unforeseen"
    assert "secret" not in response.text
    assert "Error" not in response.text
    assert "request abc: GET" in caplog.text
    assert "a secret" in caplog.text
    assert HEADERS.items() <= dict(response.headers).items()


@pytest.mark.parametrize("method", ["POST", "QUERY", "PUT"])
def test_a_body_is_handed_on_whole(ask, app, method):
    ask("/text", method=method, data=b"x" * 1000)
    assert app.environs[0]["wsgi.input"].read() == b"x" * 1000
    assert app.environs[0]["REQUEST_METHOD"] == method


def test_a_method_in_a_header_or_a_field_is_ignored(ask, app):
    ask("/text?_method=DELETE", headers={"X-HTTP-Method-Override": "DELETE"})
    assert app.environs[0]["REQUEST_METHOD"] == "GET"


def test_a_body_that_was_cut_off_is_refused(ask, app):
    response = ask("/text", method="POST", data=b"abc", environ_overrides={"CONTENT_LENGTH": "5"})
    assert response.status_code == 400
    assert response.json["detail"] == "3 of 5 bytes came; send the whole body"
    assert response.json["request"] == response.headers["X-Request-Id"]
    assert app.environs == []


def test_requests_that_are_the_same_are_worked_on_once(app):
    front, _ = _front(app)
    app.may_go_on.clear()
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(Client(front).get("/text")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    app.may_go_on.set()
    for thread in threads:
        thread.join(20)
    assert [answer.data for answer in answers] == [TEXT] * 8
    assert len(app.environs) == 1


def test_while_another_waits_for_the_answer_no_client_is_gone(app):
    front, _ = _front(app)
    app.may_go_on.clear()
    threads = [threading.Thread(target=Client(front).get, args=("/text",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert app.environs[0]["policygraph.is_gone"]() is False
    app.may_go_on.set()
    for thread in threads:
        thread.join(20)


def _logged(tmp_path, app, *requests):
    path = tmp_path / "access.log"
    client = Client(_front(app, access_log=str(path))[0])
    for request in requests:
        with client.open(**request) as response:
            response.get_data()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_tells_of_each_request_and_not_who_asked_what(app, tmp_path):
    request = {
        "path": "/sparql",
        "query_string": "query=secret",
        "headers": {"X-Request-Id": "a"},
        "environ_overrides": {"REMOTE_ADDR": "192.0.2.17"},
    }
    miss, hit, unchanged, failed, streamed = _logged(
        tmp_path,
        app,
        request,
        request,
        request | {"headers": {"If-None-Match": "*"}},
        {"path": "/fault"},
        {"path": "/streamed"},
    )
    assert miss.keys() == {
        *("time", "id", "client", "method", "path", "status", "bytes", "ms", "cache", "query")
    }
    del miss["time"], miss["ms"]
    assert miss == {
        "id": "a",
        "client": "192.0.2.0/24",
        "method": "GET",
        "path": "/sparql",
        "status": 200,
        "bytes": len(TEXT),
        "cache": "miss",
        "query": "1234",
    }
    assert (hit["cache"], hit["bytes"]) == ("hit", len(TEXT))
    assert (unchanged["cache"], unchanged["status"], unchanged["bytes"]) == ("304", 304, 0)
    assert (failed["status"], failed["fault"]) == (500, "unforeseen")
    assert (streamed["bytes"], streamed["cache"]) == (4, "-")


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "203.0.113.9, 198.51.100.7", 2, "203.0.113.9"),
        ("192.0.2.1", "198.51.100.7", 2, "192.0.2.1"),
        ("192.0.2.1", "nonsense", 1, "192.0.2.1"),
        ("192.0.2.1", "1" * 10_000, 1, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("", "", 0, ""),
        ("unix:", "", 0, "unix:"),
    ],
)
def test_whose_a_request_is(peer, forwarded, proxies, client):
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_of(environ, proxies) == client


@pytest.mark.parametrize(
    ("client", "kept"),
    [
        ("192.0.2.17", "192.0.2.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unix:", ""),
    ],
)
def test_of_a_client_the_network_is_kept(client, kept):
    assert shortened(client) == kept


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "page"),
        ("/sparql", "sparql"),
        ("/id/actor/x", "thing"),
        ("/dumps/", "dumps"),
        ("/sparqlx", "other"),
        ("/wp-login.php", "other"),
        ("*", "other"),
        ("", "other"),
    ],
)
def test_paths_are_counted_in_few_kinds(path, route):
    assert route_of(path) == route


@pytest.fixture
def site(served):
    """Return a client of the real application behind the front."""
    return Client(Front(create_app(served), SimpleNamespace(served=served), served.settings))


def test_the_real_pages_are_kept_and_compressed(site):
    for path in ("/", "/static/policygraph.css", "/sparql?query=ASK{}"):
        first = site.get(path, headers={"Accept-Encoding": "gzip"})
        assert first.status_code == HTTPStatus.OK
        assert HEADERS.items() <= dict(first.headers).items()
        names = [name.lower() for name, _ in first.headers]
        assert len(names) == len(set(names))
        again = site.get(
            path, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
        )
        assert again.status_code == HTTPStatus.NOT_MODIFIED


def test_the_real_application_still_refuses(site):
    assert site.get("/nothing").status_code == HTTPStatus.NOT_FOUND
    assert site.delete("/sparql").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert site.get("/sparql?query=nonsense").status_code == HTTPStatus.BAD_REQUEST
    assert "ETag" not in site.get("/sparql?query=nonsense").headers
