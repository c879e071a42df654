"""One table says which error has which status; and nothing of the inside comes out."""

import json

import pytest

from policygraph import errors as core
from policygraph.web import create_app, faults
from policygraph.web.errors import PROBLEMS, problem_of


def _errors_of(module):
    classes = (value for value in vars(module).values() if isinstance(value, type))
    own = (class_ for class_ in classes if class_.__module__ == module.__name__)
    return [class_ for class_ in own if not class_.__name__.startswith("_")]


def _made(class_):
    return class_("x", ()) if class_ is faults.NotAcceptable else class_("x")


@pytest.mark.parametrize("class_", _errors_of(faults), ids=lambda class_: class_.__name__)
def test_every_error_of_a_request_has_a_row(class_):
    assert class_ in PROBLEMS
    assert 400 <= PROBLEMS[class_].status < 500


@pytest.mark.parametrize("class_", _errors_of(core), ids=lambda class_: class_.__name__)
def test_every_error_has_a_status(class_):
    assert problem_of(_made(class_)).status >= 400


def test_an_error_that_nobody_expected_says_nothing_of_the_inside(project, store, pool):
    app = create_app(project, store, pool)

    @app.get("/broken")
    def broken():
        raise RuntimeError("secret")

    response = app.test_client().get("/broken")
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert b"secret" not in response.data
    assert b"Traceback" not in response.data


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
    assert "POST" in response.headers["Allow"]
    assert json.loads(response.data)["title"] == "Method Not Allowed"


def test_a_program_that_names_a_format_gets_a_document_even_from_a_browser(client):
    response = client.get("/sparql?query=X&format=csv", headers={"Accept": "text/html"})
    assert response.mimetype == "application/problem+json"
