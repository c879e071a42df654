"""What a check found: where, which rule, what is wrong and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """SHACL's three severities, the gravest first."""

    VIOLATION = 0
    WARNING = 1
    INFO = 2


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file (relative to the project where it lies inside it) and a line counted from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        """Return `path:line`, as editors and terminals link it."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found about one node."""

    rule: str
    severity: Severity
    node: str
    message: str
    remedy: str
    place: Place | None = None
    component: str | None = None
    """The IRI of the SHACL constraint component, where a shape was the judge."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one check, and notes on checks that could not be made (with the reason)."""

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        return [finding for finding in self.findings if finding.severity is severity]

    @property
    def conforms(self) -> bool:
        """Say whether no rule is violated; warnings and infos are allowed."""
        return not self.of(Severity.VIOLATION)


def report(findings: Iterable[Finding], skipped: Iterable[str] = ()) -> Report:
    """Put findings in the order a curator works through them: gravest first, then by place."""
    return Report(tuple(sorted(set(findings), key=_order)), tuple(skipped))


def _order(finding: Finding) -> tuple[Severity, Place, str, str, str]:
    place = finding.place or Place("", 0)
    return finding.severity, place, finding.rule, finding.node, finding.message
