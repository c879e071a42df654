"""Write a check's report: as lines for people, as JSON for programs, as a W3C SHACL report."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict

from policygraph.findings import Finding, Report, Severity
from policygraph.namespaces import DEFAULT_BASE, shorten

_SHACL = {
    Severity.VIOLATION: "sh:Violation",
    Severity.WARNING: "sh:Warning",
    Severity.INFO: "sh:Info",
}
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")


def as_text(report: Report, base: str = DEFAULT_BASE, *, notes: bool = False) -> str:
    """Return one line a finding, `file:line: rule: …`, and the count last.

    Notes (severity Info) are counted; they stand in lines of their own only with `notes`.
    """
    shown = [f for f in report.findings if notes or f.severity is not Severity.INFO]
    lines = [_line(finding, base) for finding in shown]
    return "\n".join([*lines, *report.skipped, summary(report)]) + "\n"


def summary(report: Report) -> str:
    """Return the count of findings in one line."""
    names = {Severity.VIOLATION: "violation", Severity.WARNING: "warning", Severity.INFO: "note"}
    counts = [(len(report.of(severity)), name) for severity, name in names.items()]
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts)


def as_json(report: Report, base: str = DEFAULT_BASE, *, notes: bool = True) -> str:
    """Return the whole report as JSON, notes included whatever `notes` says."""
    findings = [asdict(f) | {"severity": f.severity.name.lower()} for f in report.findings]
    document = {
        "conforms": report.conforms,
        "base": base,
        "findings": findings,
        "skipped": list(report.skipped),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_turtle(report: Report, base: str = DEFAULT_BASE, *, notes: bool = True) -> str:
    """Return the whole report as a `sh:ValidationReport` (SHACL, section 3.6) in Turtle.

    As the specification has it, `sh:conforms` is true only when there is no result at all.
    """
    conforms = str(not report.findings).lower()
    results = "".join(f" ;\n    sh:result [\n{_result(f, base)}    ]" for f in report.findings)
    return (
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        "@prefix schema: <http://schema.org/> .\n\n"
        f"[] a sh:ValidationReport ;\n    sh:conforms {conforms}{results} .\n"
    )


WRITERS: dict[str, Callable[..., str]] = {"text": as_text, "json": as_json, "turtle": as_turtle}
"""The formats of a report. To add one, add a row."""


def _line(finding: Finding, base: str) -> str:
    severity = "note" if finding.severity is Severity.INFO else finding.severity.name.lower()
    parts = [
        str(finding.place) if finding.place else None,
        f"{finding.rule} {severity}",
        shorten(finding.node, base),
        f"{finding.message.rstrip('.')}. To mend: {finding.remedy}",
    ]
    return ": ".join(part for part in parts if part)


def _result(finding: Finding, base: str) -> str:
    shape = f"{base}shapes#{finding.rule}"
    lines: Iterator[str] = iter(
        (
            "a sh:ValidationResult",
            f"sh:focusNode {_term(finding.node)}",
            f"sh:resultSeverity {_SHACL[finding.severity]}",
            f"sh:sourceShape {_term(shape)}",
            f"sh:sourceConstraintComponent {_term(finding.component or shape)}",
            f"sh:resultMessage {_string(f'{finding.message} To mend: {finding.remedy}')}",
            f"schema:location {_string(str(finding.place or ''))}",
        )
    )
    return "".join(f"        {line} ;\n" for line in lines)


def _term(value: str) -> str:
    return f"<{value}>" if _IRI.fullmatch(value) else _string(value)


def _string(value: str) -> str:
    """Quote a string: JSON's escapes are Turtle's too."""
    return json.dumps(value, ensure_ascii=False)
