"""What docs/http.md lists is what there is: each route, format, limit and error, and no other."""

import re
from http import HTTPStatus
from pathlib import Path

from policygraph.store.formats import FORMATS
from policygraph.web import create_app
from policygraph.web.limits import BEYOND, Unit, size_in_words
from policygraph.web.problems import PROBLEMS, STATUSES, name_of
from policygraph.workers.limits import LIMITS, MEANINGS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/http.md").read_text()


def _table(heading):
    """Return the rows of the table whose first column has this heading, as lists of cells."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-:|]*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()]


def _code(cell):
    return re.findall(r"`([^`]*)`", cell)


def _as_written(rule):
    """Return a rule as the document writes it: `{name}` for a variable part."""
    return re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", rule)


def test_every_route_is_listed_with_its_methods_and_no_other_is(served):
    rules = create_app(served).url_map.iter_rules()
    there = {(_as_written(rule.rule), _methods(rule.methods)) for rule in rules}
    listed = {
        (route, _methods(methods.split(", ")))
        for routes, methods, _ in _table("route")
        for route in _code(routes)
    }
    assert listed == there


def _methods(names):
    return " ".join(sorted(set(names) - {"HEAD", "OPTIONS"}))


def test_every_format_is_listed_with_its_media_type():
    listed = {(_code(name)[0], media_type) for name, media_type, _ in _table("format")}
    assert listed == {(f.name, f.media_type) for f in FORMATS} | {("html", "text/html")}


def test_every_limit_is_listed_with_what_happens_beyond():
    rows = {_code(name)[0]: beyond for name, _, _, beyond in _table("limit")}
    assert set(rows) == set(MEANINGS)
    for name, (_, error) in BEYOND.items():
        if error in PROBLEMS:
            assert rows[name] == f"{PROBLEMS[error].status.value} `{name_of(error)}`"
        else:
            assert rows[name] == str(error.code)


def test_what_each_limit_is_stands_there_in_the_words_of_the_code():
    for name, _, what, _ in _table("limit"):
        plain = re.sub(r" \(`--[a-z]+`\)", "", what).replace("`", "")
        assert plain == MEANINGS[_code(name)[0]]


def test_the_values_are_those_that_hold_when_nobody_says_otherwise():
    values = {_code(name)[0]: value for name, value, *_ in _table("limit")}
    assert (values.pop("running"), values.pop("per_client")) == (
        "the number of cores, at least 2",
        "one less",
    )
    for name, value in values.items():
        unit, _ = BEYOND[name]
        limit = getattr(LIMITS, name)
        assert value == (size_in_words(limit) if unit is Unit.BYTES else f"{limit:g}"), name


def test_every_problem_is_listed_with_its_status():
    listed = {_code(name)[0]: int(status) for name, status, _ in _table("problem")}
    assert listed == {name_of(class_): problem.status for class_, problem in PROBLEMS.items()}


def test_every_plain_status_is_listed():
    assert {HTTPStatus(int(status)) for status, _ in _table("status")} == set(STATUSES)


def test_every_parameter_that_is_listed_is_understood(client):
    names = [_code(name)[0] for name, _ in _table("parameter")]
    assert names == ["query", "default-graph-uri", "named-graph-uri", "format", "timeout"]
    for name in names[1:]:
        answer = client.get("/sparql", query_string={"query": "ASK {}", name: "not one"})
        assert answer.status_code in {400, 406}, name


def test_the_members_of_health_are_those_shown(client):
    (shown,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    top = re.sub(r'"last_check": \{.*?\}', '"last_check": 0', shown, flags=re.DOTALL)
    assert re.findall(r'"(\w+)":', top) == list(client.get("/health").json)


def test_the_headers_that_are_named_are_sent(client):
    named = set(re.findall(r"`((?:[A-Z][a-z]+-)+[A-Z]?[a-z]+)", TEXT))
    assert {"Content-Location", "Repr-Digest", "Retry-After"} <= named
    sent = client.get("/void").headers
    assert {"Content-Location", "Content-Security-Policy"} <= set(sent.keys())
    assert sent["Access-Control-Allow-Origin"] == "*"
