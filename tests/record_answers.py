"""Record the answers to the questions anew, in tests/queries/, after a change that is meant.

Run `PYTHONPATH=src python tests/record_answers.py` at the top of the project. It names what
changed; read the difference (`git diff tests/queries`) against the source before you commit it.
"""

import sys
from pathlib import Path

from policygraph import build, open_project
from policygraph.catalogue import questions
from policygraph.project import write_file
from policygraph.store import format_named

ROOT = Path(__file__).parents[1]
ANSWERS = Path(__file__).parent / "queries"


def record_answers():
    """Write the answer to each question, and remove those whose question is gone."""
    project = open_project(ROOT)
    store = build(project)
    gone = set(ANSWERS.glob("*.csv"))
    for query in questions(project):
        path = ANSWERS / f"{query.name}.csv"
        gone.discard(path)
        text = store.query(query.text).write(format_named("csv")).decode().replace("\r\n", "\n")
        if write_file(path, text):
            sys.stdout.write(f"recorded {path.name}\n")
    for path in sorted(gone):
        path.unlink()
        sys.stdout.write(f"removed {path.name}\n")


if __name__ == "__main__":
    record_answers()
