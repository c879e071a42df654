"""A project: a folder with ontology/, data/ and queries/. Only this module knows their names."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policygraph.errors import ProjectError
from policygraph.namespaces import DEFAULT_BASE

_VOCABULARY = ("policygraph.ttl", "schemes.ttl", "alignments.ttl")
_HERE = Path(__file__).parent
_INSTALLED = _HERE / "_project"
_STARTER = _HERE / "starter"
_CHECKOUT = _HERE.parents[1]


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder, and the base its relative IRIs are resolved against."""

    root: Path
    base: str = DEFAULT_BASE

    @property
    def ontology(self) -> Path:
        """The folder of vocabulary, shapes and context."""
        return self.root / "ontology"

    @property
    def data(self) -> Path:
        """The folder of reference data and sources."""
        return self.root / "data"

    @property
    def queries(self) -> Path:
        """The folder of the questions."""
        return self.root / "queries"

    @property
    def shapes(self) -> Path:
        """The file of the rules."""
        return self.ontology / "shapes.ttl"

    @property
    def context(self) -> Path:
        """The file of the JSON-LD context."""
        return self.ontology / "context.jsonld"

    @property
    def violation_queries(self) -> Path:
        """The folder of the queries that must return no row."""
        return self.queries / "checks"

    @property
    def allowed_wording(self) -> Path:
        """The file of names and terms that may run to six words and more (it may be missing)."""
        return self.data / "allowed-wording.txt"

    @property
    def is_installed(self) -> bool:
        """Whether this is the data that came with the package, which nobody writes to."""
        return self.root == _INSTALLED

    def source(self, name: str) -> Path:
        """Return the folder of one source."""
        return self.data / "sources" / name

    def source_names(self) -> list[str]:
        """Return the short names of the sources, sorted."""
        folder = self.data / "sources"
        return sorted(path.name for path in folder.glob("*/")) if folder.is_dir() else []

    def iri(self, path: str) -> str:
        """Return one of the project's own IRIs, given relative to the base."""
        return self.base + path

    def vocabulary_files(self) -> list[Path]:
        """Return the Turtle files of the vocabulary graph."""
        return [self.ontology / name for name in _VOCABULARY]

    def graphs(self) -> Iterator[tuple[str, list[Path]]]:
        """Yield each authored named graph's IRI with its Turtle files, in a fixed order."""
        yield self.iri("graph/vocabulary"), self.vocabulary_files()
        yield self.iri("graph/reference"), sorted(self.data.glob("*.ttl"))
        for name in self.source_names():
            files = sorted(self.source(name).glob("*.ttl"))
            if files:
                yield self.iri(f"graph/statements/{name}"), files

    def show(self, path: Path) -> str:
        """Return a path as messages name it: relative to the project where it lies inside it."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path)


def open_project(root: Path | None = None, base: str = DEFAULT_BASE) -> Project:
    """Open a folder as a project: the one given, else this checkout, else the installed data.

    Raises ProjectError when the folder lacks what a project has, or the base is no IRI.
    """
    if not base.startswith(("http://", "https://")) or not base.endswith("/"):
        raise ProjectError(f"{base}: a base is an http(s) IRI that ends with '/'")
    project = Project((root or _own_folder()).absolute(), base)
    missing = _missing(project)
    if missing:
        raise ProjectError(
            f"{project.root}: no project, {missing[0].relative_to(project.root)} is missing; "
            "name a project's folder with --project, or make one with 'policygraph init DIR'"
        )
    return project


def project_around(folder: Path) -> Path | None:
    """Return the nearest folder, this one or one above it, that has what a project has."""
    folders = (folder, *folder.parents)
    return next((each for each in folders if not _missing(Project(each))), None)


def create_project(folder: Path) -> Project:
    """Make an empty project: today's vocabulary, rules and questions, and no data.

    Nothing is left behind when it fails. Raises ProjectError when the folder has something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder}: not empty; give a new folder, nothing was written")
    own = open_project()
    with new_folder(folder) as part:
        shutil.copytree(_STARTER, part, dirs_exist_ok=True)
        shutil.copytree(own.ontology, part / "ontology")
        shutil.copytree(own.queries, part / "queries")
        (part / "data" / "sources").mkdir()
    return open_project(folder)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill; move it to `target`, whole, when that went well, else remove it.

    What stood at `target` is replaced. Raises ProjectError when the place cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield part
        part.chmod(0o755)
        if target.exists():
            old = part.with_suffix(".old")
            target.rename(old)
            part.rename(target)
            shutil.rmtree(old)
        else:
            part.rename(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_file(path: Path, text: str) -> bool:
    """Write a text file whole or not at all; say whether it changed anything.

    Raises ProjectError when the place cannot be written.
    """
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return True


def _missing(project: Project) -> list[Path]:
    needed = (project.ontology, project.data, project.queries, project.shapes)
    return [path for path in needed if not path.exists()]


def _own_folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


def _cannot_write(path: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"{path}: cannot be written ({error.strerror}); nothing was changed, "
        "check the permissions and the space left"
    )
