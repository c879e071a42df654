"""Cut a text into headings and sentences, each with its section, index and position.

Sentence boundaries come from sentencex (Wikimedia), which knows the abbreviations of many
languages and keeps every character; what is ours is the outline: which line is a heading and
what number its section has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

from policygraph.frontmatter import FRONT_MATTER

LONGEST_HEADING = 100
"""Code points; a longer line without a full stop is a sentence that lost it."""

_PLAIN_SPACE = re.compile(r"[^\S\n]")
"""White space that sentencex need not see as it is: it stops the process at some of it (U+2028)."""

_LINE = re.compile(r"[^\n]+")
_MARKS = re.compile(r"(?P<hashes>#{1,6})\s+|(?P<number>\d+(?:\.\d+)*)[.)]?\s+(?=\S)")
_BULLET = re.compile(r"(?:[-*•–]|\\?\(?(?:[a-z]|[ivx]{1,4}|\d{1,3})(?:\.|\\?\)))\s+")
_ENDS_A_SENTENCE = re.compile(r"[.!?:;,…]['\"”’)*_\\]*$")


@dataclass(frozen=True, slots=True)
class Segment:
    """A heading (index 0) or a sentence: code points `start` to `end` (exclusive) of the text."""

    section: str
    index: int
    start: int
    end: int

    @property
    def key(self) -> str:
        """Return section and index as the last part of the passage's IRI, such as `4-1-2`."""
        return f"{self.section.replace('.', '-')}-{self.index}"


@dataclass(frozen=True, slots=True)
class _Block:
    """A heading line or a paragraph, with what stands before it."""

    start: int
    end: int
    after_blank: bool
    mark: str | None = None
    """A heading's mark or number, such as `##` or `2`; empty without one; None: no heading."""


def segment(text: str) -> list[Segment]:
    """Return the headings and sentences of a plain or Markdown text, in reading order.

    Sections follow the text's own numbering: what stands before the first numbered heading is
    section 0; an unnumbered heading opens a sub-section, or a section of its own when a blank
    line sets it off or the text numbers nothing. Front matter is passed over.
    """
    blocks = list(_blocks(text))
    outline = _Outline(numbered=any((block.mark or "")[:1].isdigit() for block in blocks))
    found = []
    for block in blocks:
        if not _says_something(text[block.start : block.end]):
            continue
        if block.mark is not None:
            outline.open(block.mark, after_blank=block.after_blank)
            found.append(Segment(outline.section, 0, block.start, block.end))
        else:
            found += [
                Segment(outline.section, outline.next_index(), start, end)
                for start, end in _sentences(text, block)
            ]
    return found


class _Outline:
    """The section that the reading has come to."""

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered
        self._path = [0]
        self._opened: set[tuple[int, ...]] = {(0,)}
        self._index = 0

    @property
    def section(self) -> str:
        return ".".join(map(str, self._path))

    def next_index(self) -> int:
        self._index += 1
        return self._index

    def open(self, mark: str, *, after_blank: bool) -> None:
        """Move to the section that a heading opens; a number used before gives the next free."""
        path = self._path_of(mark, after_blank=after_blank)
        while tuple(path) in self._opened:
            path[-1] += 1
        self._opened.add(tuple(path))
        self._path = path
        self._index = 0

    def _path_of(self, mark: str, *, after_blank: bool) -> list[int]:
        if mark[:1].isdigit():
            return [int(part) for part in mark.split(".")]
        if mark:
            depth = len(mark)
            return [*self._path[: depth - 1], *[1] * (depth - len(self._path[: depth - 1]))]
        if self._numbered and not (after_blank and self._path[0] > 0):
            return [self._path[0], 1]
        return [self._path[0] + 1]


def _blocks(text: str) -> Iterator[_Block]:
    """Yield paragraphs: single lines, or runs of lines where the text is wrapped by hand."""
    front = FRONT_MATTER.match(text)
    lines = list(_LINE.finditer(text, front.end() if front else 0))
    lines = [line for line in lines if line.group().strip()]
    wrapped = _is_wrapped([len(line.group()) for line in lines])
    previous_end = None
    start = end = 0
    after_blank = True
    for line in lines:
        adjacent = previous_end is not None and line.start() == previous_end + 1
        if adjacent and wrapped and not _starts_anew(line.group()):
            end = line.end()
        else:
            if end:
                yield _trimmed(text, start, end, after_blank=after_blank)
            start, end, after_blank = line.start(), line.end(), not adjacent
        previous_end = line.end()
    if end:
        yield _trimmed(text, start, end, after_blank=after_blank)


def _is_wrapped(lengths: list[int]) -> bool:
    """Say whether lines end where the column was full: then nine in ten are short."""
    return bool(lengths) and sorted(lengths)[len(lengths) * 9 // 10] <= LONGEST_HEADING


def _starts_anew(line: str) -> bool:
    return bool(_BULLET.match(line) or line.startswith("#"))


def _trimmed(text: str, start: int, end: int, *, after_blank: bool) -> _Block:
    """Leave out white space at both ends, and the mark of a bullet or of a Markdown heading.

    A heading's number is kept: it is a part of what is read.
    """
    while start < end and _is_blank(text[start]):
        start += 1
    while start < end and _is_blank(text[end - 1]):
        end -= 1
    piece = text[start:end]
    if _is_heading(piece):
        marks = _MARKS.match(piece)
        mark = (marks["hashes"] or marks["number"]) if marks else ""
        start += marks.end() if marks and marks["hashes"] else 0
        return _Block(start, end, after_blank, mark)
    bullet = _BULLET.match(piece)
    return _Block(start + (bullet.end() if bullet else 0), end, after_blank)


def _is_blank(letter: str) -> bool:
    """Say whether a letter shows nothing: white space, or the byte order mark."""
    return letter.isspace() or letter == "\ufeff"


def _is_heading(line: str) -> bool:
    if line.startswith("#"):
        return True
    is_one_short_line = len(line) <= LONGEST_HEADING and "\n" not in line
    is_item = bool(_BULLET.match(line)) and not line[:1].isdigit()
    return is_one_short_line and not is_item and not _ENDS_A_SENTENCE.search(line)


def _sentences(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    """Yield the spans of a paragraph's sentences, without the white space around them.

    A boundary inside a word ("U.|S.") is none, and a piece without a letter or digit is no
    sentence.
    """
    start = position = block.start
    for piece in sentencex.segment("en", _PLAIN_SPACE.sub(" ", text[block.start : block.end])):
        position += len(piece)
        if position < block.end and not text[position - 1].isspace():
            continue
        sentence = text[start:position]
        if _says_something(sentence):
            lead = len(sentence) - len(sentence.lstrip())
            yield start + lead, start + len(sentence.rstrip())
        start = position


def _says_something(piece: str) -> bool:
    """Say whether a piece has a letter or digit; a rule of dashes has none."""
    return any(map(str.isalnum, piece))
