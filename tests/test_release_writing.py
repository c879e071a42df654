"""How a release is written: whole or not at all, provable, the same bytes each time."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from policygraph import CheckFailed, ProjectError, write_release

DUMPS = ("ttl", "nt", "rdf", "jsonld", "nq", "trig")
WRITE = """
import os, signal, sys
from pathlib import Path
from policygraph import open_project, write_release
def progress(message):
    if message == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
write_release(open_project(Path(sys.argv[1])), Path(sys.argv[2]), progress=progress)
"""


def write_elsewhere(project, folder, *, kill_at=""):
    """Write a release in a process of its own, which may be killed at a message."""
    command = [sys.executable, "-c", WRITE, str(project.root), str(folder), kill_at]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def verified(folder):
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 and done.stdout.count(": OK\n") == len(list(folder.iterdir())) - 1


@pytest.fixture(scope="module")
def release(project, tmp_path_factory):
    """Return a release of the real project, to be read only."""
    return write_release(project, tmp_path_factory.mktemp("release") / "new")


def test_the_same_graph_gives_the_same_bytes_in_place_of_an_older_release(
    project, release, tmp_path
):
    again = tmp_path / "again"
    shutil.copytree(release.folder, again)
    (again / "policygraph.ttl").write_text("an older one")
    done = write_elsewhere(project, again)
    assert done.returncode == 0, done.stderr
    contents = {path.name: path.read_bytes() for path in release.files}
    assert {path.name: path.read_bytes() for path in again.iterdir()} == contents
    assert list(tmp_path.iterdir()) == [again]


def test_the_checksums_hold(release):
    assert verified(release.folder)


def test_a_broken_graph_is_refused_and_nothing_is_left(copied, tmp_path):
    path = copied.source("harris-immigration-2024") / "statements.ttl"
    path.write_text(path.read_text().replace("    pg:evidence p:0-1 ;\n", "", 2))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(
        CheckFailed, match=r"statements\.ttl:\d+: R1: \S+/1: .*\(2 violations, "
    ) as e:
        write_release(copied, tmp_path / "release")
    assert "\n" not in str(e.value)
    assert sorted(tmp_path.iterdir()) == before


def test_killed_half_way_it_leaves_the_older_release_as_it_was(empty, tmp_path):
    folder = tmp_path / "release"
    before = write_release(empty, folder)
    (empty.data / "more.ttl").write_text("<dataset> <http://purl.org/dc/terms/title> 'New' .")
    killed = write_elsewhere(empty, folder, kill_at="writing policygraph.nq")
    assert killed.returncode == -signal.SIGKILL
    assert verified(folder)
    assert hashlib.sha256((folder / "policygraph.nq").read_bytes()).hexdigest() == before.id


def test_interrupted_half_way_it_leaves_nothing(empty, tmp_path):
    def interrupt(message):
        if message == "writing policygraph.nq":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_release(empty, tmp_path / "here" / "release", progress=interrupt)
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["notes.txt"], "it holds notes.txt"),
        (["SHA256SUMS", "debian.iso"], "it holds debian.iso"),
        (["policygraph.ttl"], "it has no SHA256SUMS"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_folder_with_anything_else_in_it_is_refused(empty, tmp_path, names, expected):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("mine")
    with pytest.raises(ProjectError, match=expected) as caught:
        write_release(empty, folder)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_an_empty_folder_is_filled(empty, tmp_path):
    (tmp_path / "release").mkdir()
    written = write_release(empty, tmp_path / "release")
    assert verified(written.folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(empty, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(ProjectError, match="closed/release: cannot be written"):
        write_release(empty, tmp_path / "closed" / "release")


@pytest.mark.parametrize("place", ["file", "file/release", "/proc/none/release"])
def test_a_place_that_cannot_be_written_is_named(empty, tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match=r"cannot be written|not a folder") as caught:
        write_release(empty, tmp_path / place)
    assert "\n" not in str(caught.value)
    assert str(Path(place).name) in str(caught.value)


def test_it_says_what_it_does(empty, tmp_path):
    said = []
    write_release(empty, tmp_path / "release", progress=said.append)
    assert said[0] == "checking the graph"
    assert said[1:] == [f"writing policygraph.{name}" for name in DUMPS]
