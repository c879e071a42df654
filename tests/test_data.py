"""The data: the whole article is accounted for, and nothing breaks a rule."""

import subprocess

import pytest

from policygraph import Severity, check, coverage, read_text
from policygraph.checks.wording import copied_runs


def test_the_project_breaks_no_rule(project, sources):
    report = check(project, sources=sources)
    assert [f for f in report.findings if f.severity is not Severity.INFO] == []
    assert report.skipped == ()


def test_every_passage_is_accounted_for(store):
    sections = coverage(store, "harris-immigration-2024")
    assert [section.number for section in sections if section.unaccounted] == []
    assert sum(section.passages for section in sections) == 47
    assert sum(section.statements for section in sections) > 200


def test_each_statement_has_a_stance(store):
    rows = store.select(
        "SELECT ?s { ?s a/rdfs:subClassOf* pg:Statement FILTER NOT EXISTS { ?s pg:stance ?v } }"
    )
    assert rows == []


def test_no_file_of_the_project_copies_a_sentence(project, sources):
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=project.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if tracked.returncode:
        pytest.skip("not a git checkout")
    files = [project.root / name for name in tracked.stdout.splitlines()]
    texts = {p.stem: read_text(p).text for p in sources.rglob("*") if p.suffix in {".txt", ".md"}}
    texts.pop("README", None)
    allowed = project.allowed_wording
    copied = copied_runs(
        [path for path in files if path.is_file() and path.suffix != ".png"],
        texts,
        allowance=allowed.read_text() if allowed.exists() else "",
    )
    assert [f"{path}:{line}: {run}" for path, line, run, _ in copied] == []
