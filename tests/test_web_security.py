"""The headers that every answer has."""

import pytest

from policygraph.web.security import HEADERS


@pytest.mark.parametrize(
    "path", ["/", "/sparql", "/sparql?query=X", "/nothing", "/static/policygraph.css"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_every_answer_has_the_headers(client, path, method):
    response = client.open(path, method=method)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    response.close()


def test_no_page_could_run_a_script_or_be_framed():
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy


def test_no_page_has_a_script_or_a_style_of_its_own(client):
    for path in ("/", "/sparql?format=html", "/sparql?query=ASK{}&format=html"):
        page = client.get(path).text
        assert "<script" not in page
        assert "style=" not in page
        assert "<style" not in page
