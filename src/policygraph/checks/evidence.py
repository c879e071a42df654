"""Evidence: the passages found again in the texts, and sources named by their digest."""

import re
from collections.abc import Iterator

from policygraph.checks.subject import Subject
from policygraph.findings import Finding, Severity
from policygraph.passages import first_difference
from policygraph.texts import SourceText, digest_of, ni_of

_PASSAGES = """
SELECT ?source ?passage ?start ?end ?digest {
  ?passage a pg:Passage ; oa:hasSource ?source ; schema:sha256 ?digest ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end } ORDER BY ?source ?start"""


def sources_have_their_ni_uri(subject: Subject) -> Iterator[Finding]:
    """Yield sources whose `ni:` URI is not their SHA-256 (RFC 6920)."""
    rows = subject.store.select(
        "SELECT ?source ?digest ?ni { ?source a pg:Source ; schema:sha256 ?digest ;"
        " dcterms:identifier ?ni FILTER (STRSTARTS(STR(?ni), 'ni:')) }"
    )
    for row in rows:
        digest = str(row["digest"])
        if _is_digest(digest) and str(row["ni"]) != ni_of(digest):
            yield _finding(
                "E1",
                row["source"],
                "the ni: URI is not the one of the source's SHA-256",
                f"write {ni_of(digest)}",
            )


def passages_say_what_they_said(subject: Subject) -> Iterator[Finding]:
    """Yield sources whose text was edited, and passages whose digest does not match the text."""
    for row in subject.store.select("SELECT ?source ?d { ?source a pg:Source ; schema:sha256 ?d }"):
        source = subject.texts.get(_name(row["source"]))
        if source and source.digest != str(row["d"]):
            place = first_difference(subject.store, source)
            yield _finding(
                "E2",
                row["source"],
                f"{source.path}:{place}: not the text described, it differs here",
                "restore the text, or describe the new one as a source of its own",
            )
    for row in subject.store.select(_PASSAGES):
        source = subject.texts.get(_name(row["source"]))
        span = int(str(row["start"])), int(str(row["end"]))
        if source and digest_of(source.text[slice(*span)]) != str(row["digest"]):
            yield _mismatch(row["passage"], source, span)


def _mismatch(passage: object, source: SourceText, span: tuple[int, int]) -> Finding:
    return _finding(
        "E3",
        passage,
        f"code points {span[0]} to {span[1]} of {source.path.name} do not have the digest given",
        "remove passages.ttl and run 'policygraph segment' on the text again",
    )


def _finding(rule: str, node: object, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.VIOLATION, str(node), message, remedy)


def _name(iri: object) -> str:
    return str(iri).rsplit("/", 1)[-1]


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None
