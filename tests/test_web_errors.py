"""One table says which error has which status; and nothing of the inside comes out."""

import json

import pytest

from policygraph import errors as core
from policygraph.web import create_app, faults
from policygraph.web.documents import headers_of, problem_document
from policygraph.web.problems import PROBLEMS, STATUSES, name_of, problem_of


def _errors_of(module):
    classes = (value for value in vars(module).values() if isinstance(value, type))
    own = (class_ for class_ in classes if class_.__module__ == module.__name__)
    return [class_ for class_ in own if not class_.__name__.startswith("_")]


@pytest.mark.parametrize("class_", _errors_of(faults), ids=lambda class_: class_.__name__)
def test_every_error_of_a_request_has_a_row(class_):
    assert class_ in PROBLEMS
    assert 400 <= PROBLEMS[class_].status < 500 or class_ is faults.Unforeseen


@pytest.mark.parametrize("class_", _errors_of(core), ids=lambda class_: class_.__name__)
def test_every_error_has_a_status(class_):
    assert problem_of(class_.__new__(class_)).status >= 400


def test_every_row_says_what_it_means_and_what_to_do():
    assert len({name_of(class_) for class_ in PROBLEMS}) == len(PROBLEMS)
    for problem in PROBLEMS.values():
        assert problem.title
        assert problem.meaning.endswith(".")


def test_an_error_that_nobody_expected_says_nothing_of_the_inside(served, caplog):
    app = create_app(served)

    @app.get("/broken")
    def broken():
        raise RuntimeError("secret")

    environ = {"policygraph.request_id": "r-1", "policygraph.note": {}}
    response = app.test_client().get("/broken", environ_base=environ)
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert response.json["request"] == "r-1"
    assert response.json["type"].endswith("/problems#unforeseen")
    assert environ["policygraph.note"] == {"fault": "unforeseen"}
    for inside in (b"secret", b"Traceback", b"RuntimeError", b".py"):
        assert inside not in response.data
    assert "secret" in caplog.text


def test_an_error_of_the_project_names_no_file(caplog):
    document = problem_document(core.ProjectError("/home/me/data: unreadable"), base="b/")
    assert b"/home" not in document
    assert "/home/me/data" in caplog.text


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
def test_a_status_alone_makes_a_document_too(status):
    problem = json.loads(problem_document(status, base="b/", request_id="r-2"))
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["detail"] == STATUSES[status]
    assert problem["request"] == "r-2"
    assert dict(headers_of(status))["Content-Type"] == "application/problem+json"


def test_who_finds_no_place_is_told_when_to_come_back():
    assert dict(headers_of(core.TooBusy("x")))["Retry-After"] == "5"
    assert "Retry-After" not in dict(headers_of(core.TimedOut("x")))


PLACES = {
    "one line": ("ASK {", 1, 6, "ASK {", 6),
    "the second": ("SELECT ?s\nWHERE { ?s ?p", 2, 14, "WHERE { ?s ?p", 14),
    "Windows": ("SELECT ?s\r\nWHERE {\r\n", 2, 8, "WHERE {", 8),
    "a tab": ("ASK\t{\t)", 1, 7, "ASK\t{\t)", 7),
    "not ASCII": ("ASK { ?s ?p 'é€😀' )", 1, 18, "ASK { ?s ?p 'é€😀' )", 18),
    "a mark that is no end of a line": ("ASK { 'a\u2028b' )", 1, 14, "ASK { 'a\u2028b' )", 14),
    "a long line": (
        "ASK { " + "x" * 500 + ") " + "y" * 500,
        1,
        507,
        "x" * 60 + ") " + "y" * 58,
        61,
    ),
}


@pytest.mark.parametrize(("query", "line", "column", "shown", "caret"), PLACES.values(), ids=PLACES)
def test_the_line_at_fault_is_shown(query, line, column, shown, caret):
    fault = core.QueryFault("x", line=line, column=column)
    problem = json.loads(problem_document(fault, base="b/", query=query))
    assert (problem["line"], problem["column"]) == (line, column)
    assert (problem["source_line"], problem["caret"]) == (shown, caret)


@pytest.mark.parametrize(
    ("headers", "media_type"),
    [
        ({}, "application/problem+json"),
        ({"Accept": "application/json"}, "application/problem+json"),
        ({"Accept": "text/csv"}, "application/problem+json"),
        ({"Accept": "text/html,*/*;q=0.8"}, "text/html"),
    ],
)
def test_programs_get_a_document_and_people_a_page(client, headers, media_type):
    response = client.get("/nothing", headers=headers)
    assert (response.status_code, response.mimetype) == (404, media_type)


def test_a_wrong_method_names_the_right_ones(client):
    response = client.delete("/sparql")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST, QUERY"
    assert json.loads(response.data)["title"] == "Method Not Allowed"
    assert "DELETE is not for this address; it takes " in response.json["detail"]


def test_head_of_an_error_has_no_body(client):
    response = client.head("/nothing")
    assert (response.status_code, response.data) == (404, b"")


def test_what_is_at_no_address_is_said_and_leads_on(client):
    assert "home page" in client.get("/nothing").json["detail"]
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert 'href="/"' in page.text


def test_a_program_that_names_a_format_gets_a_document_even_from_a_browser(client):
    response = client.get("/sparql?query=X&format=csv", headers={"Accept": "text/html"})
    assert response.mimetype == "application/problem+json"
