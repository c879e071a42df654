"""Build a graph to serve, and refuse to when it breaks a rule."""

import sys

from policygraph.checks import check_subject, subject_of
from policygraph.checks.verdict import is_known_to_conform, remember, state_of
from policygraph.errors import CheckFailed
from policygraph.findings import Severity
from policygraph.project import Project
from policygraph.reports import as_text
from policygraph.store import Store


def checked_store(project: Project) -> Store:
    """Return the graph of a project's files; what is checked is what is returned.

    Files in a state known to conform are not checked again. Raises CheckFailed, after writing the
    findings to standard error, when a rule is violated.
    """
    state = state_of(project)
    subject = subject_of(project)
    # A file that changed while it was read would be served under another's verdict.
    is_settled = state_of(project) == state
    if is_settled and is_known_to_conform(project, state):
        return subject.store
    report = check_subject(subject)
    violations = len(report.of(Severity.VIOLATION))
    if violations:
        sys.stderr.write(as_text(report, project.base))
        count = f"{violations} violation{'s' * (violations != 1)}"
        raise CheckFailed(f"{count}, see above, so nothing is served; mend that and start again")
    if is_settled:
        remember(project, state)
    return subject.store
