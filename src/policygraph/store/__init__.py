"""The one seam to the engine: parse, load, query, serialise. Nothing else imports pyoxigraph."""

from policygraph.store.answers import Answer, read_answer
from policygraph.store.disk import write_disk_store
from policygraph.store.embedded import Store
from policygraph.store.formats import Format, Kind, format_named, formats_for
from policygraph.store.parsing import Quads, parse_file, parse_turtle
from policygraph.store.writing import write_quads

__all__ = [
    "Answer",
    "Format",
    "Kind",
    "Quads",
    "Store",
    "format_named",
    "formats_for",
    "parse_file",
    "parse_turtle",
    "read_answer",
    "write_disk_store",
    "write_quads",
]
