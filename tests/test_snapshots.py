"""What is served was checked; what was checked before is not checked again, and nothing is half."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from policygraph import (
    CheckFailed,
    ProjectError,
    create_project,
    open_project,
    questions,
    snapshots,
)
from policygraph.checks import verdict
from policygraph.release import CHECKSUMS
from policygraph.release.dumps import DUMPS, TERMS
from policygraph.release.metadata import DESCRIPTIONS
from policygraph.snapshots import open_snapshot, snapshot_id, take_snapshot
from policygraph.snapshots.place import KEPT, cache

TAKE = """
import os, signal, sys
from pathlib import Path
from policygraph import open_project, snapshots
def killed(_):
    os.kill(os.getpid(), signal.SIGKILL)
if "kill" in sys.argv:
    snapshots.write_about = killed
taken = snapshots.take_snapshot(open_project(Path(sys.argv[1])))
print(taken.folder, taken.made, taken.open_store().graph_names() != [], sep="\\n")
print(sorted({"rdflib", "pyshacl", "pyld"} & set(sys.modules)))
"""

SPOILED = {
    "nonsense": lambda about, _: about.write_bytes(b"\xff\xfe nonsense"),
    "other json": lambda about, _: about.write_text("[1]"),
    "a folder": lambda about, _: (about.unlink(), about.mkdir()),
    "missing": lambda about, _: about.unlink(),
    "a dump cut short": lambda _, dump: dump.write_bytes(dump.read_bytes()[:-1]),
    "a dump lost": lambda _, dump: dump.unlink(),
}
"""Ways in which a snapshot is none: what happened to its description, or to a file of it."""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Return the place of snapshots in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache()


@pytest.fixture
def checks(monkeypatch):
    """Return a list that gets an item for each check that is made."""
    made = []
    original = snapshots.check_subject

    def check_subject(subject):
        made.append(subject)
        return original(subject)

    monkeypatch.setattr(snapshots, "check_subject", check_subject)
    return made


def _start(project, *how):
    """Take a snapshot in a process of its own."""
    command = [sys.executable, "-c", TAKE, str(project.root), *how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _folders(place):
    return {path for path in place.iterdir() if path.is_dir()}


def _edit(project, text):
    (project.data / "more.ttl").write_text(f"# {text}\n")


def test_it_has_all_that_is_served(project, snapshot, store):
    names = {path.name for path in snapshot.dumps.iterdir()}
    assert names == {CHECKSUMS, *DUMPS, *TERMS, *DESCRIPTIONS}
    assert snapshot.context in snapshot.dumps.iterdir()
    asked = [(query.name, query.text) for query in questions(project)]
    assert [(query.name, query.text) for query in snapshot.questions()] == asked
    assert snapshot.open_store().canonical() == store.canonical()


def test_it_says_what_it_is(project, snapshot, store):
    dump = (snapshot.dumps / "policygraph.nq").read_bytes()
    assert snapshot.release == hashlib.sha256(dump).hexdigest()
    assert snapshot.triples == len(store)
    rows = store.select("SELECT DISTINCT ?s { ?s a/rdfs:subClassOf* pg:Statement }")
    assert snapshot.statements == len(rows) > 100
    assert snapshot.base == project.base
    assert snapshot.id in snapshot.folder.name
    assert snapshot.made.utcoffset().total_seconds() == 0
    assert open_snapshot(snapshot.folder) == snapshot


def test_a_state_is_checked_once(empty, checks, place):
    assert take_snapshot(empty) == take_snapshot(empty)
    assert len(checks) == 1
    assert len(_folders(place)) == 1


def test_one_on_disk_is_another_and_is_kept_as_well(empty, checks):
    memory, disk = take_snapshot(empty), take_snapshot(empty, on_disk=True)
    assert (memory.graph.is_dir(), disk.graph.is_dir()) == (False, True)
    assert disk.open_store().canonical() == memory.open_store().canonical()
    assert take_snapshot(empty, on_disk=True) == disk
    assert len(checks) == 2


@pytest.mark.parametrize("folder", ["data", "ontology", "queries", "violation_queries"])
def test_any_change_of_its_files_is_another_state(copied, folder):
    before = snapshot_id(copied)
    path = next(path for path in sorted(getattr(copied, folder).iterdir()) if path.is_file())
    path.write_text(path.read_text() + "\n")
    changed = snapshot_id(copied)
    assert changed != before
    path.unlink()
    assert snapshot_id(copied) not in {before, changed}


def test_files_that_cannot_be_read_are_another_state(empty, monkeypatch):
    def unreadable(_):
        raise PermissionError

    before = snapshot_id(empty)
    monkeypatch.setattr("pathlib.Path.read_bytes", unreadable)
    assert snapshot_id(empty) != before


def test_any_change_of_this_program_is_another_state(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(verdict, "_PACKAGE", tmp_path / "package")
    states = set()
    for name in ("rule.py", "web/templates/page.html", "web/static/style.css"):
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for text in ("one", "two"):
            path.write_text(text)
            states.add(snapshot_id(empty))
    assert len(states) == 6


def test_a_changed_project_is_checked_and_served_as_it_is_now(empty, checks):
    before = take_snapshot(empty)
    (empty.data / "more.ttl").write_text("<dataset> <http://purl.org/dc/terms/title> 'New' .")
    after = take_snapshot(empty)
    assert len(checks) == 2
    assert b'"New"' in after.open_store().canonical()
    assert b'"New"' not in before.open_store().canonical()
    assert before.folder.exists()


def test_another_base_is_checked_and_has_its_own(empty, checks):
    take_snapshot(empty)
    moved = take_snapshot(open_project(empty.root, "https://example.org/g/"))
    assert len(checks) == 2
    assert "https://example.org/g/" in moved.open_store().graph_names()[0]
    assert "https://example.org/g/" in moved.questions()[0].text


def test_a_violation_is_refused_each_time_and_its_findings_are_printed(copied, place, capsys):
    path = copied.source("harris-immigration-2024") / "statements.ttl"
    path.write_text(path.read_text().replace("    pg:evidence p:0-1 ;\n", "", 1))
    for _ in range(2):
        with pytest.raises(CheckFailed, match=r"1 violation, .*this is not served"):
            take_snapshot(copied)
        assert "statements.ttl:" in capsys.readouterr().err
    assert _folders(place) == set()


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_one_that_is_not_whole_is_made_anew(empty, checks, spoil):
    taken = take_snapshot(empty)
    spoil(taken.folder / "about.json", taken.dumps / "policygraph.nq")
    with pytest.raises(ProjectError, match="no snapshot that is whole") as caught:
        open_snapshot(taken.folder)
    assert "\n" not in str(caught.value)
    again = take_snapshot(empty)
    assert (again.folder, again.id, again.release) == (taken.folder, taken.id, taken.release)
    assert len(checks) == 2
    assert open_snapshot(taken.folder) == again


def test_a_cache_that_cannot_be_written_is_done_without(empty, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    process = _start(empty)
    told, complaint = process.communicate(timeout=60)
    folder, _, is_there, *_ = told.splitlines()
    assert (process.returncode, complaint, is_there) == (0, "", "True")
    assert not Path(folder).parent.exists()


def test_a_named_place_that_cannot_be_written_is_refused(empty, checks, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match="file/here: cannot be written"):
        take_snapshot(empty, place=tmp_path / "file" / "here")
    assert checks == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_one_in_a_cache_that_can_only_be_read_is_used(empty, checks, place):
    taken = take_snapshot(empty)
    place.chmod(0o555)
    taken.folder.chmod(0o555)
    assert take_snapshot(empty) == taken
    taken.folder.chmod(0o755)
    place.chmod(0o755)
    assert len(checks) == 1


def test_files_that_change_while_they_are_read_are_read_again(empty, checks, monkeypatch):
    original = snapshots.subject_of

    def subject_of(project):
        subject = original(project)
        if not checks:
            _edit(project, "changed meanwhile")
        return subject

    monkeypatch.setattr(snapshots, "subject_of", subject_of)
    taken = take_snapshot(empty)
    assert len(checks) == 2
    assert taken.id == snapshot_id(empty)
    assert take_snapshot(empty) == taken
    assert len(checks) == 2


def test_files_that_never_rest_are_not_served(empty, checks, place, monkeypatch):
    original = snapshots.subject_of

    def subject_of(project):
        _edit(project, f"changed {len(checks)} times")
        return original(project)

    monkeypatch.setattr(snapshots, "subject_of", subject_of)
    with pytest.raises(ProjectError, match="change while they are read"):
        take_snapshot(empty)
    assert _folders(place) == set()


def test_killed_half_way_it_leaves_nothing_that_is_taken_for_whole(empty, place):
    process = _start(empty, "kill")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (part,) = _folders(place)
    assert (part / "dumps" / CHECKSUMS).exists()
    with pytest.raises(ProjectError):
        open_snapshot(part)
    assert _folders(place) == {part}
    assert {take_snapshot(empty).folder} == _folders(place)


def test_two_at_once_make_one(empty, place):
    processes = [_start(empty), _start(empty)]
    told = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert told[0][:3] == told[1][:3]
    assert {Path(told[0][0])} == _folders(place)


def test_what_makes_the_check_slow_is_not_loaded_when_it_is_not_made(empty):
    take_snapshot(empty)
    told, _ = _start(empty).communicate(timeout=60)
    assert told.splitlines()[-1] == "[]"


def test_old_ones_are_removed_but_not_those_that_are_held_or_of_another(empty, place, tmp_path):
    other = take_snapshot(create_project(tmp_path / "other"))
    held = take_snapshot(empty)
    taken = [held]
    with held.hold():
        for text in ("one", "two", "three"):
            _edit(empty, text)
            taken.append(take_snapshot(empty))
        assert _folders(place) == {one.folder for one in (other, held, *taken[-KEPT:])}
        assert open_snapshot(held.folder) == held
    _edit(empty, "four")
    taken.append(take_snapshot(empty))
    assert _folders(place) == {one.folder for one in (other, *taken[-KEPT:])}
    with pytest.raises(ProjectError, match="no snapshot that is whole"):
        held.hold()


def test_one_that_is_used_again_counts_as_new(empty, place):
    first = take_snapshot(empty)
    _edit(empty, "one")
    second = take_snapshot(empty)
    (empty.data / "more.ttl").unlink()
    assert take_snapshot(empty) == first
    _edit(empty, "two")
    third = take_snapshot(empty)
    assert second.folder not in _folders(place) == {first.folder, third.folder}


def test_what_it_says_of_itself_can_be_read_by_others(snapshot):
    about = json.loads((snapshot.folder / "about.json").read_text())
    assert about["release"] == snapshot.release
    assert about["files"]["dumps/policygraph.nq"] == snapshot.graph.stat().st_size
