"""The checks, on a copy of the project broken on purpose: each finding says rule, place, remedy."""

import json

import pyoxigraph
import pytest

from policygraph import ProjectError, Severity, SyntaxFault, check
from policygraph.reports import as_json, as_text, as_turtle

NAME = "harris-immigration-2024"
STATEMENTS = f"data/sources/{NAME}/statements.ttl"


def _edit(project, name, old, new):
    path = project.root / name
    text = path.read_text()
    assert old in text, f"{old!r} is not in {name}"
    path.write_text(text.replace(old, new, 1))


def _violations(project, **options):
    return check(project, **options).of(Severity.VIOLATION)


def test_a_statement_without_evidence_is_found_at_its_line(copied):
    _edit(copied, STATEMENTS, "    pg:evidence p:0-1 ;\n", "")
    (finding,) = _violations(copied)
    line = (
        (copied.root / STATEMENTS)
        .read_text()
        .splitlines()
        .index(
            next(
                x
                for x in (copied.root / STATEMENTS).read_text().splitlines()
                if x.startswith("s:1 ")
            )
        )
    )
    assert (finding.rule, str(finding.place)) == ("R1", f"{STATEMENTS}:{line + 1}")
    assert finding.remedy


def test_a_passage_of_another_source_is_found(copied):
    _edit(copied, STATEMENTS, "dcterms:source source:harris-immigration-2024 ;",
          "dcterms:source source:another ;")  # fmt: skip
    assert "R2" in {finding.rule for finding in _violations(copied)}


def test_a_digest_that_does_not_match_is_found(copied, sources):
    name = f"data/sources/{NAME}/passages.ttl"
    text = (copied.root / name).read_text()
    digest = text.split('schema:sha256 "')[1][:64]
    _edit(copied, name, digest, digest[::-1])
    (finding,) = _violations(copied, sources=sources)
    assert (finding.rule, finding.node) == ("E3", copied.iri(f"id/passage/{NAME}/0-1"))


def test_an_edited_source_text_is_found_with_its_line(copied, sources, tmp_path):
    text = (sources / f"{NAME}.txt").read_text().replace("Dreamers", "dreamers", 1)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / f"{NAME}.txt").write_text(text)
    found = {f.rule: f for f in _violations(copied, sources=tmp_path / "texts")}
    assert set(found) == {"E2", "E3"}
    assert ".txt:21: passage 3-1-0: not the text" in found["E2"].message


def test_a_wrong_ni_uri_is_found(copied):
    _edit(copied, f"data/sources/{NAME}/source.ttl", "ni:///sha-256;N7", "ni:///sha-256;M7")
    assert [finding.rule for finding in _violations(copied)] == ["E1"]


def test_copied_wording_is_found_in_its_file(copied, sources):
    words = " ".join((sources / f"{NAME}.txt").read_text().split()[3:10])
    (copied.data / "topics.ttl").write_text(
        (copied.data / "topics.ttl").read_text() + f"\n# {words}\n"
    )
    (finding,) = _violations(copied, sources=sources)
    assert finding.rule == "W1"
    assert finding.place.path == "data/topics.ttl"


def test_allowed_wording_is_allowed(copied, sources):
    words = " ".join((sources / f"{NAME}.txt").read_text().split()[3:9])
    (copied.data / "allowed-wording.txt").write_text(words + "\n")
    assert _violations(copied, sources=sources) == []


def test_without_the_texts_the_report_says_what_was_not_checked(copied):
    report = check(copied)
    assert "--sources" in report.skipped[0]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("s:1 a pg:Statement", ":2:"),
        ("nope:x a pg:Statement .", "prefix nope: has not been declared"),
        ("<id/goal/a b> a pg:Goal .", "Invalid IRI"),
    ],
    ids=["cut off", "unknown prefix", "space in an IRI"],
)
def test_a_file_that_does_not_parse_is_named_with_line_and_column(copied, wrong, expected):
    path = copied.data / "broken.ttl"
    path.write_text("@prefix pg: <ns#> . @prefix s: <id/statement/x/> .\n" + wrong)
    with pytest.raises(SyntaxFault) as caught:
        check(copied)
    assert str(caught.value).startswith(f"{path}:2:")
    assert expected in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(copied):
    (copied.data / "broken.ttl").write_bytes(b'# \xff\n<a> <b> "\xff" .')
    with pytest.raises((SyntaxFault, ProjectError), match=r"broken\.ttl"):
        check(copied)


def test_every_format_of_a_report_says_the_same(copied):
    _edit(copied, STATEMENTS, "    pg:evidence p:0-1 ;\n", "")
    report = check(copied)
    lines = as_text(report, notes=True).splitlines()
    assert lines[0].startswith(f"{STATEMENTS}:")
    assert "R1 violation: statement:harris-immigration-2024/1: " in lines[0]
    assert lines[-1].startswith("1 violation, 0 warnings, ")
    document = json.loads(as_json(report))
    assert document["conforms"] is False
    graph = list(pyoxigraph.parse(as_turtle(report), format=pyoxigraph.RdfFormat.TURTLE))
    results = [t for t in graph if t.predicate.value.endswith("#result")]
    assert len(results) == len(document["findings"]) == len(report.findings)


def test_a_statement_without_a_stance_is_found(copied):
    _edit(copied, STATEMENTS, " ; pg:stance stance:champions", "")
    assert [finding.rule for finding in _violations(copied)] == ["Q8"]
