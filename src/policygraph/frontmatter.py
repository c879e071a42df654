"""The front matter of a Markdown text: what its publisher says of it, as YAML between two lines."""

import re

import yaml

from policygraph.errors import SourceTextError
from policygraph.texts import SourceText

FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)

_ADDRESS = re.compile(r"https?://[^\x00-\x20<>\"{}|\\^`]+")


def front_matter(source: SourceText) -> dict[str, str]:
    """Return the front matter's keys and values as strings, white space folded; {} without one.

    Raises SourceTextError when it is no YAML mapping, or its `source_url` is no address.
    """
    found = FRONT_MATTER.match(source.text)
    if not found:
        return {}
    try:
        values = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise SourceTextError(
            f"{source.path}:{line}: the front matter is not YAML; mend it, or take it out"
        ) from error
    if not isinstance(values, dict):
        raise SourceTextError(f"{source.path}:1: the front matter has no 'key: value' lines")
    facts = {str(key): " ".join(str(value).split()) for key, value in values.items()}
    if "source_url" in facts and not _ADDRESS.fullmatch(facts["source_url"]):
        raise SourceTextError(
            f"{source.path}:1: source_url is no http(s) address: {facts['source_url']}"
        )
    return facts
