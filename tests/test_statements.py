"""A statement in words, and its passage in the text."""

import pytest

from policygraph import SourceTextError, UnknownThing, read_text, statement_named
from policygraph.statements import passage_in_text

NAME = "harris-immigration-2024"


def test_a_statement_reads_as_a_sentence(project, store):
    found = statement_named(project, store, f"{NAME}/1")
    assert found.said == (
        "Kamala Harris — advocates — Immigration approach ascribed to Kamala Harris by the source"
    )
    assert found.attribution() == "Reported, held by Kamala Harris (verb: champions)"
    assert [passage.position for passage in found.passages] == ["section 0, sentence 1"]


def test_a_contrast_names_both_sides_and_the_dimension(project, store):
    rows = store.select("SELECT ?c { ?c a pg:Contrast ; pg:dimension dimension:access-to-asylum }")
    found = statement_named(project, store, str(rows[0]["c"]))
    assert " ↔ " in found.said
    assert found.said.endswith("on: Access to asylum")


@pytest.mark.parametrize(
    "form", ["{}/1", "statement:{}/1", "https://w3id.org/policygraph/id/statement/{}/1"]
)
def test_a_statement_is_named_in_three_ways(project, store, form):
    assert statement_named(project, store, form.format(NAME)).source == NAME


@pytest.mark.parametrize("name", ["nothing/1", "a> . ?s ?p ?o", "x y"])
def test_a_statement_that_is_not_there_is_named(project, store, name):
    with pytest.raises(UnknownThing, match=name[:3]):
        statement_named(project, store, name)


def test_the_passage_is_found_in_the_text(project, store, sources):
    text = read_text(sources / f"{NAME}.txt")
    found = statement_named(project, store, f"{NAME}/1")
    before, words, after = passage_in_text(found.passages[0], text)
    assert before == ""
    assert words.endswith("Donald Trump.")
    assert after.startswith(" Harris")


def test_an_edited_text_is_refused(project, store, sources, tmp_path):
    edited = tmp_path / "a.txt"
    edited.write_text("x" + (sources / f"{NAME}.txt").read_text())
    found = statement_named(project, store, f"{NAME}/1")
    with pytest.raises(SourceTextError, match="not the one described"):
        passage_in_text(found.passages[0], read_text(edited))
