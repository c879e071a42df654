"""Things and the documents about them: `/id/x` names the thing, `/doc/x` tells of it.

A thing is no document, so `/id/x` answers 303 with the address of one. That is the generic one,
whatever the client accepts (Cool URIs for the Semantic Web, section 4.2): a redirect that is the
same for all, and one address that people can pass on whatever they read it in.
"""

from http import HTTPStatus

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from policygraph.descriptions import describe
from policygraph.standing import standing_of
from policygraph.store.composing import compose
from policygraph.terms import Iri
from policygraph.web import lists, lost, vocabularies
from policygraph.web.addresses import address_of, as_uri, iris_of, named_by
from policygraph.web.negotiation import Offer
from policygraph.web.portrait import portray
from policygraph.web.served import current
from policygraph.web.variants import Document, link, sent, split, written

bp = Blueprint("things", __name__)
lost.register(bp)

_FRESH = "public, max-age=3600"
"""How long a 301 may be kept: without it, for ever."""


@bp.app_template_filter("address")
def address(iri: str) -> str:
    """Return where a page links to for an IRI: here for the project's own, else to itself."""
    return address_of(iri, current().base) or iri


@bp.get("/id/", defaults={"name": ""}, strict_slashes=False)
@bp.get("/id/<path:name>")
def thing(name: str) -> BaseResponse:
    """Send the client to the document about a thing (303), or to what replaced it (301)."""
    known, moved = _known(name)
    if moved:
        return _moved(named_by(moved, current().base) or moved)
    path = address(known)
    response = _see_other(path)
    response.vary.add("Accept")
    links = [link(path, "describedby"), *Document(path).alternate_links()]
    response.headers["Link"] = ", ".join(links)
    return response


@bp.get("/doc/", defaults={"name": ""}, strict_slashes=False)
@bp.get("/doc/<path:name>")
def doc(name: str) -> BaseResponse:
    """Tell what the graph knows of a thing, or list the things of a type."""
    stem, extension = split(name)
    known, moved = _known(stem)
    if moved:
        path = address_of(moved, current().base)
        return _moved(f"{path}.{extension}" if path and extension else path or moved)
    if lists.is_list(known):
        return lists.answer(known, extension)
    return _document(known, extension)


@bp.get("/ns")
@bp.get("/ns.<extension>")
@bp.get("/ns/<path:version>")
def vocabulary(version: str = "", extension: str = "") -> Response:
    """Define the terms that the graph uses."""
    stem, found = split(version) if version else ("", _format(extension))
    return vocabularies.vocabulary(stem, found)


@bp.get("/shapes")
@bp.get("/shapes.<extension>")
def shapes(extension: str = "") -> Response:
    """Give the rules that the graph keeps."""
    return vocabularies.shapes(_format(extension))


@bp.get("/context.jsonld")
def context() -> Response:
    """Give the JSON-LD context."""
    body = current().snapshot.context.read_bytes()
    return Response(body, content_type="application/ld+json")


@bp.get("/graph/", strict_slashes=False)
def graphs() -> str:
    """List the named graphs."""
    return vocabularies.graphs()


@bp.get("/graph/<path:name>")
def graph(name: str) -> Response:
    """Give the triples of a named graph."""
    return vocabularies.graph(*split(name))


@bp.get("/dataset")
def dataset() -> BaseResponse:
    """Send the client to the description of the data set, which is itself no document."""
    return _see_other(url_for("discovery.void"))


@bp.get("/catalog")
def catalog() -> BaseResponse:
    """Send the client to the description of the catalogue."""
    return _see_other(url_for("discovery.dcat"))


def _format(extension: str) -> str:
    """Return the format of an extension; without one it depends on the client (""). Else 404."""
    found = split(f"x.{extension}")[1]
    if extension and not found:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _document(iri: Iri, extension: str) -> Response:
    description = describe(current().store, iri)
    links = [(iri, "describes")]
    if description.licence:
        links.append((description.licence, "license"))
    document = Document(address(iri), iri, f"DESCRIBE <{iri}>", tuple(links))

    def write(offer: Offer) -> bytes | str:
        if offer.format:
            return written(compose(description.composed()), offer)
        return render_template("thing.html", thing=portray(description), document=document)

    return sent(document, write, extension)


def _known(name: str) -> tuple[Iri, Iri | None]:
    """Return the IRI that the rest of a path names, and what replaced it (as a rule nothing).

    Raises UnknownName and Withdrawn.
    """
    served = current()
    names = iris_of(f"id/{name}", served.base)
    standing = standing_of(served.store, names) if name else None
    if standing is None:
        if lists.is_list(names[0]):
            return Iri(names[0].rstrip("/") if name else names[0]), None
        raise lost.unknown(names[0])
    if standing.gone:
        raise lost.withdrawn(standing)
    return standing.iri, standing.moved


def _see_other(path: str) -> BaseResponse:
    return redirect(path, HTTPStatus.SEE_OTHER)


def _moved(target: str) -> BaseResponse:
    response = redirect(as_uri(target), HTTPStatus.MOVED_PERMANENTLY)
    response.headers["Cache-Control"] = _FRESH
    return response
