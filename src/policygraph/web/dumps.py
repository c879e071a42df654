"""The files of a release, to be had over HTTP: what each is, and how it is sent."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import Response, request
from werkzeug.utils import send_file
from werkzeug.wrappers import Response as BaseResponse

from policygraph.errors import TooBusy, TooManyFromOne, UnknownThing
from policygraph.release import CHECKSUMS
from policygraph.release.dumps import DUMPS, FORMATS
from policygraph.snapshots import Snapshot
from policygraph.store import format_named, parse_file
from policygraph.texts import digest_of
from policygraph.web.crowds import Crowd
from policygraph.web.faults import PreconditionFailed
from policygraph.web.kept import kept
from policygraph.web.served import current

SECONDS_KEPT = 60
"""How long a cache may answer for us: a file keeps its name from one release to the next."""
LARGE = 1024 * 1024
MOST_AT_ONCE, MOST_OF_ONE = 16, 4
"""Bodies of so many bytes that are sent at once by a web process, in all and to one client: each
holds a thread for as long as its client takes to read it."""

_ON_THEIR_WAY = Crowd(MOST_AT_ONCE, MOST_OF_ONE)
_GZIP = ".gz"
_CARRIED = {False: "Reference data and statements", True: "Everything, in its named graphs"}
_CARRIES = {
    "ontology.ttl": "The vocabulary: classes, properties and what they mean",
    "shapes.ttl": "The rules that the data keeps to (SHACL)",
    "context.jsonld": "The names that the JSON-LD uses",
    "void.ttl": "What the data set is, and how large (VoID)",
    "dcat.ttl": "The release as a catalogue (DCAT 3)",
    "dcat.jsonld": "The release as a catalogue (DCAT 3)",
    CHECKSUMS: "The checksums of all other files",
}
"""What the files that are no dumps carry."""
_FORMATS = {
    "ttl": "Turtle",
    "nt": "N-Triples",
    "rdf": "RDF/XML",
    "jsonld": "JSON-LD",
    "nq": "N-Quads",
    "trig": "TriG",
}
_SHOWN_BY_BROWSERS = ("text/", "application/ld+json", "application/rdf+xml")
# A range that this server answers; with any other the whole file is sent (RFC 9110, 14.2).
_ONE_RANGE = re.compile(r"bytes=(?:[0-9]+-[0-9]*|-[0-9]+)")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file: its name, size in bytes, SHA-256 in hex digits, format, what it carries.

    `triples` is None where it holds none; `quads` where it names no graphs.
    """

    name: str
    size: int
    sha256: str
    format: str
    media_type: str
    carries: str
    triples: int | None = None
    quads: int | None = None


def release_files() -> tuple[ReleaseFile, ...]:
    """Return the files of the release that is served, the data first."""
    snapshot = current().snapshot
    return kept("release files", lambda: tuple(_described(snapshot)))


def file_of_release(name: str) -> BaseResponse:
    """Send one file, or the part of it that a range asks for.

    Raises UnknownThing when the release has no such file, whatever else there is on the disk;
    PreconditionFailed; TooBusy and TooManyFromOne when too many large ones are on their way.
    """
    file = next((file for file in release_files() if file.name == name), None)
    if file is None:
        raise UnknownThing(f"the release has no file '{name}'; /dumps/ lists those it has")
    snapshot = current().snapshot
    response = send_file(
        snapshot.dumps / name,
        _environ(),
        mimetype=file.media_type,
        as_attachment=not file.media_type.startswith(_SHOWN_BY_BROWSERS),
        etag=file.sha256,
        last_modified=snapshot.made,
        max_age=SECONDS_KEPT,
        response_class=Response,
    )
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        response.close()
        raise PreconditionFailed("If-Match names another version of the file; ask without it")
    _count_in(response)
    response.cache_control.public = True
    # A file that something compresses on its way has other ranges, and another checksum.
    response.cache_control.no_transform = True
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"
    return response


def _count_in(response: BaseResponse) -> None:
    """Let a large body be one of the few that are on their way; small ones cost no time."""
    if (response.content_length or 0) < LARGE:
        return
    client = str(request.environ.get("policygraph.client") or request.remote_addr)
    if not _ON_THEIR_WAY.enter(client):
        response.close()
        if _ON_THEIR_WAY.is_full:
            raise TooBusy(f"{MOST_AT_ONCE} large files are on their way; come back later")
        raise TooManyFromOne(
            f"{MOST_OF_ONE} large files of yours are on their way; get the others after them"
        )
    response.direct_passthrough = False  # what is passed through does not tell that it was closed
    response.call_on_close(lambda: _ON_THEIR_WAY.leave(client))


def _environ() -> dict[str, object]:
    """Return the request's environ, without a range that is not answered.

    One with a weak ETag is not: that does not say that the bytes are the same (RFC 9110, 13.1.5).
    """
    environ = dict(request.environ)
    is_weak = environ.get("HTTP_IF_RANGE", "").startswith("W/")
    if is_weak or not _ONE_RANGE.fullmatch(environ.get("HTTP_RANGE", "")):
        environ.pop("HTTP_RANGE", None)
    return environ


def _described(snapshot: Snapshot) -> Iterator[ReleaseFile]:
    sums = (snapshot.dumps / CHECKSUMS).read_bytes()
    digests = {CHECKSUMS: digest_of(sums)}
    for line in sums.decode().splitlines():
        digest, name = line.split("  ", 1)
        digests[name] = digest
    quads, authored = (_lines(snapshot.dumps / f"policygraph.{name}") for name in ("nq", "nt"))
    counts: tuple[int | None, int | None]
    for name in DUMPS:
        is_whole = FORMATS[name.removesuffix(_GZIP).rsplit(".", 1)[1]]
        counts = (snapshot.triples, quads) if is_whole else (authored, None)
        yield _file(snapshot.dumps / name, digests[name], _CARRIED[is_whole], counts)
    for name, carries in _CARRIES.items():
        counts = (_triples(snapshot, name), None)
        yield _file(snapshot.dumps / name, digests[name], carries, counts)


def _file(
    path: Path, digest: str, carries: str, counts: tuple[int | None, int | None]
) -> ReleaseFile:
    format_, media_type = _format(path.name)
    size = path.stat().st_size
    return ReleaseFile(path.name, size, digest, format_, media_type, carries, *counts)


def _format(name: str) -> tuple[str, str]:
    """Return what a file is, in words and as a media type."""
    if name == CHECKSUMS:
        return "sha256sum", "text/plain"
    short = name.removesuffix(_GZIP).rsplit(".", 1)[1]
    if name.endswith(_GZIP):
        return f"{_FORMATS[short]}, gzip", "application/gzip"
    return _FORMATS[short], format_named(short).media_type


def _triples(snapshot: Snapshot, name: str) -> int | None:
    """Return how many triples a small file holds."""
    path = snapshot.dumps / name
    return len(parse_file(path, snapshot.base)) if path.suffix == ".ttl" else None


def _lines(path: Path) -> int:
    """Return the number of lines of a file, which in N-Triples and N-Quads is that of triples."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
