"""Workers: a query from outside is answered or clearly refused, and the next one is answered."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from policygraph import build, open_project
from policygraph.errors import (
    AnswerTooLarge,
    ClientGone,
    OutOfMemory,
    PolicygraphError,
    QueryFault,
    TimedOut,
    TooBusy,
    TooManyFromOne,
)
from policygraph.store import format_named
from policygraph.workers import Limits, Task, pool_over

MEBIBYTE = 1024 * 1024
LIMITS = Limits(
    seconds=1.5, memory=256 * MEBIBYTE, result=MEBIBYTE // 2, running=2, per_client=1, patience=0.2
)
FORMATS = {"rows": "json", "boolean": "json", "graph": "nt"}
ANYTHING = "ASK { ?s ?p ?o }"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
TINY = "<http://x.example/s> <http://x.example/p> <http://x.example/o> <http://x.example/g> .\n"

HOSTILE = {
    "product": ENDLESS,
    "sorted product": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?f ?c",
    "distinct product": "SELECT DISTINCT * { ?a ?b ?c . ?d ?e ?f }",
    "doubling string": "SELECT ?z { BIND ('xxxxxxxxxx' AS ?a) "
    + " ".join(f"BIND (CONCAT(?{x}, ?{x}) AS ?{y})" for x, y in zip("abcdefghijklmnopqrstuvwxy",
                                                                   "bcdefghijklmnopqrstuvwxyz",
                                                                   strict=True))
    + " BIND (CONCAT(?z, ?z) AS ?z1) BIND (CONCAT(?z1, ?z1) AS ?z2) ?s ?p ?o }",
    "path closure": "SELECT (COUNT(*) AS ?n) { ?a (!<x:y>|^!<x:y>)* ?b . ?c (!<x:y>)+ ?d }",
    "nested exists": "ASK { " + "FILTER EXISTS { " * 5000 + "?s ?p ?o" + " }" * 5000 + " }",
    "nested brackets": "ASK { FILTER (" + "(" * 50000 + "1" + ")" * 50000 + ") }",
    "nested groups": "ASK " + "{" * 50000 + "}" * 50000,
    "nested optionals": "ASK { " + "OPTIONAL { " * 20000 + "}" * 20000 + " }",
    "chain of sums": "ASK { FILTER (1" + " + 1" * 50000 + " > 0) }",
    "chain of unions": "ASK { {}" + " UNION {}" * 50000 + " }",
    "huge literal": "ASK { ?s ?p '" + "x" * 900_000 + "' }",
    "cut off": "SELECT * { ?s ?p",
    "control characters": "ASK { ?s ?p '\x00\x01' }",
}  # fmt: skip


@pytest.fixture(scope="module")
def pool(store):
    with pool_over(store, LIMITS) as pool:
        yield pool


def _ask(pool, query, **options):
    return pool.run(Task(query, FORMATS, LIMITS.result), **options)


@pytest.mark.parametrize("name", HOSTILE)
def test_after_a_hostile_query_the_next_one_is_answered_at_once(pool, name):
    start = time.monotonic()
    try:
        _ask(pool, HOSTILE[name])
    except PolicygraphError as error:
        assert str(error)  # noqa: PT017 - a query may also be answered, which is as good
    assert time.monotonic() - start < LIMITS.seconds + 5
    start = time.monotonic()
    assert b"true" in _ask(pool, ANYTHING).body
    assert time.monotonic() - start < LIMITS.seconds + 5


def test_the_answer_is_the_engine_s_own(pool, store):
    query = "SELECT ?s ?o { ?s <http://www.w3.org/2004/02/skos/core#prefLabel> ?o } ORDER BY ?s ?o"
    assert _ask(pool, query).body == store.query(query).write(format_named("json"))


def test_the_graphs_of_the_protocol_are_all_that_is_seen(pool, store):
    graph = "https://w3id.org/policygraph/graph/reference"
    count = (
        "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?g) AS ?m) { { ?s ?p ?o } UNION { GRAPH ?g {} } }"
    )
    seen = pool.run(Task(count, {"rows": "csv"}, LIMITS.result, default_graphs=(graph,)))
    (row,) = store.select(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    assert seen.body.split()[1] == f"{row['n']},0".encode()


def test_a_worker_knows_the_project_s_base(copied):
    base = "https://example.org/g/"
    query = f"DESCRIBE <{base}id/actor/kamala-harris>"
    with pool_over(build(open_project(copied.root, base)), LIMITS) as pool:
        reply = pool.run(Task(query, {"graph": "ttl"}, LIMITS.result))
    assert f"@prefix actor: <{base}id/actor/> .".encode() in reply.body


def test_a_client_may_ask_for_less_time(pool):
    with pytest.raises(TimedOut, match=r"0\.2 seconds"):
        _ask(pool, ENDLESS, seconds=0.2)


def test_more_memory_than_allowed_is_refused(pool):
    with pytest.raises(OutOfMemory, match="256 MiB"):
        _ask(pool, HOSTILE["sorted product"])


def test_a_longer_answer_than_allowed_is_refused(pool):
    with pytest.raises(AnswerTooLarge, match="524,288 bytes"):
        _ask(pool, "SELECT * { ?s ?p ?o }")


def test_a_fault_of_the_query_has_its_place(pool):
    with pytest.raises(QueryFault) as caught:
        _ask(pool, "ASK {\n  ?s ?p \n")
    assert caught.value.line == 3


def test_only_the_rows_that_are_wanted_are_written(pool):
    query = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } "  # more than can be evaluated in time
    reply = pool.run(Task(query, {"rows": "json"}, LIMITS.result, most_rows=3))
    assert (len(json.loads(reply.body)["results"]["bindings"]), reply.has_more) == (3, True)
    reply = pool.run(Task(query + "LIMIT 3", {"rows": "csv"}, LIMITS.result, most_rows=3))
    assert (len(reply.body.splitlines()), reply.has_more) == (4, False)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * {}",
        "SELECT ?x { FILTER (false) }",
        r"""SELECT ?x ?y { VALUES (?x ?y) { (1.50 UNDEF) (UNDEF 'a\t\n\"b'@en) (<a:b> '\\') } }""",
        "SELECT (TRIPLE(<a:a>, <a:b>, TRIPLE(<a:a>, <a:b>, 'c'@en)) AS ?t) {}",
    ],
)
@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_the_first_rows_are_as_in_the_whole(store, query, name):
    first, has_more = store.query(query).first(10)
    assert first.write(format_named(name)) == store.query(query).write(format_named(name))
    assert not has_more


def test_json_ld_is_compacted_where_there_is_a_context(store, project):
    query = "DESCRIBE <https://w3id.org/policygraph/id/actor/kamala-harris>"
    with pool_over(store, LIMITS, context=project.context) as pool:
        reply = pool.run(Task(query, {"graph": "jsonld"}, LIMITS.result))
    document = json.loads(reply.body)
    assert document["@context"]
    assert b"http://www.w3.org/2004/02/skos/core#prefLabel" not in reply.body.split(b'"@graph"')[1]


def test_a_light_query_finds_a_place_or_is_told_to_come_back(pool):
    with ThreadPoolExecutor(8) as many:
        heavy = [many.submit(_ask, pool, ENDLESS) for _ in range(8)]
        faults = {type(future.exception()) for future in heavy}
    assert faults == {TimedOut, TooBusy}
    assert b"true" in _ask(pool, ANYTHING).body


def test_beside_many_heavy_queries_of_one_client_another_is_answered(store):
    limits = replace(LIMITS, seconds=30, patience=0.5, waiting=64)
    with pool_over(store, limits) as pool, ThreadPoolExecutor(32) as many:
        start = threading.Barrier(33)

        def heavy():
            start.wait()
            _ask(pool, ENDLESS, client="heavy", seconds=2)

        running = [many.submit(heavy) for _ in range(32)]
        start.wait()
        for _ in range(20):
            assert b"true" in _ask(pool, ANYTHING, client="light").body
        faults = [type(future.exception()) for future in running]
    assert set(faults) == {TimedOut, TooManyFromOne}


def test_the_oldest_query_makes_room_for_a_client_without_any(store):
    limits = replace(LIMITS, seconds=60, patience=30, assured=0.2)
    with pool_over(store, limits) as pool, ThreadPoolExecutor(2) as many:
        runs = threading.Event()
        oldest = many.submit(_ask, pool, ENDLESS, client="a", is_gone=runs.set)
        assert runs.wait(20)
        runs.clear()
        newer = many.submit(_ask, pool, ENDLESS, client="b", seconds=5, is_gone=runs.set)
        assert runs.wait(20)
        assert b"true" in _ask(pool, ANYTHING, client="c").body  # on trial, it needs no place
        assert not oldest.done()
        with pytest.raises(TimedOut):
            _ask(pool, ENDLESS, client="c", seconds=1)
        with pytest.raises(TooBusy, match=r"ended after [\d.]+ seconds to make room for others"):
            oldest.result()
        assert isinstance(newer.exception(), TimedOut)


def test_the_query_of_a_client_who_left_is_ended(store):
    with pool_over(store, replace(LIMITS, seconds=60)) as pool:
        with pytest.raises(ClientGone):
            _ask(pool, ENDLESS, is_gone=lambda: True)
        assert b"true" in _ask(pool, ANYTHING).body
