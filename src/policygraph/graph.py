"""Build the graph of a project: its files in their named graphs, and the edges they imply."""

from policygraph.project import Project
from policygraph.store import Quads, Store, parse_file

_EDGES = (
    # A reported or background statement gives its bare triple, in the graph named by its source.
    """
    INSERT { GRAPH ?source { ?subject ?predicate ?object } }
    WHERE { GRAPH ?any { ?statement dcterms:source ?source ; pg:voice ?voice ;
        rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
      FILTER (?voice IN (voice:reported, voice:background)) } }
    """,
    # An editorial one gives its triple in a graph of its own.
    """
    INSERT { GRAPH graph:editorial { ?subject ?predicate ?object } }
    WHERE { GRAPH ?any { ?statement pg:voice voice:editorial ;
        rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object } }
    """,
    # A contrast that an actor draws relates its sides both ways; one the source frames does not.
    """
    INSERT { GRAPH ?source { ?one pg:contrastsWith ?other } }
    WHERE { GRAPH ?any { ?statement a pg:Contrast ; dcterms:source ?source ; pg:voice ?voice ;
        pg:side ?one, ?other .
      FILTER (?one != ?other && ?voice IN (voice:reported, voice:background)) } }
    """,
)
"""What follows from statements. Framing gives no edge: it is the source's wording, not a fact."""


def read_quads(project: Project) -> list[Quads]:
    """Parse every file of the project into its named graph.

    Raises SyntaxFault (file, line, column) for the first file that does not parse.
    """
    return [
        parse_file(path, project.base, graph=graph)
        for graph, paths in project.graphs()
        for path in paths
    ]


def build(project: Project, quads: list[Quads] | None = None) -> Store:
    """Return a store with the project's graphs and their edges.

    Give `quads` when the files were parsed already.
    """
    store = Store(project.base)
    for items in read_quads(project) if quads is None else quads:
        store.load(items)
    for edges in _EDGES:
        store.update(edges)
    store.unite()
    return store


def authored_graphs(project: Project) -> list[str]:
    """Return the IRIs of the graphs that people write, without the vocabulary (layers 1 and 2)."""
    return [name for name, _ in project.graphs() if not name.endswith("graph/vocabulary")]


def edge_graphs(project: Project, store: Store) -> list[str]:
    """Return the IRIs of the graphs that hold generated edges (layer 3)."""
    authored = {name for name, _ in project.graphs()}
    return [name for name in store.graph_names() if name not in authored]
