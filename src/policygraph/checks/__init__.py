"""The checks a graph must pass: SHACL, violation queries, evidence, wording.

Each check is a generator of findings. To add one, add it to CHECKS.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from policygraph.checks.evidence import passages_say_what_they_said, sources_have_their_ni_uri
from policygraph.checks.queries import violation_queries_return_nothing
from policygraph.checks.subject import Subject, subject_of
from policygraph.checks.wording import wording_is_our_own
from policygraph.findings import Finding, Report, report
from policygraph.project import Project


def graph_conforms_to_shapes(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each result of SHACL, whose libraries are loaded only now."""
    from policygraph.checks import shapes  # noqa: PLC0415 - a fifth of a second

    yield from shapes.graph_conforms_to_shapes(subject)


CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    graph_conforms_to_shapes,
    violation_queries_return_nothing,
    sources_have_their_ni_uri,
    passages_say_what_they_said,
    wording_is_our_own,
)

__all__ = ["CHECKS", "Subject", "check", "check_subject", "subject_of"]


def check(project: Project, *, sources: Path | None = None) -> Report:
    """Run every check. Without the source texts, evidence and wording are skipped, and said so.

    Raises SyntaxFault or ProjectError when the project cannot be read at all.
    """
    return check_subject(subject_of(project, sources=sources))


def check_subject(subject: Subject) -> Report:
    """Run every check on a graph that was built already."""
    findings = [finding for find in CHECKS for finding in find(subject)]
    return report((subject.located(finding) for finding in findings), subject.skipped)
