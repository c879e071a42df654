"""The line of a node is found in Turtle as people write it."""

from policygraph.locations import lines_of

BASE = "https://example.org/"
TURTLE = '''# a comment with a:name .
@prefix a: <id/a/> .
PREFIX b: <http://b.example/>
a:one a b:Thing ; b:note """a long
text . with a:none . in it""", "x . a:no ." .

<rel> b:p [ b:q a:inner . ] , ( a:two ) .
a:2-1 b:p 1.5 , 2 .
a:one b:again true .
b:with\\,comma b:p "é"@en .
'''


def test_each_subject_has_the_line_it_is_first_described_on():
    assert lines_of(TURTLE, BASE) == {
        "https://example.org/id/a/one": 4,
        "https://example.org/rel": 7,
        "https://example.org/id/a/2-1": 8,
        "http://b.example/with,comma": 10,
    }


def test_every_subject_of_the_project_is_found(project, store):
    found = set()
    for _, paths in project.graphs():
        for path in paths:
            found |= set(lines_of(path.read_text(), project.base))
    names = ", ".join(f"<{name}>" for name, _ in project.graphs())
    rows = store.select(
        f"SELECT DISTINCT ?s {{ GRAPH ?g {{ ?s ?p ?o }} FILTER (?g IN ({names})) }}"
    )
    assert {str(row["s"]) for row in rows} == found
