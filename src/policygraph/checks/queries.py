"""Violation queries: SPARQL in queries/checks/ that must return no row."""

from collections.abc import Iterator

from policygraph.catalogue import violation_queries
from policygraph.checks.subject import Subject
from policygraph.findings import Finding, Severity


def violation_queries_return_nothing(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row; its first column is the offending node."""
    for query in violation_queries(subject.project):
        answer = subject.store.query(query.text)
        for row in answer.rows():
            node, *details = (str(term) for term in row.values())
            yield Finding(
                rule=query.front.get("rule", query.name),
                severity=Severity[query.front.get("severity", "Violation").upper()],
                node=node,
                message=": ".join([query.front.get("message", query.summary), *details]),
                remedy=query.front.get("remedy", "see the query"),
            )
