"""The architecture, as rules that a test keeps: who may import whom, one home a library."""

import ast
import sys
from pathlib import Path

import policygraph

SOURCE = Path(policygraph.__file__).parent
LONGEST_MODULE = 250

LAYERS = (
    {"errors", "namespaces", "terms", "findings", "locations", "screening"},
    {"texts", "reports", "project", "frontmatter", "segments"},
    {"store", "catalogue"},
    {"graph", "passages", "coverage", "statements", "jsonld", "spelling"},
    {"facts", "descriptions", "standing", "listings", "vocabulary"},
    {"checks", "workers", "federation"},
    {"release"},
    {"snapshots"},
    {"web"},
    {"front"},
    {"server"},
    {"cli"},
    {"__init__", "__main__"},
)
"""A module imports from its own layer and those before it. To add a module, add it to a layer."""

HOME_OF = {
    "click": {"cli"},
    "flask": {"web"},
    "granian": {"server"},
    "httpx": {"federation"},
    "prometheus_client": {"web"},
    "pyld": {"jsonld"},
    "pyoxigraph": {"store"},
    "pyshacl": {"checks"},
    "rdflib": {"checks"},
    "rich": {"cli"},
    "sentencex": {"segments"},
    "werkzeug": {"web", "front"},
    "yaml": {"frontmatter"},
    "zstandard": {"front"},
}
"""Each third-party library and the only part of the package that may import it."""

NAMES_THAT_SAY_NOTHING = {"base", "common", "helpers", "manager", "misc", "utils"}


def _modules():
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE)
        part = relative.parts[0].removesuffix(".py")
        yield part, path, ast.parse(path.read_text())


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _layer(part):
    return next(index for index, layer in enumerate(LAYERS) if part in layer)


def test_every_module_has_a_layer():
    parts = {part for part, _, _ in _modules()}
    assert parts == set().union(*LAYERS)


def test_imports_go_one_way():
    wrong = []
    for part, path, tree in _modules():
        for name in _imports(tree):
            package, _, rest = name.partition(".")
            target = rest.split(".")[0] if rest else "__init__"
            is_own = package == "policygraph" and rest and target != part
            if is_own and _layer(target) > _layer(part):
                wrong.append(f"{path.name} imports {name}")
    assert wrong == []


def test_every_library_has_one_home():
    wrong = []
    for part, path, tree in _modules():
        for name in _imports(tree):
            library = name.split(".")[0]
            if library in sys.stdlib_module_names or library == "policygraph":
                continue
            if part not in HOME_OF.get(library, set()):
                wrong.append(f"{path.name} imports {library}")
    assert wrong == []


def test_no_module_is_too_long():
    lengths = {
        str(p.relative_to(SOURCE)): len(p.read_text().splitlines()) for _, p, _ in _modules()
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_module_has_a_name_that_says_nothing():
    names = {part for path in SOURCE.rglob("*.py") for part in path.relative_to(SOURCE).parts}
    assert {name for name in names if name.removesuffix(".py") in NAMES_THAT_SAY_NOTHING} == set()


def test_every_module_says_what_belongs_in_it():
    assert [path.name for _, path, tree in _modules() if not ast.get_docstring(tree)] == []


def test_all_names_what_there_is():
    assert [name for name in policygraph.__all__ if not hasattr(policygraph, name)] == []
    assert policygraph.__all__ == sorted(policygraph.__all__, key=_all_order)


def _all_order(name):
    return (not name.isupper(), not name[0].isupper(), name)
