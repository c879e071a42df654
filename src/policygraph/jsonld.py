"""JSON-LD as people read it: compacted with the project's context. The only home of PyLD.

Nothing is ever fetched: a context that names another document is refused.
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from policygraph.errors import ProjectError
from policygraph.namespaces import FOREIGN, rebase
from policygraph.project import Project

_TYPE = FOREIGN["rdf"] + "type"


def project_context(project: Project) -> dict[str, Any]:
    """Return the project's JSON-LD context, for its base.

    Raises ProjectError when the file cannot be read or holds no context.
    """
    path = project.context
    try:
        document = json.loads(rebase(path.read_text(encoding="utf-8"), project.base))
    except json.JSONDecodeError as error:
        place = f"{project.show(path)}:{error.lineno}:{error.colno}"
        raise ProjectError(
            f"{place}: not JSON ({error.msg}); mend the file and try again"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(f"{project.show(path)}: cannot be read ({reason})") from error
    if not isinstance(document, dict) or not isinstance(document.get("@context"), dict):
        raise ProjectError(
            f"{project.show(path)}: no JSON-LD context; its '@context' must be an object of terms"
        )
    return document


def compact(expanded: bytes, context: dict[str, Any]) -> bytes:
    """Return the engine's JSON-LD compacted, with the context in it so that it reads offline.

    The same graph gives the same bytes, in whatever order it comes: nodes are sorted by IRI, keys
    and values too. Raises ProjectError when the context cannot be used, or is not all at hand.
    """
    from pyld import jsonld  # noqa: PLC0415 - takes a tenth of a second, which others need not wait

    options = {"documentLoader": _refuse, "graph": True, "skipExpansion": True}
    try:
        document = jsonld.compact(_gathered(json.loads(expanded)), context, options)
    except jsonld.JsonLdError as error:
        raise ProjectError(f"the JSON-LD context cannot be used: {_reason(error)}") from error
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    return f"{text}\n".encode()


def _gathered(nodes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one object a node, sorted: the engine may write a node in several parts."""
    found: dict[str, dict[str, list[Any]]] = {}
    for node in nodes:
        properties = found.setdefault(node["@id"], {})
        for key, values in node.items():
            if key != "@id":
                name, items = _types(values) if key == _TYPE else (key, values)
                properties.setdefault(name, []).extend(items)
    return [
        {"@id": name} | {key: _sorted(key, values) for key, values in properties.items()}
        for name, properties in sorted(found.items())
    ]


def _types(values: list[dict[str, str]]) -> tuple[str, list[Any]]:
    """Return rdf:type as `@type`, unless a value is a literal, which that cannot hold."""
    types = [value["@id"] for value in values if "@id" in value]
    return ("@type", types) if len(types) == len(values) else (_TYPE, values)


def _sorted(key: str, values: list[Any]) -> list[Any]:
    if key == "@graph":
        return _gathered(values)
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def _refuse(url: str, _options: object) -> NoReturn:
    raise ProjectError(f"{url} is another document, and nothing is fetched; write its terms inline")


def _reason(error: BaseException) -> str:
    """Return the innermost reason: PyLD wraps what went wrong in what it was doing."""
    while error.__cause__:
        error = error.__cause__
    return str(error.args[0]).partition("\n")[0]
