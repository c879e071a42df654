"""The addresses of all pages, for those who crawl (sitemaps.org, protocol 0.9)."""

import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import request, url_for

from policygraph.errors import UnknownThing
from policygraph.standing import THAT_STAND
from policygraph.web.kept import kept
from policygraph.web.served import current

LARGEST_PART = 50_000
"""Addresses in one file, by the protocol."""

PAGES = (
    "home.home",
    "sparql.ask",
    "things.doc",
    "things.vocabulary",
    "things.shapes",
    "discovery.dumps",
    "discovery.void",
    "discovery.dcat",
    "operations.limits",
    "operations.problems",
)
"""The views of the pages that are no things. To have one more crawled, add a row."""

_THINGS = """SELECT DISTINCT ?it {{ ?it a ?class
  FILTER (isIRI(?it) && STRSTARTS(STR(?it), "{base}id/")) {that_stand} }} ORDER BY ?it"""
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_UNRESERVED = "/:@!$&'()*+,;=%"


def index() -> str:
    """Return the sitemap that lists the others."""
    root, day = request.root_url, current().snapshot.made.date()
    parts = range(1, len(_parts()) + 1)
    entries = (
        f"<sitemap><loc>{escape(root)}sitemap-{number}.xml</loc><lastmod>{day}</lastmod></sitemap>"
        for number in parts
    )
    return _document("sitemapindex", entries)


def part(number: int) -> str:
    """Return one sitemap; they count from 1. Raises UnknownThing when there is none."""
    parts = _parts()
    if not 1 <= number <= len(parts):
        raise UnknownThing(f"there is no sitemap {number}; /sitemap.xml lists those there are")
    root, day = escape(request.root_url), current().snapshot.made.date()
    paths = zlib.decompress(parts[number - 1]).decode().splitlines()
    entries = (f"<url><loc>{root}{path}</loc><lastmod>{day}</lastmod></url>" for path in paths)
    return _document("urlset", entries)


def _document(name: str, entries: Iterable[str]) -> str:
    lines = "\n".join(entries)
    return f'{_HEAD}<{name} xmlns="{_SCHEMA}">\n{lines}\n</{name}>\n'


def _parts() -> list[bytes]:
    """Return the paths of each sitemap, a line each, compressed: there may be millions."""
    return kept("sitemap", lambda: list(_made()))


def _made() -> Iterator[bytes]:
    paths = [*_pages(), *_documents()]
    for start in range(0, len(paths), LARGEST_PART):
        yield zlib.compress("\n".join(paths[start : start + LARGEST_PART]).encode())


def _pages() -> Iterator[str]:
    for view in PAGES:
        yield escape(url_for(view).lstrip("/"))


def _documents() -> Iterator[str]:
    """Yield the path of the page of each thing."""
    store = current().store
    for row in store.select(_THINGS.format(base=store.base, that_stand=THAT_STAND)):
        path = str(row["it"]).removeprefix(f"{store.base}id/")
        yield f"doc/{escape(quote(path, safe=_UNRESERVED))}"
