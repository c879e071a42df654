"""Documents of RDF about what is served, in every format, and as a page for people."""

from flask import Response, render_template, url_for

from policygraph.jsonld import compact
from policygraph.namespaces import prefixes
from policygraph.store import (
    Format,
    Kind,
    Quads,
    format_named,
    parse_file,
    write_quads,
)
from policygraph.web.kept import kept
from policygraph.web.negotiation import Offer
from policygraph.web.served import current
from policygraph.web.variants import Document, sent

TITLES = {
    "void": (
        "The data set, described with VoID",
        "What the data set is, how large, in which terms, linked to what, and where to have it.",
    ),
    "dcat": (
        "The release, described with DCAT",
        "The data set as a catalogue: its files with sizes and checksums, and its endpoint.",
    ),
}
"""The documents that a release has, and how the page of each begins."""

_TURTLE = "ttl"


def written(quads: Quads, format_: Format) -> bytes:
    """Write quads as one graph; as JSON-LD compacted, with the prefixes they use."""
    base = current().base
    data = write_quads(quads, format_, base=base, kind=Kind.GRAPH)
    if format_.name != "jsonld":
        return data
    used = {name: iri for name, iri in prefixes(base).items() if f'"{iri}'.encode() in data}
    return compact(data, {"@context": used})


def release_document(name: str, extension: str = "") -> Response:
    """Answer with a document of the release: in the format of the extension, or what suits best."""
    files = ((url_for("discovery.dumps"), "collection"),)
    document = Document(url_for(f"discovery.{name}"), links=files)

    def write(offer: Offer) -> bytes | str:
        format_ = offer.format or format_named(_TURTLE)
        data = kept((name, format_.name), lambda: _converted(name, format_))
        return data if offer.format else _page(name, document, data.decode())

    return sent(document, write, extension)


def _converted(name: str, format_: Format) -> bytes:
    """Return the release's own file where it has one of this format, else another's content."""
    served = current()
    own = served.snapshot.dumps / f"{name}.{format_.extension}"
    if own.is_file():
        return own.read_bytes()
    return written(parse_file(own.with_suffix(f".{_TURTLE}"), served.base), format_)


def _page(name: str, document: Document, turtle: str) -> str:
    title, lead = TITLES[name]
    return render_template("rdf.html", title=title, lead=lead, turtle=turtle, document=document)
