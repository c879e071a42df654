"""Tell a query about nothing from a query with a slip: both have no answer."""

from policygraph.screening import iris_in
from policygraph.store import Store

_SCHEMES = ("https://", "http://")


def unknown_names(store: Store, query: str) -> list[str]:
    """Return the IRIs of a query that lie in the project's namespace and that the graph lacks.

    `http` for `https` counts as the project's namespace too: it is the usual slip.
    """
    own = store.base.split("://", 1)[1]
    asked = [iri for iri in iris_in(query) if iri.startswith(tuple(s + own for s in _SCHEMES))]
    return [iri for iri in asked if not _is_known(store, iri)]


def _is_known(store: Store, iri: str) -> bool:
    """Say whether an IRI is a term of any triple, or a graph's name."""
    rows = store.select(
        f"SELECT ?it {{ VALUES ?it {{ <{iri}> }} {{ ?it ?a ?b }} UNION {{ ?a ?it ?b }}"
        f" UNION {{ ?a ?b ?it }} UNION {{ GRAPH ?it {{ }} }} }} LIMIT 1"
    )
    return bool(rows)
