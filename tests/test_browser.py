"""A real browser on a real server: how the pages behave, and what they look like.

Skipped where there is no Chromium, unless POLICYGRAPH_REQUIRE_BROWSER is set. Screenshots for a
person to look at go to the folder that POLICYGRAPH_SCREENSHOTS names.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def scripted():
    """Let the page run scripts: only so that the test can measure it; the pages have none."""


@pytest.fixture(autouse=True)
def nothing_else_is_asked(page, address):
    """Fail a test whose page asks another host for anything, or breaks its own rules (CSP)."""
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    yield
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
    assert [text for text in said if "Security Policy" in text] == []


def photograph(page, *name):
    """Save a picture of the whole page, where pictures are wanted."""
    folder = os.environ.get("POLICYGRAPH_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{'-'.join(name)}.png", full_page=True)


PAGES = {
    "home": "/",
    "form": "/sparql",
    "rows": "/sparql?query=SELECT * { ?s ?p ?o } ORDER BY ?s ?p LIMIT 40",
    "graph": "/sparql?query=DESCRIBE "
    "<https://w3id.org/policygraph/id/statement/harris-immigration-2024/4>",
    "fault": "/sparql?query=SELECT ?s%0AWHERE { ?s ?p }",
    "missing": "/nothing",
    "dumps": "/dumps/",
    "limits": "/limits",
    "problems": "/problems",
    "void": "/void",
}


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(page, address, name, scheme, width):
    page.goto(address + PAGES[name])
    photograph(page, name, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("h1").count() == 1


@pytest.mark.usefixtures("scripted", "width")
@pytest.mark.parametrize("name", PAGES)
def test_targets_are_large_enough(page, address, name):
    page.goto(address + PAGES[name])
    small = page.eval_on_selector_all(
        "nav a, td a, button, select, textarea, .more a",
        "all => all.filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML)",
    )
    assert small == []


def test_a_person_without_a_script_asks_a_question(page, address):
    page.goto(address)
    page.get_by_role("link", name="Query", exact=True).click()
    box = page.get_by_label("SPARQL query")
    assert box.input_value().startswith("# Which")
    box.fill('SELECT ?answer { VALUES ?answer { "<b>forty-two</b>" } }')
    page.get_by_role("button", name="Ask").click()
    assert page.get_by_role("cell").all_inner_texts() == ["<b>forty-two</b>"]
    assert "forty-two" in page.get_by_label("SPARQL query").input_value()
    assert page.url.endswith("#answer")


def test_a_faulty_query_stays_to_be_mended(page, address):
    page.goto(f"{address}/sparql")
    page.get_by_label("SPARQL query").fill("SELECT ?s\nWHERE { ?s ?p }")
    page.get_by_role("button", name="Ask").click()
    assert "Line 2" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("SPARQL query").input_value().endswith("{ ?s ?p }")


def test_an_answer_leads_to_the_statement_it_is_read_from(page, address):
    page.goto(address)
    page.get_by_role("link", name="section 0, sentence 1").first.click()
    assert page.locator("h1").inner_text().startswith("Statement ")
    assert page.locator(".said .voice").is_visible()


def test_the_keyboard_reaches_everything_in_order(page, address):
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("role") == "region"


def test_the_favicon_is_there(page, address):
    page.goto(address)
    icon = page.locator("link[rel=icon]").get_attribute("href")
    assert page.request.get(address + icon).headers["content-type"].startswith("image/svg+xml")


def test_the_page_prints_without_what_paper_cannot_do(page, address):
    page.goto(address)
    page.emulate_media(media="print")
    photograph(page, "home", "print")
    assert page.get_by_role("navigation").count() == 0
