"""Wording: facts carry over from a source, its sentences do not."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from policygraph.checks.subject import Subject
from policygraph.findings import Finding, Place, Severity
from policygraph.frontmatter import FRONT_MATTER

RUN = 6
"""So many words in a row shared with a source are a copy."""

_NAMES = """
SELECT ?name { ?source a pg:Source ; dcterms:title|skos:prefLabel|foaf:page ?name }"""
"""A source's own title and address name it; they are no sentences of it."""

_WORD = re.compile(r"\w+")


def wording_is_our_own(subject: Subject) -> Iterator[Finding]:
    """Yield the places in the project's files that share six words in a row with a source."""
    project = subject.project
    folders = (project.ontology, project.data, project.queries)
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    texts = {name: source.text for name, source in subject.texts.items()}
    allowed = project.allowed_wording
    allowance = allowed.read_text() if allowed.exists() else ""
    allowance += "".join(f"{row['name']}\n" for row in subject.store.select(_NAMES))
    for path, line, run, name in copied_runs(files, texts, allowance=allowance):
        yield Finding(
            "W1",
            Severity.VIOLATION,
            f"{project.base}id/source/{name}",
            f"shares {RUN} words in a row with the source: “{run}”",
            "say it in words of your own, or, for a name, add it to data/allowed-wording.txt",
            Place(project.show(path), line),
        )


def copied_runs(
    files: Iterable[Path], texts: dict[str, str], *, allowance: str = ""
) -> Iterator[tuple[Path, int, str, str]]:
    """Yield file, line, the words and the source's name for each first run shared with a text.

    Runs within a line of `allowance` are names and terms, and may be shared.
    """
    permitted = {run for line in allowance.splitlines() for run, _ in _runs(line)}
    known = {run: name for name, text in texts.items() for run, _ in _runs(_body(text))}
    if not known:
        return
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        last = -RUN
        for index, (run, position) in enumerate(_runs(text)):
            if run in known and run not in permitted and index >= last + RUN:
                last = index
                yield path, text.count("\n", 0, position) + 1, " ".join(run), known[run]


def _body(text: str) -> str:
    return FRONT_MATTER.sub("", text)


def _runs(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    words = [(match.group().lower(), match.start()) for match in _WORD.finditer(text)]
    for index in range(len(words) - RUN + 1):
        yield tuple(word for word, _ in words[index : index + RUN]), words[index][1]
