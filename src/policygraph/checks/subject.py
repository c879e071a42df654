"""What is checked: a project as built, as written, and the source texts at hand."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from policygraph.errors import SourceTextError
from policygraph.findings import Finding, Place
from policygraph.graph import build, edge_graphs, read_quads
from policygraph.locations import lines_of
from policygraph.project import Project
from policygraph.store import Quads, Store
from policygraph.texts import SourceText, find_text, texts_in


@dataclass(frozen=True)
class Subject:
    """One project under check. `texts` maps a source's short name to its text, where at hand."""

    project: Project
    store: Store
    written: tuple[Quads, ...]
    texts: dict[str, SourceText] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    def triples(self) -> bytes:
        """Return all triples as N-Triples: authored ones as written, and the generated edges.

        Literals of the store are normalised, so rules on datatypes and patterns must not see
        those.
        """
        edges = self.store.graph(edge_graphs(self.project, self.store))
        return b"".join(quads.to_ntriples() for quads in (*self.written, edges))

    def located(self, finding: Finding) -> Finding:
        """Return a finding with the file and line where its node is described."""
        if finding.place:
            return finding
        return replace(finding, place=self._places.get(finding.node))

    @cached_property
    def _places(self) -> dict[str, Place]:
        places: dict[str, Place] = {}
        for _, paths in self.project.graphs():
            for path in paths:
                shown = self.project.show(path)
                for iri, line in lines_of(path.read_text(), self.project.base).items():
                    places.setdefault(iri, Place(shown, line))
        return places


def subject_of(project: Project, *, sources: Path | None = None) -> Subject:
    """Read and build a project for checking; find the texts of its sources in a folder.

    A text is found by its digest, or, if it was edited, by its file's name.
    """
    quads = read_quads(project)
    store = build(project, quads)
    if sources is None:
        note = "evidence and wording not checked: name the folder of the texts with --sources"
        return Subject(project, store, tuple(quads), {}, (note,))
    texts = _texts_of(store, sources)
    missing = [name for name in project.source_names() if name not in texts]
    notes = tuple(f"{name}: text not found in {sources}, so not checked" for name in missing)
    return Subject(project, store, tuple(quads), texts, notes)


def _texts_of(store: Store, folder: Path) -> dict[str, SourceText]:
    """Return the texts that are at hand; the report says which are not."""
    at_hand = texts_in(folder)
    rows = store.select("SELECT ?source ?digest { ?source a pg:Source ; schema:sha256 ?digest }")
    found = {}
    for row in rows:
        name = str(row["source"]).rsplit("/", 1)[-1]
        with suppress(SourceTextError):
            found[name] = find_text(at_hand, name, digest=str(row["digest"]))
    return found
