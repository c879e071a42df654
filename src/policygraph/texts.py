"""Source texts: reading them whole, naming them by digest, finding them in a folder."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from policygraph.errors import SourceTextError

LARGEST_TEXT = 8 * 1024 * 1024
"""Bytes. A platform of a thousand pages has about three million; more is a wrong file."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text as read: its file, its code points, the SHA-256 of its bytes (64 hex digits)."""

    path: Path
    text: str
    digest: str

    def line_at(self, position: int) -> int:
        """Return the line, counted from 1, on which a code point stands."""
        return self.text.count("\n", 0, position) + 1


def digest_of(data: bytes | str) -> str:
    """Return the SHA-256 of bytes, or of a string's UTF-8 bytes, as 64 lower-case hex digits."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def ni_of(digest: str) -> str:
    """Return the `ni:` URI (RFC 6920, section 3) of a SHA-256 given as hex digits."""
    value = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return f"ni:///sha-256;{value}"


def read_text(path: Path) -> SourceText:
    """Read a source text as UTF-8, without normalising anything.

    Raises SourceTextError when the file is missing, unreadable, empty, too large or not UTF-8.
    """
    data = _read_bytes(path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceTextError(
            f"{path}:{line}: not UTF-8 (byte {error.start}); give a plain text, saved as UTF-8"
        ) from error
    if not text.strip():
        raise SourceTextError(f"{path}: the file has no text; give the file of the source's text")
    return SourceText(path, text, digest_of(data))


def require_folder(folder: Path) -> None:
    """Raise SourceTextError unless there is such a folder."""
    if not folder.is_dir():
        raise SourceTextError(
            f"{folder}: no such folder; give the folder that holds the source texts"
        )


def texts_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, at any depth, that may be source texts."""
    require_folder(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".txt", ".md"} and _size(path) <= LARGEST_TEXT:
            yield path


def find_text(folder: Path, name: str, *, digest: str) -> SourceText:
    """Return a source's text from a folder, by its digest, or, if it was edited, by file name.

    Raises SourceTextError when the folder has neither.
    """
    paths = list(texts_in(folder))
    for path in paths:
        if digest_of(_read_bytes(path)) == digest:
            return read_text(path)
    for path in paths:
        if path.stem == name:
            return read_text(path)
    raise SourceTextError(
        f"{folder}: the text of '{name}' is not there (no file has its digest {digest[:12]}…); "
        "give the folder that holds it"
    )


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_TEXT:
            raise SourceTextError(
                f"{path}: {size:,} bytes, more than the {LARGEST_TEXT:,} a source text may have; "
                "give the text alone, or split it into sources of their own"
            )
        return path.read_bytes()
    except OSError as error:
        raise SourceTextError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
