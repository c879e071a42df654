"""Passages are written once, found again, and refused for another text."""

import pytest

from policygraph import ProjectError, SourceTextError, check, read_text, write_passages
from policygraph.passages import LONGEST_ANCHOR


def test_writing_again_changes_nothing(empty, small_text):
    first = write_passages(empty, read_text(small_text), name="parks")
    assert {path.name for path in first.written} == {"source.ttl", "passages.ttl"}
    assert write_passages(empty, read_text(small_text), name="parks").written == ()


def test_the_article_gives_the_passages_that_are_there(copied, sources):
    text = read_text(sources / "harris-immigration-2024.txt")
    assert write_passages(copied, text, name="harris-immigration-2024").written == ()


def test_a_changed_text_is_refused_with_the_place(empty, small_text, tmp_path):
    write_passages(empty, read_text(small_text), name="parks")
    edited = tmp_path / "parks.txt"
    edited.write_text(small_text.read_text().replace("cool the streets", "shade the streets"))
    before = {path: path.read_bytes() for path in empty.source("parks").iterdir()}
    with pytest.raises(SourceTextError, match=r"parks\.txt:8: passage 1-1-1"):
        write_passages(empty, read_text(edited), name="parks")
    assert {path: path.read_bytes() for path in empty.source("parks").iterdir()} == before


def test_what_a_curator_wrote_about_the_source_is_kept(empty, small_text):
    write_passages(empty, read_text(small_text), name="parks")
    described = empty.source("parks") / "source.ttl"
    described.write_text(
        described.read_text().replace('"parks"@en ;', '"Parks"@en, "Parques"@es ;')
    )
    edited = described.read_text()
    write_passages(empty, read_text(small_text), name="parks")
    assert described.read_text() == edited


def test_a_public_address_gives_text_fragments(empty, tmp_path):
    text = tmp_path / "speech.md"
    text.write_text(
        "---\ntitle: A speech\ndate: '2024-09-27'\nsource_url: https://example.org/speech\n---\n"
        "We will build well-lit paths, and more of them, for everybody who walks.\n"
    )
    write_passages(empty, read_text(text), name="speech")
    turtle = (empty.source("speech") / "passages.ttl").read_text()
    (value,) = [line.split('"')[1] for line in turtle.splitlines() if ":~:text=" in line]
    assert value == ":~:text=We%20will%20build%20well%2Dlit,for%20everybody%20who%20walks."
    assert all(len(anchor) <= LONGEST_ANCHOR for anchor in value.split("=")[1].split(","))
    assert not check(empty, sources=tmp_path).of(0)


@pytest.mark.parametrize("name", ["Parks", "a b", "../x", ""])
def test_a_name_that_is_no_slug_is_refused(empty, small_text, name):
    with pytest.raises(ProjectError, match="lower-case"):
        write_passages(empty, read_text(small_text), name=name)


def test_a_word_too_long_for_an_anchor_gives_no_fragment(empty, tmp_path):
    text = tmp_path / "notice.md"
    address = f"https://example.org/{'x' * 50}"
    text.write_text(f"---\nsource_url: {address}\n---\nSee {address}\n")
    write_passages(empty, read_text(text), name="notice")
    assert "FragmentSelector" not in (empty.source("notice") / "passages.ttl").read_text()


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("title: 'never closed", r"odd\.md:[23]: the front matter is not YAML"),
        ("just words", "no 'key: value' lines"),
        ("source_url: javascript:alert(1)", "no http"),
    ],
)
def test_front_matter_that_cannot_be_read_says_where(empty, tmp_path, front, expected):
    text = tmp_path / "odd.md"
    text.write_text(f"---\n{front}\n---\nA sentence.\n")
    with pytest.raises(SourceTextError, match=expected):
        write_passages(empty, read_text(text), name="odd")
    assert not empty.source("odd").exists()


def test_the_installed_data_is_not_written_to(copied, small_text, monkeypatch):
    monkeypatch.setattr("policygraph.project._INSTALLED", copied.root)
    with pytest.raises(ProjectError, match="policygraph init DIR"):
        write_passages(copied, read_text(small_text), name="parks")
    assert not copied.source("parks").exists()


def test_anchors_of_a_short_passage_do_not_overlap(empty, tmp_path):
    text = tmp_path / "notice.md"
    text.write_text(
        "---\nsource_url: https://example.org/n\n---\n# Parks and roads for five towns\n\nA vote.\n"
    )
    write_passages(empty, read_text(text), name="notice")
    turtle = (empty.source("notice") / "passages.ttl").read_text()
    values = [line.split('"')[1] for line in turtle.splitlines() if ":~:text=" in line]
    assert values == [":~:text=Parks%20and%20roads,for%20five%20towns", ":~:text=A%20vote."]


def test_what_was_added_to_passages_by_hand_is_not_lost(empty, small_text):
    write_passages(empty, read_text(small_text), name="parks")
    listed = empty.source("parks") / "passages.ttl"
    edited = listed.read_text() + "p:0-1 pg:assertsNothingBecause <id/reason/restates> .\n"
    listed.write_text(edited)
    with pytest.raises(ProjectError, match="edited by hand"):
        write_passages(empty, read_text(small_text), name="parks")
    assert listed.read_text() == edited
