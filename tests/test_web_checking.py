"""What is served was checked; what was checked before is not checked again."""

import subprocess
import sys

import pytest

from policygraph import CheckFailed, open_project
from policygraph.checks import verdict
from policygraph.web import checking


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return a cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def checks(monkeypatch):
    """Return a list that gets an item for each check that is made."""
    made = []
    original = checking.check_subject

    def check_subject(subject):
        made.append(subject)
        return original(subject)

    monkeypatch.setattr(checking, "check_subject", check_subject)
    return made


def _break(project):
    path = project.source("harris-immigration-2024") / "statements.ttl"
    path.write_text(path.read_text().replace("    pg:evidence p:0-1 ;\n", "", 1))


def test_a_state_is_checked_once(copied, checks):
    assert len(checking.checked_store(copied)) == len(checking.checked_store(copied))
    assert len(checks) == 1


@pytest.mark.parametrize("folder", ["data", "ontology", "violation_queries"])
def test_any_change_of_its_files_is_checked(copied, checks, folder):
    checking.checked_store(copied)
    path = next(path for path in sorted(getattr(copied, folder).iterdir()) if path.is_file())
    path.write_text(path.read_text() + "\n")
    checking.checked_store(copied)
    assert len(checks) == 2


def test_another_base_is_checked(copied, checks):
    checking.checked_store(copied)
    checking.checked_store(open_project(copied.root, "https://example.org/g/"))
    assert len(checks) == 2


def test_a_violation_is_refused_each_time_and_its_findings_are_printed(copied, checks, capsys):
    checking.checked_store(copied)
    _break(copied)
    for _ in range(2):
        with pytest.raises(CheckFailed, match="nothing is served"):
            checking.checked_store(copied)
    assert "statements.ttl:" in capsys.readouterr().err
    assert len(checks) == 3


@pytest.mark.parametrize("how", ["unreadable", "not writable", "nonsense"])
def test_a_cache_that_is_none_changes_nothing_but_the_time(copied, checks, cache, how):
    if how == "not writable":
        cache.write_text("a file where a folder should be")
    else:
        checking.checked_store(copied)
        (place,) = (cache / "policygraph" / "verdicts").iterdir()
        if how == "unreadable":
            place.unlink()
            place.mkdir()
        else:
            place.write_bytes(b"\xff\xfe nonsense")
    before = len(checks)
    checking.checked_store(copied)
    assert len(checks) == before + 1


def test_files_that_cannot_be_read_are_in_no_known_state(copied, monkeypatch):
    def unreadable(_):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.read_bytes", unreadable)
    state = verdict.state_of(copied)
    assert state == ""
    verdict.remember(copied, state)
    assert not verdict.is_known_to_conform(copied, state)


def test_a_file_that_changes_while_it_is_read_is_not_remembered(copied, checks, monkeypatch):
    original = checking.subject_of

    def subject_of(project):
        subject = original(project)
        path = project.data / "actors.ttl"
        path.write_text(path.read_text() + "\n")
        return subject

    checking.checked_store(copied)
    monkeypatch.setattr(checking, "subject_of", subject_of)
    checking.checked_store(copied)
    monkeypatch.setattr(checking, "subject_of", original)
    checking.checked_store(copied)
    assert len(checks) == 3


def test_only_one_verdict_is_kept_for_a_project(copied, cache):
    checking.checked_store(copied)
    path = copied.data / "actors.ttl"
    path.write_text(path.read_text() + "\n")
    checking.checked_store(copied)
    assert len(list((cache / "policygraph" / "verdicts").iterdir())) == 1


def test_what_makes_the_check_slow_is_not_loaded_when_it_is_not_made(copied):
    checking.checked_store(copied)
    code = (
        "import sys; from pathlib import Path; from policygraph import open_project\n"
        "from policygraph.web import create_app; from policygraph.workers import LIMITS, Pool\n"
        "from policygraph.web.checking import checked_store\n"
        "project = open_project(Path(sys.argv[1])); store = checked_store(project)\n"
        "pool = Pool(store, LIMITS); create_app(project, store, pool); pool.close()\n"
        "print(sorted({'rdflib', 'pyshacl', 'pyld'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, copied.root], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
