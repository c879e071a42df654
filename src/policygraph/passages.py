"""Write a source's passages: what `segment` makes of a text, as Turtle without its words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from policygraph.errors import ProjectError, SourceTextError
from policygraph.frontmatter import front_matter
from policygraph.project import Project, write_file
from policygraph.segments import Segment, segment
from policygraph.store import Store, parse_file
from policygraph.texts import SourceText, digest_of, ni_of

ANCHOR_WORDS = 4
LONGEST_ANCHOR = 40
"""Words, and encoded characters, of a text fragment's anchor (rule R15)."""

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HEAD = """\
# The passages of one source: position (code points of the text, end exclusive) and digest of each
# heading and sentence, without its words. Made by `policygraph segment`; do not edit.
@prefix bibo: <http://purl.org/ontology/bibo/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix oa: <http://www.w3.org/ns/oa#> .
@prefix pg: <ns#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix schema: <http://schema.org/> .
@prefix source: <id/source/> .
"""


@dataclass(frozen=True, slots=True)
class Segmented:
    """What `segment` did: the source's folder, the number of passages, the files it changed."""

    folder: Path
    passages: tuple[Segment, ...]
    written: tuple[Path, ...]


def write_passages(project: Project, source: SourceText, *, name: str) -> Segmented:
    """Write `source.ttl` (once) and `passages.ttl` of a source.

    Raises SourceTextError when the source exists with another text, naming the first passage that
    differs; ProjectError when the name is no slug or the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ProjectError(f"'{name}': a source's name has lower-case letters, digits and hyphens")
    if project.is_installed:
        raise ProjectError(
            "the data that came with policygraph is not written to; make a project with "
            "'policygraph init DIR' and name it with --project DIR"
        )
    folder = project.source(name)
    described, listed = folder / "source.ttl", folder / "passages.ttl"
    known = _known(project, name)
    _refuse_another_text(known, source, name=name)
    passages = segment(source.text)
    facts = front_matter(source)
    page = _public_address(known, name) or facts.get("source_url")
    turtle = _passages_turtle(source, passages, name=name, page=page)
    _refuse_edited(listed, (_passages_turtle(source, passages, name=name, page=None), turtle))
    changed = []
    # The passages first: a source is there only when its passages are.
    if write_file(listed, turtle):
        changed.append(listed)
    if not described.exists():
        write_file(described, _source_turtle(source, name=name, facts=facts))
        changed.append(described)
    return Segmented(folder, tuple(passages), tuple(changed))


def _refuse_edited(path: Path, made: tuple[str, ...]) -> None:
    """Raise ProjectError when a file is none of those that `segment` makes, so nothing is lost."""
    if path.exists() and path.read_text(encoding="utf-8") not in made:
        raise ProjectError(
            f"{path}: edited by hand, or made by another version of policygraph; move what you "
            "added to statements.ttl, remove this file, and run it again"
        )


def _refuse_another_text(store: Store, source: SourceText, *, name: str) -> None:
    """Raise SourceTextError, with the place, when a source is known by another text's digest."""
    rows = store.select(f"SELECT ?digest {{ source:{name} schema:sha256 ?digest }}")
    if not rows or str(rows[0]["digest"]) == source.digest:
        return
    raise SourceTextError(
        f"{source.path}:{first_difference(store, source)}: the text of '{name}' differs from the "
        "one its passages were taken from; restore it, or segment it as a source of its own with "
        "another --name"
    )


def first_difference(store: Store, source: SourceText) -> str:
    """Return the line, and the passage, where a text first differs from the passages known."""
    rows = store.select("""
        SELECT ?passage ?start ?end ?digest {
          ?passage a pg:Passage ; schema:sha256 ?digest ; oa:hasSelector ?selector .
          ?selector oa:start ?start ; oa:end ?end } ORDER BY ?start""")
    for row in rows:
        start, end = int(str(row["start"])), int(str(row["end"]))
        if digest_of(source.text[start:end]) != str(row["digest"]):
            key = str(row["passage"]).rsplit("/", 1)[-1]
            return f"{source.line_at(min(start, len(source.text)))}: passage {key}"
    return "1: white space between passages"


