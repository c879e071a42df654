"""One document in all its formats: which one is sent, and the headers that name the others.

The generic address (`/doc/x`) negotiates and says in Content-Location what it chose; that one
(`/doc/x.ttl`) is fixed. Links are relative: the answers do not depend on the host.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response

from policygraph.jsonld import compact
from policygraph.store import Kind, Quads, formats_for, write_quads
from policygraph.web.addresses import as_uri
from policygraph.web.kept import kept
from policygraph.web.negotiation import PAGE, Offer, negotiated, offers_for, vary_by_accept
from policygraph.web.served import current

OFFERS = {offer.name: offer for offer in reversed(offers_for(Kind.GRAPH))}
"""How a document is sent by its extension, which is the short name of a format, or `html`."""
_OTHER_EXTENSIONS = {"json": "jsonld", "xml": "rdf"}
_WITH_GRAPHS = {"nq", "trig"}
"""Formats in which each triple says which graph holds it. Elsewhere they are written as one."""

Write = Callable[[Offer], bytes | str]


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its address without extension, the IRI it is about, a query that gives the same.

    `links` are further links of its header: target and relation.
    """

    path: str
    iri: str = ""
    query: str = ""
    links: tuple[tuple[str, str], ...] = ()

    @property
    def alternates(self) -> list[tuple[str, str, str]]:
        """The address, the media type and the name of each of its formats."""
        formats = [(format_.name, format_.media_type) for format_ in formats_for(Kind.GRAPH)]
        named = [*formats, ("html", PAGE)]
        return [(self.address_in(name), media_type, name) for name, media_type in named]

    def address_in(self, name: str) -> str:
        """Return its address in one format. That of the list at `/doc/` is `/doc/index.ttl`."""
        return f"{self.path}{'index' if self.path.endswith('/') else ''}.{name}"

    def header(self) -> Iterator[str]:
        """Yield the links of its Link header."""
        yield link(self.path, "canonical")
        yield from self.alternate_links()
        for target, relation in self.links:
            yield link(target, relation)

    def alternate_links(self) -> Iterator[str]:
        """Yield the links to its formats."""
        for target, media_type, _ in self.alternates:
            yield link(target, "alternate", type=media_type)


def split(name: str) -> tuple[str, str]:
    """Return a path without the extension of a format, and that format's name ("" without one)."""
    stem, dot, extension = name.rpartition(".")
    format_ = _OTHER_EXTENSIONS.get(extension, extension)
    return (stem, format_) if dot and format_ in OFFERS else (name, "")


def sent(document: Document, write: Write, extension: str) -> Response:
    """Answer with a document: in the format of the extension, else the one that suits the client.

    Raises NotAcceptable when no format suits.
    """
    offer = OFFERS[extension] if extension else negotiated(offers_for(Kind.GRAPH))
    response = Response(write(offer), content_type=offer.content_type)
    response.headers["Content-Location"] = document.address_in(offer.name)
    response.headers["Link"] = ", ".join(document.header())
    return response if extension else vary_by_accept(response)


def written(quads: Quads, offer: Offer) -> bytes:
    """Write quads in the format of an offer; as JSON-LD, compacted with the project's context."""
    assert offer.format
    kind = Kind.DATASET if offer.name in _WITH_GRAPHS else Kind.GRAPH
    data = write_quads(quads, offer.format, base=current().base, kind=kind)
    return compact(data, kept("context", _context)) if offer.name == "jsonld" else data


def link(target: str, relation: str, **attributes: str) -> str:
    """Return one link of a Link header (RFC 8288)."""
    said = "".join(f'; {name}="{value}"' for name, value in attributes.items())
    return f'<{as_uri(target)}>; rel="{relation}"{said}'


def _context() -> dict[str, Any]:
    text = current().snapshot.context.read_text(encoding="utf-8")
    context: dict[str, Any] = json.loads(text)
    return context
