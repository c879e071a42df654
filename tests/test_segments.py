"""Segmenting: headings and sentences keep their place, and nothing gets lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygraph import read_text, segment

ARTICLE = "harris-immigration-2024.txt"


def _cut(text: str) -> dict[str, str]:
    return {item.key: text[item.start : item.end] for item in segment(text)}


def test_sections_follow_the_numbering_of_the_text(small_text):
    text = small_text.read_text()
    assert list(_cut(text)) == [
        "0-1", "0-2", "0-1-0", "0-1-1", "1-0", "1-1", "1-1-0", "1-1-1", "1-1-2", "2-0", "2-1",
    ]  # fmt: skip


def test_abbreviations_and_a_double_full_stop_do_not_cut_a_sentence(small_text):
    found = _cut(small_text.read_text())
    assert found["0-1"].endswith("U.S. capital.")
    assert found["1-1"].endswith("home..")
    assert found["1-1-2"].endswith("list.")


def test_a_bullet_is_a_sentence_without_its_mark(small_text):
    assert _cut(small_text.read_text())["0-1-1"].startswith("Parks: Two")


def test_lines_wrapped_by_hand_are_one_paragraph():
    text = "# Title\n\nA sentence that is\nwrapped by hand. Another\none.\n\n## Part\n\nLast.\n"
    assert _cut(text) == {
        "1-0": "Title",
        "1-1": "A sentence that is\nwrapped by hand.",
        "1-2": "Another\none.",
        "1-1-0": "Part",
        "1-1-1": "Last.",
    }


def test_a_byte_order_mark_belongs_to_no_sentence():
    assert list(_cut("\ufeffHello there, all of you.\n").values()) == ["Hello there, all of you."]


def test_a_line_separator_stops_nothing():
    assert list(_cut("One\u2028and two. Three\u2029.\n").values())[-1].startswith("Three")


def test_front_matter_is_passed_over():
    assert list(_cut("---\ntitle: x\n---\nOne sentence.\n").values()) == ["One sentence."]


def test_the_article_has_its_sections_and_sentences(sources):
    text = read_text(sources / ARTICLE).text
    items = segment(text)
    assert len(items) == 47
    assert sum(item.index == 0 for item in items) == 14
    assert items[-1].key == "5-3"
    assert text[items[0].end - 1] == "."


@given(st.text(alphabet="aB1. \n#-\u2028\r’é", max_size=200))
def test_segments_are_in_order_apart_and_named_once(text):
    items = segment(text)
    ends = [0] + [item.end for item in items]
    assert all(item.start >= end for item, end in zip(items, ends, strict=False))
    assert len({item.key for item in items}) == len(items)


@given(st.text(alphabet="aB1. \n#-", max_size=200))
def test_no_letter_outside_a_bullet_is_lost(text):
    kept = set()
    for item in segment(text):
        kept.update(range(item.start, item.end))
    assert not [i for i, letter in enumerate(text) if letter == "B" and i not in kept]


@pytest.mark.parametrize("name", ["official/trump-securing-our-borders-2025-01-20.md"])
def test_a_long_markdown_text_is_cut_too(sources, name):
    items = segment(read_text(sources / name).text)
    assert len(items) > 50
