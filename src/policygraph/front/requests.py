"""What the front knows of a request: its id, whose it is, and what kind of page it asks for."""

import ipaddress
import itertools
import re
import secrets
from functools import lru_cache

from policygraph.front.cache import Key
from policygraph.web.served import Environ, Served

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_ADDRESS = 64
_ROUTES = {
    "": "page",
    "sparql": "sparql",
    "id": "thing",
    "doc": "thing",
    "ns": "thing",
    "shapes": "thing",
    "context.jsonld": "thing",
    "dumps": "dumps",
    "limits": "page",
    "problems": "page",
    "static": "page",
}
"""What the paths under each first segment are counted as. To count one apart, change a row."""
METHODS = ("GET", "HEAD", "POST", "QUERY", "OPTIONS")


class Asked:
    """A request that the cache has no answer for, and what is found out about it.

    `key` is under what its answer may be kept, `began` of time.perf_counter(), `note` what the
    views say of it for the access log, `cache` how it came to its answer.
    """

    def __init__(self, environ: Environ, served: Served, key: Key | None, began: float) -> None:
        self.environ = environ
        self.served = served
        self.key = key
        self.began = began
        self.method: str = environ["REQUEST_METHOD"]
        self.client = ""
        self.note: dict[str, object] = {}
        self.cache = "-"


class Ids:
    """Gives each request an id: the client's own where it is one, else one that is new."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def of(self, environ: Environ) -> str:
        """Return the id of a request."""
        given: str | None = environ.get("HTTP_X_REQUEST_ID")
        if given is not None and _ID.fullmatch(given):
            return given
        return f"{self._start}-{next(self._numbers):x}"


def scheme_of(environ: Environ, proxies: int) -> str:
    """Return the scheme that the outermost of our own proxies was asked by."""
    hops = environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")
    named = hops[max(0, len(hops) - proxies)].strip().lower()
    return named if named in {"http", "https"} else str(environ["wsgi.url_scheme"])


def client_of(environ: Environ, proxies: int = 0) -> str:
    """Return whom a request counts for: an IPv4 address, or the /64 of an IPv6 address.

    Behind proxies of our own, the one that the outermost of them saw; what is no address there, or
    came past them, counts for the peer.
    """
    peer = environ.get("REMOTE_ADDR") or ""
    if proxies > 0:
        hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        named = hops[-proxies].strip() if len(hops) >= proxies else ""
        return _network(named, 32, 64) or _network(peer, 32, 64) or peer
    return _network(peer, 32, 64) or peer


def shortened(client: str) -> str:
    """Return the part of a client's address that is kept: /24 of IPv4, /48 of IPv6."""
    return _network(client.partition("/")[0], 24, 48)


def route_of(path: str) -> str:
    """Return what a path is counted as; there are few, whatever is asked for."""
    return _ROUTES.get(path.split("/", 2)[1] if path.startswith("/") else "*", "other")


def method_of(method: str) -> str:
    """Return what a method is counted as."""
    return method if method in METHODS else "other"


def plain(address: str) -> str:
    """Return an address as it is compared: one of IPv4 that is mapped to IPv6 as IPv4."""
    return _network(address, 32, 128).partition("/")[0] or address


def _network(address: str, of_four: int, of_six: int) -> str:
    return _known(address, of_four, of_six) if len(address) <= _LONGEST_ADDRESS else ""


@lru_cache(maxsize=4096)
def _known(address: str, of_four: int, of_six: int) -> str:
    """Return the network of a size that an address is in, '' for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            bare = int(found)
            return str(ipaddress.ip_network((bare, of_six), strict=False))
        found = found.ipv4_mapped
    network = ipaddress.ip_network((int(found), of_four), strict=False)
    return str(network.network_address) if of_four == found.max_prefixlen else str(network)
