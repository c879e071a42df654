"""A web process: how it begins, what it answers with, and how it ends.

The main process starts one a core. Each opens the published snapshot for itself, and answers from
it through the front (`front`) and the application.
"""

import gc
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path

from policygraph.errors import PolicygraphError
from policygraph.front import Front
from policygraph.server.live import Live
from policygraph.server.runfolder import RunFolder
from policygraph.web import create_app, metrics
from policygraph.web.served import serve_this
from policygraph.web.settings import Settings

_SECONDS_TO_OBEY = 1.0
"""How long after a signal to stop this process may go on listening."""

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@dataclass(frozen=True, slots=True)
class WebProcess:
    """Gives a web process what it answers with. Sent to the process, so it holds plain values."""

    folder: RunFolder
    settings: Settings

    def __call__(self) -> Front:
        """Return the front. Called once, in the process, before it accepts anything."""
        _obey_the_parent_alone()
        try:
            live = Live(self.folder, self.settings)
        except PolicygraphError as error:
            raise SystemExit(f"policygraph: {error}") from error
        app = create_app(live.served)
        live.follow(lambda served: serve_this(app, served))
        metrics.start(self.folder.metrics)
        front = Front(app, live, self.settings)
        front.start()
        # A request leaves no cycles, so they need not be looked for after every few.
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        return front


def _obey_the_parent_alone() -> None:
    """Stop when the parent says so or is gone, and not at the terminal's Ctrl-C as well.

    Both would stop at Ctrl-C, and the parent would call this process's end a crash.
    """
    os.setpgid(0, 0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    heard, told = os.pipe()
    os.set_blocking(told, False)
    # Whoever handles a signal, its number is written there.
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_insist, args=(heard,), name="insist", daemon=True).start()
    threading.Thread(target=_follow_the_parent, name="follow parent", daemon=True).start()


def _insist(heard: int) -> None:
    """Repeat a signal to stop that had no effect: granian loses one that comes while it starts.

    It must not be repeated for one that has stopped listening, which is ending what runs.
    """
    while os.read(heard, 1) != bytes([signal.SIGTERM]):
        pass
    time.sleep(_SECONDS_TO_OBEY)
    while _listens():
        _stop_this()
        time.sleep(_SECONDS_TO_OBEY)


def _follow_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        _stop_this()


def _stop_this() -> None:
    main = threading.main_thread().ident
    assert main
    signal.pthread_kill(main, signal.SIGTERM)  # on another thread it would not wake this one


def _listens() -> bool:
    """Say whether this process has a socket that listens."""
    return any(_is_listening(int(path.name)) for path in Path("/dev/fd").iterdir())


def _is_listening(descriptor: int) -> bool:
    try:
        found = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
    finally:
        found.detach()  # it is another's, to close
