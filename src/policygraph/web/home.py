"""The home page: what this is, three questions with their answers, how to ask one's own."""

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, url_for

from policygraph.catalogue import Query
from policygraph.errors import QueryFault
from policygraph.standing import THAT_STAND
from policygraph.store import Store
from policygraph.web.served import as_example, current
from policygraph.web.tables import Table, as_cited_table
from policygraph.web.variants import link

bp = Blueprint("home", __name__)

LONGEST_ANSWER = 10
"""Rows of an answer on this page; a link leads to all of them."""

_COUNTED = (
    ("pg:Source", "text", "texts"),
    ("pg:Passage", "passage", "passages"),
    ("pg:Statement", "statement", "statements"),
    ("pg:Actor", "actor", "actors"),
    ("pg:Policy", "measure", "measures"),
    ("pg:Goal", "goal", "goals"),
    ("pg:Issue", "issue", "issues"),
    ("pg:Contrast", "contrast", "contrasts"),
)
"""The classes counted, and what one and many of them are called. To count one more, add a row."""

_COUNTS = """
SELECT (COUNT(DISTINCT ?it) AS ?count) {{ ?it a/rdfs:subClassOf* {class_} {that_stand} }}"""
_ABOUT = """
SELECT ?title ?description ?licence {{
  <{base}dataset> dcterms:title ?title FILTER (LANG(?title) = "en")
  OPTIONAL {{ <{base}dataset> dcterms:description ?description
    FILTER (LANG(?description) = "en") }}
  OPTIONAL {{ <{base}dataset> dcterms:license ?licence }} }}"""
_LEADING_ON = (
    ("discovery.void", "describedby"),
    ("discovery.dcat", "describedby"),
    ("sparql.ask", "service-desc"),
)
"""Where a program that begins at the home page finds the data: view and relation."""
_LICENCES = {"https://creativecommons.org/licenses/by/4.0/": "CC BY 4.0"}
"""Names of licences that people know better than their addresses."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, its query for people to change, and its answer or why there is none."""

    question: Query
    query: str
    table: Table | None
    fault: str = ""


@bp.get("/")
def home() -> Response:
    """Show what this is to somebody who has never heard of a graph, and lead programs on."""
    served = current()
    page = render_template(
        "home.html",
        base=served.base,
        about=_about(served.store),
        counts=_counts(served.store),
        answers=[_answered(question, served.store) for question in served.tagged("home")],
        number_of_questions=len(served.questions),
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Link"] = ", ".join(
        link(url_for(view), relation) for view, relation in _LEADING_ON
    )
    return response


def _about(store: Store) -> dict[str, str]:
    """Return what the data set says of itself; nothing for a project without such a file."""
    rows = store.select(_ABOUT.format(base=store.base))
    about = {name: str(value) for name, value in rows[0].items()} if rows else {}
    if about.get("licence", "").startswith(("http://", "https://")):
        name = _LICENCES.get(about["licence"], about["licence"])
        return about | {"licence_name": name}
    about.pop("licence", None)
    return about


def _counts(store: Store) -> list[tuple[int, str]]:
    counts = []
    for class_, one, many in _COUNTED:
        (row,) = store.select(_COUNTS.format(class_=class_, that_stand=THAT_STAND))
        count = int(str(row["count"]))
        counts.append((count, one if count == 1 else many))
    return counts


def _answered(question: Query, store: Store) -> Answered:
    """Ask a question of the project. One that cannot be asked must not take the page with it."""
    try:
        table = as_cited_table(store.query(question.text), store, limit=LONGEST_ANSWER)
    except QueryFault as error:
        return Answered(question, as_example(question), None, str(error))
    return Answered(question, as_example(question), table)
