"""policygraph: policy positions as attributed, checked, queryable linked data.

>>> import policygraph
>>> project = policygraph.open_project()
>>> store = policygraph.build(project)
>>> len(store) > 1000
True
"""

from policygraph.catalogue import Query, find_query, questions
from policygraph.coverage import Section, coverage
from policygraph.errors import (
    CheckFailed,
    PolicygraphError,
    ProjectError,
    QueryFault,
    SourceTextError,
    SyntaxFault,
    UnknownThing,
)
from policygraph.findings import Finding, Place, Report, Severity
from policygraph.graph import build
from policygraph.namespaces import DEFAULT_BASE
from policygraph.passages import write_passages
from policygraph.project import Project, create_project, open_project
from policygraph.segments import Segment, segment
from policygraph.statements import Passage, Statement, statement_named
from policygraph.store import Answer, Store
from policygraph.terms import BlankNode, Iri, Literal
from policygraph.texts import SourceText, read_text

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_BASE",
    "Answer",
    "BlankNode",
    "CheckFailed",
    "Finding",
    "Iri",
    "Literal",
    "Passage",
    "Place",
    "PolicygraphError",
    "Project",
    "ProjectError",
    "Query",
    "QueryFault",
    "Report",
    "Section",
    "Segment",
    "Severity",
    "SourceText",
    "SourceTextError",
    "Statement",
    "Store",
    "SyntaxFault",
    "UnknownThing",
    "build",
    "check",
    "coverage",
    "create_project",
    "find_query",
    "open_project",
    "questions",
    "read_text",
    "segment",
    "statement_named",
    "validate_files",
    "write_passages",
    "write_release",
]


def __getattr__(name: str) -> object:
    """Import on first use what brings pyshacl, rdflib or PyLD with it: half a second."""
    if name == "check":
        from policygraph.checks import check

        return check
    if name == "validate_files":
        from policygraph.checks.shapes import validate_files

        return validate_files
    if name == "write_release":
        from policygraph.release import write_release

        return write_release
    raise AttributeError(f"module 'policygraph' has no attribute '{name}'")
