"""What the documents say is so: links lead somewhere, commands exist, queries run."""

import re
from pathlib import Path

import pytest

from policygraph.catalogue import violation_queries
from policygraph.cli import main
from policygraph.store import parse_file

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {".venv", ".git", "node_modules"} & set(path.relative_to(ROOT).parts)
)
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def _blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    assert [name for name in main.commands if f"`{name}" not in text] == []


def test_the_readme_is_short_and_the_architecture_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_file_a_document_names_is_there(path):
    names = re.findall(
        r"(?<![\w/.-])((?:docs|data|tests|bench|queries|ontology|src)/[\w./-]*\w"
        r"|[A-Z]{4,}(?:-[A-Z]+)?(?:\.md|\.cff)?(?=[\s).,;:]))",
        re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL),
    )
    files = {name for name in names if "/" in name or "." in name}
    placeholders = re.compile(r"NAME|RN-|FILE|TEXT")
    missing = [n for n in files if not placeholders.search(n) and not (ROOT / n).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_query_in_a_document_has_an_answer(path, store):
    text = path.read_text()
    queries = _blocks(text, "sparql") + re.findall(r"'query=\n(.*?)'", text, re.DOTALL)
    for query in queries:
        assert list(store.query(query).rows()), query


def test_every_rule_is_in_the_model(project):
    rules = set(re.findall(r'dcterms:identifier "(R\d+)"', project.shapes.read_text()))
    rules |= {query.front["rule"] for query in violation_queries(project)}
    for path in (ROOT / "src/policygraph/checks").glob("*.py"):
        rules |= set(re.findall(r'"([EW]\d)"', path.read_text()))
    listed = set(
        re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "docs/model.md").read_text(), re.MULTILINE)
    )
    assert listed == rules


def test_the_worked_example_of_the_model_is_in_the_graph(store, tmp_path):
    (turtle,) = _blocks((ROOT / "docs/model.md").read_text(), "turtle")
    (tmp_path / "example.ttl").write_text(turtle)
    lines = parse_file(tmp_path / "example.ttl", store.base).to_ntriples().decode().splitlines()
    known = set(store.graph(store.graph_names()).to_ntriples().decode().splitlines())
    assert [line for line in lines if line not in known] == []
