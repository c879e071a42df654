"""The command, in a process of its own: what it prints, how it ends, what it leaves behind."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from policygraph.cli import main


def test_every_command_has_an_example_in_its_help():
    missing = [
        name for name, c in main.commands.items() if not (c.epilog or "").startswith("Example")
    ]
    assert missing == []


def test_init_then_segment_then_check(run, small_text, tmp_path):
    assert run("init", "mine").returncode == 0
    made = run("--project", "mine", "segment", small_text, "--name", "parks")
    assert "11 passages of parks" in made.stdout
    checked = run("--project", "mine", "check", "--sources", small_text.parent)
    assert checked.returncode == 0, checked.stdout
    covered = run("--project", "mine", "coverage", "parks")
    assert "11" in covered.stdout


def test_init_refuses_a_folder_with_something_in_it(run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    done = run("init", "full")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_outside_a_project_nothing_is_written(run, small_text):
    done = run("segment", small_text, "--name", "parks")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "in no project" in done.stderr


def test_a_folder_inside_a_project_belongs_to_it(empty, small_text):
    done = subprocess.run(
        [sys.executable, "-m", "policygraph", "segment", str(small_text), "--name", "parks"],
        cwd=empty.data, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (empty.source("parks") / "passages.ttl").exists()


def test_check_ends_with_1_on_a_violation(run, copied):
    path = copied.source("harris-immigration-2024") / "statements.ttl"
    path.write_text(path.read_text().replace("    pg:evidence p:0-1 ;\n", "", 1))
    done = run("--project", copied.root, "check", "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["conforms"] is False


def test_query_by_name_file_and_standard_input(run, copied, tmp_path):
    text = "SELECT ?s { ?s a <https://w3id.org/policygraph/ns#Contrast> } ORDER BY ?s"
    (tmp_path / "mine.rq").write_text(text)
    by_file, by_input = run("query", "mine.rq"), run("query", "-", stdin=text)
    assert by_file.stdout == by_input.stdout
    assert len(list(csv.reader(io.StringIO(by_file.stdout)))) > 2
    listed = run("query", "--list")
    name = listed.stdout.splitlines()[3].split("│")[1].strip()
    assert run("query", name, "--format", "json").returncode == 0


@pytest.mark.parametrize("format_", ["ttl", "nt", "jsonld", "rdf", "nq", "trig"])
def test_a_graph_is_written_in_every_format(run, format_):
    text = "CONSTRUCT { ?s ?p ?o } WHERE { ?s a <https://w3id.org/policygraph/ns#Region> ; ?p ?o }"
    done = run("query", "-", "--format", format_, stdin=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "honduras" in done.stdout


def test_evidence_shows_the_passage_marked(run, sources):
    done = run("evidence", "harris-immigration-2024/1", "--sources", sources)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("[In the 2024")
    assert "Read from it: Kamala Harris — advocates — " in done.stdout


def test_validate_writes_the_w3c_report(run, tmp_path):
    (tmp_path / "shapes.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix x: <http://x.example/> ."
        "x:S a sh:NodeShape ; sh:targetClass x:C ; sh:property [ sh:path x:p ; sh:minCount 1 ] ."
    )
    (tmp_path / "data.ttl").write_text("@prefix x: <http://x.example/> . x:a a x:C .")
    done = run("validate", "data.ttl", "--shapes", "shapes.ttl", "--output", "report.ttl")
    assert done.returncode == 1
    assert "sh:ValidationReport" in (tmp_path / "report.ttl").read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--project", "nowhere", "check"], "no project"),
        (["--base", "nothing", "check"], "a base is an http(s) IRI"),
        (["query", "no-such-question"], "no question 'no-such-question'"),
        (["query", "missing.rq"], "no such file"),
        (["query", "contrasts", "--format", "docx"], "no format 'docx'"),
        (["query", "contrasts", "--format", "ttl"], "cannot hold this kind of answer"),
        (["evidence", "x/1", "--sources", "."], "no statement 'x/1'"),
        (["evidence", "harris-immigration-2024/1", "--sources", "nowhere"], "no such folder"),
        (["coverage", "nothing"], "no source 'nothing'"),
        (["validate", "none.ttl"], "cannot be read"),
        (["check", "--sources", "nowhere"], "no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gives_one_line_and_2(run, arguments, expected):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT ?s WHERE { ?s ?p", "line 1, column"),
        ("SELECT ?s\nWHERE { ?s foaf:name ?n }", "not declared (foaf); add a PREFIX line"),
        ("INSERT DATA { <a:a> <a:b> 1 }", "only SELECT, ASK, CONSTRUCT and DESCRIBE"),
        ("SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "the query uses SERVICE"),
    ],
    ids=["cut off", "unknown prefix", "update", "service"],
)
def test_a_wrong_query_is_told_where(run, text, expected):
    done = run("query", "-", stdin=text)
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_text_of_200_mb_is_refused_before_it_is_read(run, empty, tmp_path):
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    done = run("--project", empty.root, "segment", "huge.txt", "--name", "huge")
    assert done.returncode == 2
    assert "209,715,200 bytes" in done.stderr
    assert not empty.source("huge").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(run, empty, small_text):
    folder = empty.data / "sources"
    folder.chmod(0o555)
    try:
        done = run("--project", empty.root, "segment", small_text, "--name", "parks")
    finally:
        folder.chmod(0o755)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_a_place_that_cannot_be_written_is_named(run, empty, small_text):
    (empty.data / "sources" / "parks").write_text("a file where a folder should be")
    done = run("--project", empty.root, "segment", small_text, "--name", "parks")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in done.stderr


def test_another_base_moves_every_iri_of_the_project(run):
    base = "https://example.org/g/"
    text = f"SELECT DISTINCT ?s {{ ?s ?p ?o FILTER (!STRSTARTS(STR(?s), '{base}')) }} ORDER BY ?s"
    foreign = run("--base", base, "query", "-", stdin=text).stdout.splitlines()[1:]
    assert not [iri for iri in foreign if "w3id.org/policygraph" in iri]
    named = run(
        "--base", base, "query", "-", stdin=f"ASK {{ <{base}id/actor/kamala-harris> ?p ?o }}"
    )
    assert '"boolean":true' in named.stdout
    checked = run("--base", base, "check")
    assert checked.returncode == 0, checked.stdout
