"""A real browser on the pages about things: they hold at every width, and lead on without a script.

Skipped where there is no Chromium, as in test_browser.py. Screenshots go where
POLICYGRAPH_SCREENSHOTS says.
"""

import os
from pathlib import Path

import pytest

PAGES = {
    "policy": "/doc/policy/more-immigration-judges",
    "actor": "/doc/actor/kamala-harris",
    "framing": "/doc/statement/harris-immigration-2024/3",
    "contrast": "/doc/statement/harris-immigration-2024/4",
    "passage": "/doc/passage/harris-immigration-2024/2-1-1",
    "source": "/doc/source/harris-immigration-2024",
    "region": "/doc/region/united-states",
    "kinds": "/doc/",
    "list": "/doc/policy",
    "statements": "/doc/statement",
    "vocabulary": "/ns",
    "rules": "/shapes",
    "graphs": "/graph/",
    "unknown": "/doc/policies/more-immigration-judges",
}

pytestmark = pytest.mark.browser


def photograph(page, *name):
    """Save a picture of the whole page, where pictures are wanted."""
    folder = os.environ.get("POLICYGRAPH_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{'-'.join(name)}.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(page, address, name, scheme, width):
    page.goto(address + PAGES[name])
    photograph(page, name, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("h1").count() == 1


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("name", PAGES)
def test_targets_are_large_enough(page, address, name):
    page.goto(address + PAGES[name])
    small = page.eval_on_selector_all(
        "nav a, .facts a, .plain a, .index a, .whose a, .more a",
        "all => all.filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML)",
    )
    assert small == []


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("name", PAGES)
def test_every_section_and_every_id_has_one_name(page, address, name):
    page.goto(address + PAGES[name])
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    named = page.eval_on_selector_all(
        "[aria-labelledby]", "all => all.map(e => e.getAttribute('aria-labelledby'))"
    )
    assert set(named) <= set(ids)


def test_the_iri_typed_into_a_browser_opens_the_page(page, address):
    page.goto(f"{address}/id/policy/more-immigration-judges")
    assert page.url == f"{address}/doc/policy/more-immigration-judges"
    assert page.locator("h1").inner_text() == "Increase in the number of immigration judges"


def test_a_reader_walks_from_a_measure_to_the_passage_and_its_text_position(page, address):
    page.goto(f"{address}/doc/policy/more-immigration-judges")
    page.get_by_role("link", name="Kamala Harris").first.click()
    assert page.locator("h1").inner_text() == "Kamala Harris"
    page.get_by_role("link", name="statement", exact=True).first.click()
    assert page.locator(".said .voice").is_visible()
    page.get_by_role("link", name="Section").first.click()
    assert page.get_by_text("checksum (SHA-256)").is_visible()
    assert page.get_by_role("link", name="characters").is_visible()


def test_a_reader_takes_the_page_away_as_data(page, address):
    page.goto(f"{address}/doc/policy/more-immigration-judges")
    target = page.get_by_role("link", name="ttl").get_attribute("href")
    answer = page.request.get(address + target)
    assert answer.headers["content-type"].startswith("text/turtle")
    page.get_by_role("link", name="change it and ask on").click()
    assert page.get_by_label("SPARQL query").input_value().startswith("DESCRIBE")


def test_words_of_another_language_say_so(page, address):
    page.goto(f"{address}/doc/policy/more-immigration-judges")
    assert page.locator("[lang=es]").first.inner_text().startswith("Aumento")


def test_a_term_of_the_vocabulary_has_its_place(page, address):
    page.goto(f"{address}/doc/policy/more-immigration-judges")
    page.get_by_role("link", name="Policy", exact=True).click()
    assert page.url == f"{address}/ns#Policy"
    assert page.locator("#Policy").is_visible()
