"""A store on disk answers as the one in memory does, and is there whole or not at all."""

import pytest

from policygraph import ProjectError, Store, questions
from policygraph.store import Kind, disk, format_named, write_disk_store
from policygraph.terms import Iri

SOME = "id/source/harris-immigration-2024"


@pytest.fixture(scope="module")
def dump(store, tmp_path_factory):
    """Return the real graph as a file of N-Quads."""
    path = tmp_path_factory.mktemp("dump") / "policygraph.nq"
    path.write_bytes(store.canonical())
    return path


@pytest.fixture(scope="module")
def on_disk(dump, tmp_path_factory):
    """Return the real graph as a store on disk."""
    folder = tmp_path_factory.mktemp("disk") / "store"
    write_disk_store(dump, folder)
    return Store.open(folder)


def _answer(store, query):
    answer = store.query(query.text)
    if answer.kind is Kind.GRAPH:
        return sorted(answer.write(format_named("nt")).splitlines())
    return sorted(answer.write(format_named("tsv")).splitlines())


def test_it_answers_every_question_as_memory_does(project, store, on_disk):
    asked = questions(project)
    assert len(asked) > 30
    differ = [q.name for q in asked if _answer(on_disk, q) != _answer(store, q)]
    assert differ == []


def test_it_holds_the_same_graphs_and_their_union(store, on_disk):
    assert on_disk.graph_names() == store.graph_names()
    assert on_disk.canonical() == store.canonical()
    assert len(on_disk) == len(store)


def test_a_file_is_opened_in_memory_with_its_union(dump, store):
    opened = Store.open(dump)
    assert opened.canonical() == store.canonical()
    assert len(opened) == len(store)


def test_a_triple_in_many_graphs_is_there_once(tmp_path):
    path = tmp_path / "two.nq"
    path.write_text("<urn:a> <urn:b> <urn:c> <urn:g> .\n<urn:a> <urn:b> <urn:c> <urn:h> .\n")
    write_disk_store(path, tmp_path / "store")
    for place in (path, tmp_path / "store"):
        store = Store.open(place)
        assert len(store) == 1
        assert [len(store.graph([name])) for name in store.graph_names()] == [1, 1]


def test_it_is_the_same_however_few_are_sorted_at_once(dump, on_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "_AT_ONCE", 997)
    write_disk_store(dump, tmp_path / "store")
    assert Store.open(tmp_path / "store").canonical() == on_disk.canonical()


def test_it_is_read_by_several_at_once_and_changed_by_none(dump, store, tmp_path):
    write_disk_store(dump, tmp_path / "store")
    one, other = Store.open(tmp_path / "store"), Store.open(tmp_path / "store")
    with pytest.raises(RuntimeError):
        one.update("INSERT DATA { <urn:a> <urn:b> <urn:c> }")
    assert one.canonical() == other.canonical() == store.canonical()


def test_it_can_be_moved(dump, store, tmp_path):
    write_disk_store(dump, tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "moved")
    assert len(Store.open(tmp_path / "moved")) == len(store)


def test_a_dump_that_ends_too_early_leaves_nothing(dump, tmp_path):
    path = tmp_path / "cut.nq"
    path.write_bytes(dump.read_bytes()[:-40])
    with pytest.raises(ProjectError, match=r"cut\.nq: no N-Quads"):
        write_disk_store(path, tmp_path / "place" / "store")
    assert list((tmp_path / "place").iterdir()) == []


@pytest.mark.parametrize("name", ["missing.nq", "empty-folder", "words.nq"])
def test_what_is_no_graph_is_named(tmp_path, name):
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "words.nq").write_text("no quads\n")
    with pytest.raises(ProjectError, match=name):
        Store.open(tmp_path / name)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_what_is_said_of_a_thing_and_what_mentions_it(project, store, on_disk, kind):
    asked = on_disk if kind == "disk" else store
    iri = project.iri(SOME)
    said = store.select(f"SELECT ?p ?o {{ <{iri}> ?p ?o }}")
    by = store.select(f"SELECT ?s ?p {{ ?s ?p <{iri}> }}")
    assert len(asked.about(iri)) == len(said) > 5
    assert len(asked.mentions(iri, 10**6)) == len(by) > 50
    assert len(asked.mentions(iri, 3)) == 3
    assert set(asked.about(iri).items) == set(store.about(iri).items)


def test_labels_of_many_things_are_found_at_once(project, on_disk):
    label = "http://www.w3.org/2004/02/skos/core#prefLabel"
    rows = on_disk.select("SELECT ?s ?label { ?s a pg:Goal ; skos:prefLabel ?label }")
    things = [row["s"] for row in rows] + [Iri("no IRI")]
    found = on_disk.outgoing_many(things, [label])
    assert sorted(quad.object.value for quad in found.items) == sorted(
        str(r["label"]) for r in rows
    )


@pytest.mark.parametrize("name", ["", "no IRI", "http://example.org/%zz"])
def test_nothing_is_said_of_what_is_no_iri(store, name):
    assert len(store.about(name) + store.mentions(name, 5)) == 0
