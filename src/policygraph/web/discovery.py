"""What a stranger finds by itself: descriptions of the data set, its files, what to crawl."""

import json
from dataclasses import asdict

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from policygraph.store import Kind, format_named
from policygraph.web import sitemap as sitemaps
from policygraph.web.dumps import ReleaseFile, file_of_release, release_files
from policygraph.web.limits import size_in_words
from policygraph.web.negotiation import PAGE, Offer, negotiated, offers_for, vary_by_accept
from policygraph.web.rdf import release_document
from policygraph.web.served import current
from policygraph.web.variants import OFFERS

bp = Blueprint("discovery", __name__)

_JSON = Offer("application/json", format_named("json"))
# The page first: what takes a folder of files from the web follows its links.
_LISTS = (Offer(PAGE), _JSON, *offers_for(Kind.GRAPH))
_EXTENSION = f"any({', '.join(OFFERS)})"
_ROBOTS = """\
# Pages and files are for everybody. A query costs this server work each time: take the files.
User-agent: *
Disallow: {sparql}?
Disallow: {health}
Disallow: {metrics}
Allow: /
Sitemap: {sitemap}
"""


@bp.get("/.well-known/void", endpoint="well_known_void")
@bp.get("/void")
@bp.get(f"/void.<{_EXTENSION}:extension>")
def void(extension: str = "") -> Response:
    """Describe the data set with VoID: in the format of the extension, or what suits best."""
    return release_document("void", extension)


@bp.get("/dcat")
@bp.get(f"/dcat.<{_EXTENSION}:extension>")
def dcat(extension: str = "") -> Response:
    """Describe the release with DCAT: in the format of the extension, or what suits best."""
    return release_document("dcat", extension)


@bp.get("/dumps/")
def dumps() -> Response:
    """List the files of the release: as a page, as JSON, or as the catalogue in RDF."""
    offer = negotiated(_LISTS)
    if offer.format not in {None, _JSON.format}:
        return release_document("dcat")
    files = release_files()
    body = _page(files) if offer.format is None else _as_json(files)
    response = vary_by_accept(Response(body, content_type=offer.content_type))
    response.headers["Link"] = f'<{url_for("discovery.dcat")}>; rel="describedby"'
    return response


@bp.get("/dumps/<name>")
def dump(name: str) -> BaseResponse:
    """Send a file of the release, or a range of it."""
    response = file_of_release(name)
    response.headers["Link"] = f'<{url_for("discovery.dcat")}>; rel="describedby"'
    return response


@bp.get("/robots.txt")
def robots() -> Response:
    """Ask crawlers to take pages and files, and not to run queries."""
    text = _ROBOTS.format(
        sparql=url_for("sparql.ask"),
        health=url_for("operations.health"),
        metrics=url_for("operations.metrics"),
        sitemap=url_for("discovery.sitemap", _external=True),
    )
    return Response(text, mimetype="text/plain")


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """List the sitemaps."""
    return Response(sitemaps.index(), mimetype="application/xml")


@bp.get("/sitemap-<int:number>.xml")
def part_of_sitemap(number: int) -> Response:
    """List the addresses of up to 50,000 pages."""
    return Response(sitemaps.part(number), mimetype="application/xml")


def _page(files: tuple[ReleaseFile, ...]) -> str:
    snapshot = current().snapshot
    return render_template("dumps.html", files=files, snapshot=snapshot, size=size_in_words)


def _as_json(files: tuple[ReleaseFile, ...]) -> str:
    snapshot = current().snapshot
    members = {
        "release": snapshot.release,
        "snapshot": snapshot.id,
        "made": snapshot.made.isoformat(timespec="seconds"),
        "files": [_members(file) for file in files],
    }
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"


def _members(file: ReleaseFile) -> dict[str, object]:
    address = url_for("discovery.dump", name=file.name)
    known = {name: value for name, value in asdict(file).items() if value is not None}
    return {"address": address, **known}
