"""What a worker process does when it begins, and where it gets the application from."""

import os
import signal
import threading
from multiprocessing import parent_process
from typing import Self

from flask import Flask

from policygraph.errors import PolicygraphError
from policygraph.project import Project
from policygraph.store import Store
from policygraph.web import create_app
from policygraph.web.checking import checked_store
from policygraph.workers import Limits, Pool


class Loader:
    """Gives a worker its application, over the graph made before where the worker is forked.

    A graph cannot be sent to another process, so a spawned worker reads the files again. It serves
    them only if they are still in order.
    """

    def __init__(self, project: Project, limits: Limits, store: Store | None = None) -> None:
        self._project = project
        self._limits = limits
        self._store = store

    def __reduce__(self) -> tuple[type[Self], tuple[Project, Limits]]:
        """Leave the graph behind when sent to a spawned worker."""
        return type(self), (self._project, self._limits)

    def __call__(self) -> Flask:
        """Return the application. Called once, in the worker, before it accepts anything."""
        _obey_the_parent_alone()
        try:
            store = self._store or checked_store(self._project)
            return create_app(self._project, store, Pool(store, self._limits))
        except PolicygraphError as error:
            raise SystemExit(f"policygraph: {error}") from error


def _obey_the_parent_alone() -> None:
    """Stop when the parent says so or is gone, and not at the terminal's Ctrl-C as well.

    Both would stop at Ctrl-C, and the parent would call the worker's end a crash. Handlers
    inherited from the parent would swallow a signal that comes before the server sets its own.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    threading.Thread(target=_follow_the_parent, daemon=True).start()


def _follow_the_parent() -> None:
    parent = parent_process()
    main = threading.main_thread().ident
    if parent is not None and main is not None:
        parent.join()
        signal.pthread_kill(main, signal.SIGTERM)  # on another thread it would not wake this one
