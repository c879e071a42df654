"""The shapes: each example in shapes/ sets off exactly the rule that its first line announces.

An example is judged with the vocabulary and shapes/common.ttl as one graph. To add one, add a file:
RULE-invalid-N.ttl, whose first line is `# RULE: what is wrong`, or RULE-valid-N.ttl.
"""

import functools
import re
from pathlib import Path

import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCTERMS, RDF, SH
from rdflib.plugins.sparql import processor
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((Path(__file__).parent / "shapes").glob("R*.ttl"))
RULES = [f"R{number}" for number in range(1, 28)]
BASE = "https://w3id.org/policygraph/"
PG = rdflib.Namespace(f"{BASE}ns#")

MILDER = dict.fromkeys(("R20", "R24", "R25", "R27"), SH.Warning) | {"R26": SH.Info}
"""The rules that are not violations."""

TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)


@pytest.fixture(scope="module", autouse=True)
def _literals_stay_as_written():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)
        yield


@pytest.fixture(scope="module", autouse=True)
def _queries_are_parsed_once():
    """Let rdflib keep parsed queries: reading them for each example anew takes most of the time."""

    @functools.cache
    def prepared(text):
        return translateQuery(parseQuery(text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processor, "parseQuery", lambda text: text)
        patch.setattr(processor, "translateQuery", lambda text, *_: prepared(text))
        yield


@pytest.fixture(scope="module")
def shapes():
    graph = _read(ROOT / "ontology" / "shapes.ttl")
    for node, namespace in list(graph.subject_objects(SH.namespace)):
        if ":" not in namespace:
            graph.set((node, SH.namespace, rdflib.Literal(BASE + namespace)))
    return graph


@pytest.fixture(scope="module")
def ground():
    names = ("policygraph", "schemes", "alignments")
    return _read(
        *(ROOT / "ontology" / f"{name}.ttl" for name in names),
        Path(__file__).parent / "shapes" / "common.ttl",
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_sets_off_what_it_announces_and_nothing_else(path, shapes, ground):
    example = _read(path)
    results = list(_results(ground + example, shapes))
    assert {rule for rule, _ in results} == _announced(path)
    assert {node for _, node in results} <= set(example.subjects()), "the offender is elsewhere"


def test_what_the_examples_stand_on_sets_off_nothing(shapes, ground):
    assert list(_results(ground, shapes)) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_an_invalid_and_a_valid_example(rule):
    stems = {path.stem for path in EXAMPLES}
    assert {f"{rule}-invalid", f"{rule}-valid"} <= stems


def test_every_example_belongs_to_a_rule():
    assert {path.stem.split("-")[0] for path in EXAMPLES} == set(RULES)


def test_there_is_a_shape_for_each_rule_and_no_other(shapes):
    identifiers = {str(shapes.value(shape, DCTERMS.identifier)) for shape in _shapes(shapes)}
    assert identifiers == set(RULES)
    for rule in RULES:
        shape = rdflib.URIRef(f"{BASE}shapes#{rule}")
        assert shapes.value(shape, DCTERMS.description), f"{rule} does not say why it exists"


def test_a_shape_has_the_severity_of_its_rule(shapes):
    listing = rdflib.URIRef(f"{BASE}shapes#R8-list")
    assert shapes.value(listing, SH.severity) == SH.Info
    for shape in set(_shapes(shapes)) - {listing}:
        rule = str(shapes.value(shape, DCTERMS.identifier))
        assert shapes.value(shape, SH.severity) == MILDER.get(rule, SH.Violation), shape


def test_every_shape_says_its_rule_severity_fault_and_remedy(shapes):
    wanted = (DCTERMS.identifier, SH.severity, rdflib.RDFS.label, PG.remedy)
    lacking = [
        (shape, name)
        for shape in _shapes(shapes)
        for name in wanted
        if len(list(shapes.objects(shape, name))) != 1
    ]
    faults = [
        (shape, SH.message)
        for shape in _shapes(shapes)
        if len(list(shapes.objects(shape, (SH.sparql * "?") / SH.message))) != 1
    ]
    assert lacking + faults == []


def test_a_further_shape_belongs_to_its_rule(shapes):
    for shape, rule in shapes.subject_objects(DCTERMS.isPartOf):
        assert str(shape).startswith(f"{rule}-")
        assert shapes.value(shape, DCTERMS.identifier) == shapes.value(rule, DCTERMS.identifier)


def test_every_named_shape_has_a_target(shapes):
    assert [s for s in _shapes(shapes) if not any((s, t, None) in shapes for t in TARGETS)] == []


def _read(*paths):
    graph = rdflib.Graph()
    for path in paths:
        graph.parse(path, format="turtle", publicID=BASE)
    return graph


def _shapes(shapes):
    return [
        shape
        for kind in (SH.NodeShape, SH.PropertyShape)
        for shape in shapes.subjects(RDF.type, kind)
        if isinstance(shape, rdflib.URIRef)
    ]


def _results(data, shapes):
    """Yield rule and offender of each result, at any severity."""
    _, report, _ = pyshacl.validate(
        data, shacl_graph=shapes, inference="none", advanced=False, do_owl_imports=False
    )
    for result in report.subjects(RDF.type, SH.ValidationResult):
        shape, focus = report.value(result, SH.sourceShape), report.value(result, SH.focusNode)
        # A rule written once for the whole graph has a term as focus and the offender as value.
        offender = report.value(result, SH.value) if focus in PG else focus
        yield str(shapes.value(shape, DCTERMS.identifier)), offender


def _announced(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    announced = re.match(r"# (R\d+)(: |, kept: )\S", first)
    assert announced, f"{path.name}: the first line does not say which rule it is about"
    assert announced[1] == path.stem.split("-")[0]
    assert ("invalid" in path.stem) == (announced[2] == ": ")
    return {announced[1]} if "invalid" in path.stem else set()
