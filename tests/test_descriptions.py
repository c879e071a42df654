"""What the graph knows of one thing: facts, labels, statements, passages, and where it ends."""

import pytest

from policygraph import build, descriptions
from policygraph.descriptions import describe
from policygraph.facts import known_of
from policygraph.listings import kinds_of_things, listing
from policygraph.namespaces import expand
from policygraph.standing import near_names, standing_of
from policygraph.store import Kind, format_named, write_quads
from policygraph.store.composing import compose
from policygraph.terms import Iri, Literal

JUDGES = "policy:more-immigration-judges"


def _triples(facts):
    return {fact[:3] for fact in facts}


def _added(copied, turtle):
    head = "@prefix dcterms: <http://purl.org/dc/terms/> . @prefix pg: <ns#> .\n"
    head += "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix goal: <id/goal/> .\n"
    head += (
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix policy: <id/policy/> .\n"
    )
    (copied.data / "more.ttl").write_text(head + turtle, encoding="utf-8")
    return build(copied)


def test_it_has_all_triples_from_and_to_the_thing(store):
    iri = expand(JUDGES)
    found = describe(store, iri)
    from_it = store.select(f"SELECT ?p ?o {{ <{iri}> ?p ?o }}")
    to_it = store.select(f"SELECT ?s ?p {{ ?s ?p <{iri}> }}")
    assert {fact[1:3] for fact in found.outgoing} == {(row["p"], row["o"]) for row in from_it}
    assert {fact[:2] for fact in found.incoming} == {(row["s"], row["p"]) for row in to_it}
    assert found.referring == len(found.incoming)


def test_everything_that_it_mentions_has_its_labels(store):
    found = describe(store, expand(JUDGES))
    labelled = store.select("SELECT DISTINCT ?it { ?it skos:prefLabel|rdfs:label ?label }")
    mentioned = {term for fact in found.composed() for term in fact[:3]}
    for iri in {row["it"] for row in labelled} & mentioned:
        assert {label.language for label in found.known.labels(iri)} == {"en", "es"}, iri


def test_of_a_thing_it_has_the_statements_with_voice_holder_and_passage(store):
    found = describe(store, expand(JUDGES))
    assert found.saying == len(found.statements) > 3
    for statement in found.statements:
        assert found.known.values(statement, "pg:voice")
        (passage, *_) = found.known.values(statement, "pg:evidence")
        assert found.known.values(passage, "bibo:section")
        assert found.known.values(passage, "pg:sentenceIndex")
    assert any(found.known.values(each, "pg:heldBy") for each in found.statements)


@pytest.mark.parametrize("kind", ["statement", "passage"])
def test_of_a_statement_and_a_passage_it_has_position_and_digest(store, kind):
    name = {"statement": "statement:harris-immigration-2024/12"}
    iri = expand(name.get(kind, "passage:harris-immigration-2024/2-1-1"))
    known = describe(store, iri).known
    passages = known.values(iri, "pg:evidence") or [iri]
    for passage in passages:
        (selector,) = known.values(passage, "oa:hasSelector")
        assert known.values(selector, "oa:start")
        assert known.values(passage, "schema:sha256")


def test_a_fact_says_which_graph_holds_it(store):
    found = describe(store, expand(JUDGES))
    edges = [fact for fact in found.outgoing if found.is_edge(fact)]
    assert {fact.graph for fact in edges} == {expand("source:harris-immigration-2024")}
    assert {fact.predicate for fact in edges} == {expand("pg:addresses"), expand("pg:hasGoal")}


def test_the_document_says_what_it_is_about_and_under_which_licence(store):
    iri = expand(JUDGES)
    document = iri.replace("/id/", "/doc/")
    own = {fact[1:3] for fact in describe(store, iri).composed() if fact[0] == document}
    assert own == {
        (expand("rdf:type"), expand("foaf:Document")),
        (expand("foaf:primaryTopic"), iri),
        (expand("void:inDataset"), f"{store.base}dataset"),
        (expand("dcterms:license"), "https://creativecommons.org/licenses/by/4.0/"),
    }


def test_a_long_description_ends_and_says_where_the_rest_is(store, monkeypatch):
    monkeypatch.setattr(descriptions, "MOST_INCOMING", 20)
    monkeypatch.setattr(descriptions, "MOST_OUTGOING", 5)
    monkeypatch.setattr(descriptions, "MOST_STATEMENTS", 3)
    found = describe(store, expand("actor:kamala-harris"))
    assert (len(found.incoming), len(found.statements)) == (20, 3)
    (row,) = store.select("SELECT (COUNT(*) AS ?n) { ?s ?p actor:kamala-harris }")
    assert found.referring == int(str(row["n"])) > 20
    assert len(list(store.query(found.all_saying).rows())) == found.saying > 20
    notes = [str(fact[2]) for fact in found.composed() if fact[1] == expand("dcterms:description")]
    assert notes == [
        f"5 of {found.stating} triples with this thing as subject",
        f"20 of {found.referring} triples with this thing as object",
    ]
    rest = [fact[2] for fact in found.composed() if fact[1] == expand("rdfs:seeAlso")]
    assert len(rest) == 2
    assert all(iri.startswith(f"{store.base}sparql?query=CONSTRUCT%20") for iri in rest)