def _known(project: Project, name: str) -> Store:
    store = Store(project.base)
    for path in sorted(project.source(name).glob("*.ttl")):
        store.load(parse_file(path, project.base))
    return store


def _public_address(store: Store, name: str) -> str | None:
    rows = store.select(f"SELECT ?page {{ source:{name} foaf:page ?page }}")
    return str(rows[0]["page"]) if rows else None


def _source_turtle(source: SourceText, *, name: str, facts: dict[str, str]) -> str:
    title = facts.get("title", name)
    lines = [
        f"source:{name} a pg:Source",
        f"    skos:prefLabel {_literal(title[:90])}@en",
        f"    dcterms:title {_literal(title)}@en",
        f'    schema:sha256 "{source.digest}"',
        f'    dcterms:identifier "{ni_of(source.digest)}"^^xsd:anyURI',
    ]
    if "date" in facts:
        lines.append(f'    dcterms:issued "{facts["date"]}"^^xsd:date')
    if "source_url" in facts:
        lines.append(f"    foaf:page <{facts['source_url']}>")
    return (
        "# What is known of the source itself: its identity by digest, title, publisher, date,\n"
        "# licence and address where known. Written once by `policygraph segment`; yours to edit.\n"
        "@prefix dcterms: <http://purl.org/dc/terms/> .\n"
        "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
        "@prefix pg: <ns#> .\n"
        "@prefix schema: <http://schema.org/> .\n"
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "@prefix source: <id/source/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n" + " ;\n".join(lines) + " .\n"
    )


def _passages_turtle(
    source: SourceText, passages: list[Segment], *, name: str, page: str | None
) -> str:
    blocks = ("\n".join(_passage(source, item, name, page)) for item in passages)
    return _HEAD + f"@prefix p: <id/passage/{name}/> .\n\n" + "\n\n".join(blocks) + "\n"


def _passage(source: SourceText, item: Segment, name: str, page: str | None) -> Iterator[str]:
    words = source.text[item.start : item.end]
    iri = f"<id/passage/{name}/{item.key}"
    anchors = _anchors(words) if page else None
    selectors = f"{iri}/position>" + (f", {iri}/fragment>" if anchors else "")
    yield f"p:{item.key} a pg:Passage ;"
    yield f"    oa:hasSource source:{name} ;"
    yield f'    bibo:section "{item.section}" ; pg:sentenceIndex {item.index} ;'
    yield f"    oa:hasSelector {selectors} ;"
    yield f'    schema:sha256 "{digest_of(words)}" .'
    yield f"{iri}/position> a oa:TextPositionSelector ;"
    yield f"    oa:start {item.start} ; oa:end {item.end} ."
    if anchors:
        yield f"{iri}/fragment> a oa:FragmentSelector ;"
        yield "    dcterms:conformsTo <https://wicg.github.io/scroll-to-text-fragment/> ;"
        yield f'    rdf:value ":~:text={anchors}" .'


def _anchors(words: str) -> str | None:
    """Return `start,end` of a text fragment: at most four words a side, whole words only.

    None when a word at either end is too long to be an anchor, as an address is.
    """
    plain = words.split()
    whole = _encoded(plain)
    if len(plain) <= ANCHOR_WORDS and len(whole) <= LONGEST_ANCHOR:
        return whole
    # The two must not overlap, or a browser finds nothing.
    most = min(ANCHOR_WORDS, len(plain) // 2)
    start = _anchor(plain[:most], keep_last=False)
    end = _anchor(plain[-most:] if most else [], keep_last=True)
    fits = most and max(len(start), len(end)) <= LONGEST_ANCHOR
    return f"{start},{end}" if fits else None


def _anchor(words: list[str], *, keep_last: bool) -> str:
    """Encode words for the fragment directive (dashes too), leaving out what is too much."""
    while len(words) > 1 and len(_encoded(words)) > LONGEST_ANCHOR:
        words = words[1:] if keep_last else words[:-1]
    return _encoded(words)


def _encoded(words: list[str]) -> str:
    return quote(" ".join(words), safe="").replace("-", "%2D")


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
