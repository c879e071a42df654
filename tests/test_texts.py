"""Reading source texts: nothing is normalised, and what cannot be read says why and where."""

import pytest

from policygraph import SourceTextError, read_text
from policygraph.texts import LARGEST_TEXT, ni_of


def test_the_text_is_read_as_it_is(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("a\r\nb\u2028é".encode())
    assert read_text(path).text == "a\r\nb\u2028é"


def test_the_ni_uri_is_that_of_the_specification():
    # RFC 6920, section 8.1: "Hello World!"
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"
    assert ni_of(digest) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"line\n\xff", ":2: not UTF-8 (byte 5)"),
        (b" \n", "has no text"),
        (b"x" * (LARGEST_TEXT + 1), "more than the 8,388,608"),
    ],
    ids=["not utf-8", "empty", "too large"],
)
def test_a_text_that_cannot_be_read_says_why(tmp_path, content, expected):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(SourceTextError) as caught:
        read_text(path)
    assert expected in str(caught.value)


def test_a_missing_text_says_so(tmp_path):
    with pytest.raises(SourceTextError, match="cannot be read"):
        read_text(tmp_path / "none.txt")