def test_nothing_is_known_of_an_unknown_thing(store):
    found = describe(store, f"{store.base}id/policy/none")
    assert (found.outgoing, found.incoming, found.statements) == ((), (), ())


def test_what_is_composed_is_what_was_read(store):
    quads = store.graph([f"{store.base}graph/reference"])
    found = store.select(
        "SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } FILTER (?g = graph:reference) }"
    )
    again = compose((row["s"], row["p"], row["o"], row["g"]) for row in found)
    nquads = format_named("nq")
    written = write_quads(again, nquads, base=store.base, kind=Kind.DATASET)
    assert written == write_quads(quads, nquads, base=store.base, kind=Kind.DATASET)


def test_many_things_are_known_at_once(store):
    iris = listing(store, "statement").things
    known = known_of(store, iris)
    assert all(known.values(iri, "pg:voice") for iri in iris)


def test_a_name_that_is_known_stands(store):
    standing = standing_of(store, [f"{store.base}id/no/thing", expand(JUDGES)])
    assert (standing.iri, standing.moved, standing.gone) == (expand(JUDGES), None, "")
    assert standing_of(store, [f"{store.base}id/no/thing"]) is None


def test_what_is_only_an_object_is_known(copied):
    store = _added(copied, "policy:more-immigration-judges dcterms:relation goal:only-an-object .")
    assert standing_of(store, [expand("goal:only-an-object")]).gone == ""


def test_replacements_are_followed_to_the_last(copied):
    chain = "policy:a dcterms:isReplacedBy policy:b . policy:b dcterms:isReplacedBy policy:{last} ."
    store = _added(copied, chain.format(last="more-immigration-judges"))
    assert standing_of(store, [expand("policy:a")]).moved == expand(JUDGES)


GONE = {
    "a circle": (
        "policy:a dcterms:isReplacedBy policy:b . policy:b dcterms:isReplacedBy policy:a .",
        "in turn",
    ),
    "itself": ("policy:a dcterms:isReplacedBy policy:a .", "in turn"),
    "two": ("policy:a dcterms:isReplacedBy policy:b, policy:c . policy:b a pg:Policy .", "several"),
    "no reason": ("policy:a owl:deprecated true .", "no reason is on record"),
    "a reason": ('policy:a owl:deprecated true ; skos:changeNote "Twice."@en .', "Twice."),
    "withdrawn": (
        """policy:a dcterms:isReplacedBy policy:b .
        policy:b owl:deprecated true ; dcterms:description "Bad" .""",
        "Bad",
    ),
    "no address": ("policy:a dcterms:isReplacedBy <urn:x:y> .", "no address"),
}


@pytest.mark.parametrize("case", GONE)
def test_what_has_no_one_replacement_is_gone(copied, case):
    turtle, reason = GONE[case]
    standing = standing_of(_added(copied, turtle), [expand("policy:a")])
    assert standing.moved is None
    assert reason in standing.gone


def test_replacements_are_not_followed_for_ever(copied):
    steps = (f"policy:n{n} dcterms:isReplacedBy policy:n{n + 1} ." for n in range(50))
    assert standing_of(_added(copied, "\n".join(steps)), [expand("policy:n0")]).gone


def test_a_reason_comes_in_every_language(copied):
    turtle = 'policy:a owl:deprecated true ; skos:changeNote "Doble."@es, "Twice."@en .'
    reasons = standing_of(_added(copied, turtle), [expand("policy:a")]).reasons
    assert [(reason.value, reason.language) for reason in reasons] == [
        ("Twice.", "en"),
        ("Doble.", "es"),
    ]


@pytest.mark.parametrize(
    "name",
    ["policies/more-immigration-judges", "policy/More_Immigration-judges", "policy/more-judges"],
)
def test_a_wrong_name_has_the_right_one_near(store, name):
    assert expand(JUDGES) in near_names(store, f"{store.base}id/{name}")


def test_an_absurd_name_has_nothing_near(store):
    assert near_names(store, f"{store.base}id/x/yyyyy") == ()
    assert near_names(store, f"{store.base}id/policy/") == ()


def test_things_are_counted_and_listed_by_type(store):
    kinds = kinds_of_things(store)
    assert kinds["policy"] == len(listing(store, "policy").things)
    assert kinds["passage"] == len(listing(store, "passage/harris-immigration-2024").things)
    numbers = [int(iri.rsplit("/")[-1]) for iri in listing(store, "statement").things]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("name", ["none", "policy/none", "statement/none", "none/x"])
def test_there_is_no_list_of_nothing(store, name):
    assert listing(store, name) is None


def test_terms_keep_their_language_and_datatype():
    literal = Literal("x", expand("rdf:langString"), "es")
    quads = compose([(Iri("http://a/"), Iri("http://b/"), literal, None)])
    assert quads.to_ntriples() == b'<http://a/> <http://b/> "x"@es .\n'
