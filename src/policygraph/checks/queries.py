"""Violation queries: SPARQL in queries/checks/ that must return no row."""

from collections.abc import Iterator

from policygraph.catalogue import violation_queries
from policygraph.checks.subject import Subject
from policygraph.findings import Finding, Severity
from policygraph.namespaces import shorten
from policygraph.terms import Iri, Term


def violation_queries_return_nothing(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row; its first column is the offending node."""
    base = subject.project.base

    def shown(term: Term) -> str:
        return shorten(term, base) if isinstance(term, Iri) else str(term)

    for query in violation_queries(subject.project):
        answer = subject.store.query(query.text)
        for row in answer.rows():
            node, *details = row.values()
            yield Finding(
                rule=query.front.get("rule", query.name),
                severity=Severity[query.front.get("severity", "Violation").upper()],
                node=str(node),
                message=": ".join(
                    [query.front.get("message", query.summary), *map(shown, details)]
                ),
                remedy=query.front.get("remedy", "see the query"),
            )
