"""SHACL: the project's rules, and any shapes on any files. The only home of rdflib and pyshacl.

pyshacl judges a plain rdflib graph read from N-Triples, with literals as they were written.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyshacl
import rdflib
from rdflib.namespace import DCTERMS, RDF, SH, XSD

from policygraph.checks.subject import Subject
from policygraph.errors import SyntaxFault
from policygraph.findings import Finding, Report, Severity, report
from policygraph.namespaces import DEFAULT_BASE
from policygraph.store import parse_file

rdflib.NORMALIZE_LITERALS = False

_SEVERITIES: dict[object, Severity] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}


def graph_conforms_to_shapes(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each result of validating the graph against the project's shapes."""
    shapes = read_shapes([subject.project.shapes], subject.project.base)
    results = _validate(_graph(subject.triples()), shapes)
    yield from _findings(results, shapes, subject.project.base)


def validate_files(
    data: Iterable[Path], shapes: Iterable[Path], *, base: str
) -> tuple[Report, bytes]:
    """Validate RDF files against shapes: the findings, and the W3C report as Turtle.

    Raises SyntaxFault or ProjectError for a file that cannot be read.
    """
    rules = read_shapes(shapes, base)
    triples = b"".join(parse_file(path, base).to_ntriples() for path in data)
    results = _validate(_graph(triples), rules)
    findings = _findings(results, rules, base)
    return report(findings), results.serialize(format="turtle", encoding="utf-8")


def read_shapes(paths: Iterable[Path], base: str = DEFAULT_BASE) -> rdflib.Graph:
    """Read shapes; a relative `sh:namespace` is resolved against the base, as IRIs are."""
    shapes = _graph(b"".join(parse_file(path, base).to_ntriples() for path in paths))
    for node, namespace in list(shapes.subject_objects(SH.namespace)):
        if ":" not in str(namespace):
            absolute = rdflib.Literal(f"{base}{namespace}", datatype=XSD.anyURI)
            shapes.set((node, SH.namespace, absolute))
    return shapes


def _graph(ntriples: bytes) -> rdflib.Graph:
    return rdflib.Graph().parse(data=ntriples, format="nt")


def _validate(data: rdflib.Graph, shapes: rdflib.Graph) -> rdflib.Graph:
    """Run pyshacl without inference, imports or scripts: nothing is fetched, nothing is added."""
    try:
        _, results, text = pyshacl.validate(
            data, shacl_graph=shapes, inference="none", advanced=False, do_owl_imports=False
        )
    except (pyshacl.errors.ShapeLoadError, pyshacl.errors.ConstraintLoadError) as error:
        raise SyntaxFault(f"the shapes cannot be used: {error}") from error
    if not isinstance(results, rdflib.Graph):
        raise SyntaxFault(f"the shapes cannot be used: {text}")
    return results


def _findings(results: rdflib.Graph, shapes: rdflib.Graph, base: str) -> Iterator[Finding]:
    for result in results.subjects(RDF.type, SH.ValidationResult):
        shape = results.value(result, SH.sourceShape)
        focus, value = results.value(result, SH.focusNode), results.value(result, SH.value)
        # A rule written once for the whole graph has a term as focus, the offender as value.
        is_whole_graph = str(focus).startswith(f"{base}ns#") and isinstance(value, rdflib.URIRef)
        yield Finding(
            rule=str(shapes.value(shape, DCTERMS.identifier) or shape or "SHACL"),
            severity=_SEVERITIES.get(results.value(result, SH.resultSeverity), Severity.VIOLATION),
            node=str(value if is_whole_graph else focus),
            message=str(results.value(result, SH.resultMessage) or "does not conform"),
            remedy=str(shapes.value(shape, rdflib.URIRef(f"{base}ns#remedy")) or ""),
            component=str(results.value(result, SH.sourceConstraintComponent)),
        )
