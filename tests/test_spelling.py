"""A slip in a query is told from a question without an answer."""

import pytest

from policygraph.catalogue import questions
from policygraph.spelling import unknown_names

NS = "https://w3id.org/policygraph/ns#"
HEAD = f"PREFIX pg: <{NS}>\n"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (HEAD + "SELECT * { ?m a pg:Polcy }", [NS + "Polcy"]),
        (HEAD + "SELECT * { ?m pg:hasgoal ?g }", [NS + "hasgoal"]),
        ("SELECT * { ?m a <http://w3id.org/policygraph/ns#Policy> }",
         ["http://w3id.org/policygraph/ns#Policy"]),
        (HEAD + "SELECT * { ?m a pg:Policy # pg:Polcy\n ; ?p 'pg:Polcy' }", []),
        (HEAD + "SELECT * { ?m a <http://elsewhere.example/Polcy> }", []),
        (HEAD + "SELECT * { ?m a pg:a\\,b }", [NS + "a,b"]),
        ("SELECT * { GRAPH <https://w3id.org/policygraph/graph/editorial> { ?s ?p ?o } }", []),
    ],
    ids=["class", "property", "http", "comment and string", "elsewhere", "escaped", "graph"],
)  # fmt: skip
def test_only_names_of_our_own_that_are_not_there_are_told(store, query, expected):
    assert unknown_names(store, query) == expected


def test_no_question_has_a_slip(project, store):
    slips = {q.name: unknown_names(store, q.text) for q in questions(project)}
    # An edge that no source gives rise to yet may be asked for all the same.
    assert {name for name, iris in slips.items() if iris} == set()


def test_the_command_tells_it(run):
    done = run("query", "-", stdin=HEAD + "SELECT ?m { ?m a pg:Polcy }")
    assert (done.returncode, done.stdout) == (0, "m\n")
    assert "Polcy is not in the graph" in done.stderr
