"""The home page: with data, without, and with a question that cannot be asked."""

import re
from dataclasses import replace

import pytest

from policygraph import build, find_query, open_project, questions
from policygraph.web import create_app

ROW = re.compile(r"<tr>.*?</tr>")


@pytest.fixture
def home(served):
    """Return a function that gives the home page of a project, whether it would pass a check."""

    def of(project):
        snapshot = replace(served.snapshot, base=project.base)
        asked = tuple(questions(project))
        shown = replace(served, snapshot=snapshot, store=build(project), questions=asked)
        return create_app(shown).test_client().get("/").text

    return of


def test_it_answers_the_questions_that_are_tagged(client, project, store):
    page = client.get("/").text
    names = ("contrasts", "framing-of-each-side", "measures-for-one-group")
    for question in (find_query(project, name) for name in names):
        assert question.summary in page
        rows = list(store.query(question.text).rows())
        assert rows
    assert page.count("<table>") == 3


def test_every_row_says_where_it_is_said(client):
    page = client.get("/").text
    rows = [row for row in ROW.findall(page) if "<td" in row]
    assert len(rows) > 10
    for row in rows:
        assert re.search(r">section\xa0[\d.]+, (sentence\xa0\d+|heading)</a>", row), row


def test_it_names_things_in_words(client):
    page = re.sub(r"<pre>.*?</pre>|href=\"[^\"]*\"", "", client.get("/").text, flags=re.DOTALL)
    assert "Kamala Harris" in page
    assert "Drawn by" in page
    assert "w3id.org" not in page


def test_it_names_the_licence_and_counts(client, store):
    page = client.get("/").text
    assert "CC BY 4.0" in page
    (row,) = store.select(
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s a/rdfs:subClassOf* pg:Statement }"
    )
    assert f"<dt>statements</dt><dd>{row['n']}</dd>" in page


def test_it_holds_up_without_data(empty, home):
    page = home(empty)
    assert "No text has been read into this project yet" in page
    assert page.count("No statement found") == 3


def test_it_holds_up_without_a_question(empty, home):
    for path in empty.queries.glob("*.rq"):
        path.unlink()
    assert "No question has the tag" in home(empty)


def test_a_question_that_cannot_be_asked_does_not_take_the_page_with_it(copied, home):
    (copied.queries / "broken.rq").write_text("#+ summary: Broken?\n#+ tags: home\nSELECT")
    page = home(copied)
    assert "This question cannot be asked: line 3" in page
    assert page.count("<table>") == 3


def test_a_new_question_appears_by_its_tag_alone(copied, home):
    (copied.queries / "new.rq").write_text(
        "#+ summary: How many?\n#+ tags: home\nSELECT (COUNT(*) AS ?howMany) { ?s ?p ?o }"
    )
    assert '<th scope="col">How many</th>' in home(copied)


def test_another_base_changes_nothing_but_iris(copied, home):
    page = home(open_project(copied.root, "https://example.org/g/"))
    assert page.count("<table>") == 3
    assert "https://example.org/g/ns#" in page
    assert "w3id.org" not in page


def test_a_row_names_its_source_where_there_are_several(copied, home):
    statements = copied.source("harris-immigration-2024") / "statements.ttl"
    other = copied.data / "sources" / "other"
    other.mkdir()
    (other / "source.ttl").write_text(
        "@prefix pg: <ns#> . <id/source/other> a pg:Source ; "
        '<http://www.w3.org/2004/02/skos/core#prefLabel> "Another text"@en .'
    )
    text = statements.read_text().replace("source:harris-immigration-2024 ;", "source:other ;", 20)
    statements.write_text(text)
    page = home(copied)
    assert "Another text, section\xa00, sentence\xa01" in page


def test_it_leads_programs_to_the_descriptions(client):
    links = client.get("/").headers["Link"]
    for target, relation in {
        "/void": "describedby",
        "/dcat": "describedby",
        "/sparql": "service-desc",
    }.items():
        assert f'<{target}>; rel="{relation}"' in links
        assert client.get(target).mimetype == "text/turtle"
