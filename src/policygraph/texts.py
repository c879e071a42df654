"""Source texts: reading them whole, naming them by digest, finding them in a folder."""

import base64
import hashlib
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


def texts_in(folder: Path) -> dict[str, Path]:
    """Return the files of a folder, at any depth, that may be source texts, by their digest.

    Raises SourceTextError when there is no such folder.
    """
    if not folder.is_dir():
        raise SourceTextError(
            f"{folder}: no such folder; give the folder that holds the source texts"
        )
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in {".txt", ".md"})
    texts = (path for path in paths if path.is_file() and _size(path) <= LARGEST_TEXT)
    return {digest_of(_read_bytes(path)): path for path in texts}


def find_text(texts: dict[str, Path], name: str, *, digest: str) -> SourceText:
    """Return a source's text from those of a folder, by digest, or, if edited, by file name.

    Raises SourceTextError when it is not among them.
    """
    named = (path for path in texts.values() if path.stem == name)
    path = texts.get(digest) or next(named, None)
    if path is None:
        raise SourceTextError(
            f"the text of '{name}' is not in the folder (no file has its digest {digest[:12]}…); "
            "give the folder that holds it"
        )
    return read_text(path)


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
