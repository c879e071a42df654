"""Read what a request asks (SPARQL 1.1 Protocol, section 2.1), whoever received it.

A query comes by GET, as a form, or as the body of a POST or a QUERY (RFC 10008). What would change
the graph is refused in whatever way it comes. Nothing here needs Flask.
"""

import re
from collections.abc import Callable
from email.message import Message
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from policygraph.web.asking import Question, read_only
from policygraph.web.faults import RequestFault, UnsupportedBody
from policygraph.web.served import Environ

_Named: TypeAlias = dict[str, list[str]]
"""Parameters: the values of each name, in their order."""

METHODS = ("GET", "POST", "QUERY")
_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
ACCEPTED = f"{_QUERY}, {_FORM}"
"""The media types that a query comes in, as Accept-Query and Accept-Post list them."""

_UPDATED = ("using-graph-uri", "using-named-graph-uri")
_OVERRIDES = ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE")
_WITHOUT_BODY = {"GET", "HEAD"}
_HARMLESS = {"GET", "HEAD", "POST", "QUERY"}
_UTF_8 = {"utf-8", "utf8"}
_MOST_PARAMETERS = 1000
_LONGEST_TYPE = 1000
"""Characters of a Content-Type that are read, which takes time by the square of its length."""
_ONLY_QUERY = "query="
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_DEPTH = "HTTP_POLICYGRAPH_FEDERATION_DEPTH"


def read_question(environ: Environ, body: Callable[[], bytes]) -> Question | None:
    """Return what a request (its WSGI environ) asks; None when a GET asks nothing.

    `body` is called where there is one to look at. Raises RequestFault, UnsupportedBody and
    UpdateRefused.
    """
    in_address = _parameters(environ.get("QUERY_STRING", "").encode("latin-1"), "the address")
    _refuse_updates(environ, in_address)
    in_body = _sent(environ, body)
    _refuse_updates(environ, in_body)
    query = _only_query(in_address.get("query", []), in_body.get("query", []))
    if query is None:
        if environ["REQUEST_METHOD"] in _WITHOUT_BODY:
            return None
        raise RequestFault("the request has no query; send one, as the parameter 'query'")

    def values(name: str) -> list[str]:
        return in_address.get(name, []) + in_body.get(name, [])

    return Question(
        query,
        default_graphs=_graphs("default-graph-uri", values("default-graph-uri")),
        named_graphs=_graphs("named-graph-uri", values("named-graph-uri")),
        seconds=_seconds(values("timeout")),
        accept=environ.get("HTTP_ACCEPT", ""),
        format=(values("format") or [""])[0],
        client=environ.get("policygraph.client", ""),
        is_gone=environ.get("policygraph.is_gone"),
        depth=int(_DEPTH in environ),
    )


def _sent(environ: Environ, body: Callable[[], bytes]) -> _Named:
    """Return the parameters in a body; a query that is itself the body counts as `query`."""
    media_type, charset = _content_type(environ.get("CONTENT_TYPE", ""))
    if media_type == _UPDATE:
        raise read_only()
    if environ["REQUEST_METHOD"] in _WITHOUT_BODY:
        return {}
    read = _READERS.get(media_type)
    if read is None:
        named = f"'{media_type[:80]}' is" if media_type else "a body of no named type is"
        raise UnsupportedBody(f"{named} not understood here; send {_FORM} or {_QUERY}")
    if charset not in _UTF_8:
        raise UnsupportedBody(f"the charset '{charset[:40]}' is not read here; send UTF-8")
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in {"", "identity"}:
        raise UnsupportedBody(f"the coding '{coding[:40]}' is not read here; send the body plain")
    return read(body())


def _content_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset, both in lower case; UTF-8 where none is named."""
    if ";" not in header:
        return header.strip().lower(), "utf-8"
    message = Message()
    message["Content-Type"] = header[:_LONGEST_TYPE]
    charset = message.get_param("charset") or "utf-8"
    return header.partition(";")[0].strip().lower(), str(charset).strip().lower()


def _query_as_body(body: bytes) -> _Named:
    try:
        return {"query": [body.decode("utf-8-sig")]}
    except UnicodeDecodeError as error:
        raise RequestFault(f"the query is not UTF-8 (byte {error.start}); encode it so") from error


def _form(body: bytes) -> _Named:
    return _parameters(body, "the form")


_READERS: dict[str, Callable[[bytes], _Named]] = {_FORM: _form, _QUERY: _query_as_body}
"""How a body of each media type is read."""


def _parameters(text: bytes, where: str) -> _Named:
    """Return the parameters in an address or a form."""
    named: _Named = {}
    for name, value in _pairs(text, where):
        named.setdefault(name, []).append(value)
    return named


def _pairs(text: bytes, where: str) -> list[tuple[str, str]]:
    try:
        decoded = text.decode()
        broken = _BROKEN.search(decoded)
        if broken:
            raise RequestFault(
                f"{where} has a '%' without two hexadecimal digits (character {broken.start()}); "
                "write '%25' for the sign itself"
            )
        if decoded.startswith(_ONLY_QUERY) and "&" not in decoded:  # most are; this is much faster
            value = decoded[len(_ONLY_QUERY) :].replace("+", " ")
            return [("query", unquote_to_bytes(value).decode())]
        return parse_qsl(
            decoded, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise RequestFault(f"{where} is not UTF-8; encode it so before percent-encoding") from error
    except ValueError as error:
        raise RequestFault(f"{where} has more than {_MOST_PARAMETERS:,} parameters") from error


def _refuse_updates(environ: Environ, named: _Named) -> None:
    """Refuse what asks for an update, also by the name of a method that is not the real one."""
    methods = [environ[name] for name in _OVERRIDES if name in environ] + named.get("_method", [])
    is_disguised = any(method.strip().upper() not in _HARMLESS for method in methods)
    if is_disguised or "update" in named:
        raise read_only()
    for name in _UPDATED:
        if name in named:
            raise RequestFault(f"'{name}' is for updates; a query has default-graph-uri")


def _only_query(in_address: list[str], in_body: list[str]) -> str | None:
    count = len(in_address) + len(in_body)
    if count > 1:
        where = f" ({len(in_address)} in the address, {len(in_body)} in the body)"
        raise RequestFault(f"the request has {count} queries{where * bool(in_body)}; send one")
    return next(iter(in_address or in_body), None)


def _graphs(name: str, graphs: list[str]) -> tuple[str, ...]:
    """Check the graphs that the protocol's parameter names (SPARQL 1.1 Protocol, 2.1.4)."""
    for graph in graphs:
        if not _IRI.fullmatch(graph):
            raise RequestFault(f"'{name}' is no absolute IRI: {graph[:80]}")
    return tuple(graphs)


def _seconds(asked: list[str]) -> float | None:
    """Return the seconds that the client gives its query, if it says."""
    if not asked:
        return None
    if not _SECONDS.fullmatch(asked[0]) or float(asked[0]) <= 0:
        raise RequestFault("'timeout' is a number of seconds, more than 0, such as 2.5")
    return float(asked[0])
