"""The questions: each is answered as recorded, in one order only, and says how to read it."""

import re
from pathlib import Path

import pytest
from rdflib.plugins.sparql import prepareQuery

from policygraph import build, open_project
from policygraph.catalogue import questions, read_query
from policygraph.namespaces import DEFAULT_BASE, rebase
from policygraph.store import format_named

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "queries").glob("*.rq"))
ANSWERS = Path(__file__).parent / "queries"
OTHER_BASE = "http://127.0.0.1:8000/"


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def query(request):
    return read_query(request.param, DEFAULT_BASE)


@pytest.fixture(scope="module")
def store_elsewhere():
    """Return the graph built on another base."""
    return build(open_project(ROOT, OTHER_BASE))


def answer_of(store, text):
    """Return an answer as it is recorded: CSV with plain line ends."""
    return store.query(text).write(format_named("csv")).decode().replace("\r\n", "\n")


def recorded(query):
    return (ANSWERS / f"{query.name}.csv").read_text(encoding="utf-8")


def without_strings_and_comments(text):
    return re.sub(r'"[^"\n]*"|<[^<>\s]*>|#.*', "", text)


def test_the_answer_is_the_recorded_one(query, store):
    """After a change of data that is meant: tests/record_answers.py, and read the difference."""
    assert answer_of(store, query.text) == recorded(query)


def test_the_answer_has_a_row(query):
    assert len(recorded(query).splitlines()) > 1


def test_no_tie_is_left_to_chance(query, store):
    assert "ORDER BY" in query.text
    columns = store.query(query.text).columns
    ascending = " ".join(f"ASC(?{name})" for name in columns)
    # Further sort keys at the end of the query change nothing when its own leave no tie.
    one = answer_of(store, f"{query.text} {ascending}")
    other = answer_of(store, f"{query.text} {ascending.replace('ASC', 'DESC')}")
    assert one == other


def test_the_answer_is_the_same_on_another_base(query, store_elsewhere):
    moved = rebase(query.text, OTHER_BASE)
    assert answer_of(store_elsewhere, moved) == rebase(recorded(query), OTHER_BASE)


def test_the_front_matter_is_complete(query):
    assert list(query.front) == ["summary", "tags", "answers"]
    assert re.fullmatch(r"[A-Z][^?]+\?", query.summary)
    assert query.tags
    assert query.front["answers"].endswith(".")


def test_the_columns_are_named(query, store):
    assert not re.search(r"(?i)select\s+(distinct\s+)?\*", query.text)
    columns = store.query(query.text).columns
    assert columns
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in columns)


def test_the_prefixes_are_those_that_are_used(query):
    declared = re.findall(r"^PREFIX ([a-z]+): <https?://", query.text, re.MULTILINE)
    body = re.sub(r"^PREFIX.*", "", without_strings_and_comments(query.text), flags=re.MULTILINE)
    assert declared == sorted(set(re.findall(r"(?<![\w?])([a-z]+):", body)))


def test_another_parser_reads_it_too(query):
    prepareQuery(query.text)


def test_every_recorded_answer_has_a_query():
    assert {path.stem for path in ANSWERS.iterdir()} == {path.stem for path in PATHS}


def test_three_questions_with_short_answers_are_for_the_home_page(project):
    home = [query for query in questions(project) if "home" in query.tags]
    assert len(home) == 3
    assert all(len(recorded(query).splitlines()) <= 11 for query in home)
