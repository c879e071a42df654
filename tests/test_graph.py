"""Building: edges follow from statements by their voice, and the default graph is a set."""

from policygraph import build

NAME = "harris-immigration-2024"


def test_reported_and_background_statements_give_edges_in_their_source_graph(store):
    missing = store.select(
        "SELECT ?st { ?st pg:voice ?v ; dcterms:source ?source ;"
        " rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o"
        " FILTER (?v IN (voice:reported, voice:background))"
        " FILTER NOT EXISTS { GRAPH ?source { ?s ?p ?o } } }"
    )
    assert missing == []


def test_framing_gives_no_edge(store):
    rows = store.select(
        "SELECT ?s ?p ?o { ?st pg:voice voice:framing ; rdf:subject ?s ; rdf:predicate ?p ;"
        " rdf:object ?o . GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { ?other rdf:subject ?s ;"
        " rdf:predicate ?p ; rdf:object ?o ; pg:voice ?v FILTER (?v != voice:framing) } }"
    )
    assert rows == []


def test_a_contrast_gives_edges_only_when_an_actor_draws_it(copied, store):
    asked = "SELECT ?one ?other { ?one pg:contrastsWith ?other }"
    assert store.select(asked) == []
    path = copied.source(NAME) / "statements.ttl"
    text = path.read_text()
    start = text.index("a pg:Contrast")
    drawn = text[start:].replace(
        "pg:voice voice:framing", "pg:heldBy actor:kamala-harris ; pg:voice voice:reported", 1
    )
    path.write_text(text[:start] + drawn)
    found = {(row["one"], row["other"]) for row in build(copied).select(asked)}
    assert len(found) == 2
    assert {(other, one) for one, other in found} == found


def test_editorial_groupings_have_a_graph_of_their_own(store):
    counted = "SELECT (COUNT(*) AS ?n)"
    (row,) = store.select(counted + "{ GRAPH graph:editorial { ?a dcterms:hasPart ?b } }")
    (stated,) = store.select(counted + "{ ?st pg:voice voice:editorial }")
    assert str(row["n"]) == str(stated["n"])


def test_a_triple_in_two_graphs_is_one_triple_of_the_default_graph(store):
    (every,) = store.select("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    (once,) = store.select("SELECT (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o }")
    (graphs,) = store.select("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    assert str(every["n"]) == str(once["n"]) == str(len(store))
    assert int(str(graphs["n"])) > len(store)


def test_the_build_is_the_same_each_time(project, store):
    assert build(project).canonical() == store.canonical()
