"""What a web process serves: one version, until another is published, without a gap."""

import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import IO

from policygraph.errors import PolicygraphError
from policygraph.server.runfolder import RunFolder, Version
from policygraph.snapshots import open_snapshot
from policygraph.store import Store
from policygraph.web.served import Served
from policygraph.web.settings import Settings
from policygraph.workers import Places, Pool

SECONDS_BETWEEN_LOOKS = 0.25


class _Held(Served):
    """Something served that can be watched: when the last request lets go of it, it is closed."""

    __slots__ = ("__weakref__",)


class Live:
    """Holds what requests are answered from: `served`, read once a request.

    A request keeps what it read to its end. So an old version is closed when nobody refers to it
    any more, and only then does this process acknowledge the newer one.
    """

    served: Served

    def __init__(self, folder: RunFolder, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._places = Places(folder.places, settings.limits, processes=settings.processes)
        # An old version is closed wherever its last reference goes, in the midst of this too.
        self._lock = threading.RLock()
        self._in_use: set[int] = set()
        self._serve(folder.published())

    def follow(self, tell: Callable[[Served], None]) -> None:
        """Begin to swap whenever another version is published, and tell of each."""
        threading.Thread(target=self._follow, args=(tell,), name="follow", daemon=True).start()

    def _follow(self, tell: Callable[[Served], None]) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                self._look()
                tell(self.served)
            except (PolicygraphError, OSError, ValueError) as error:
                sys.stderr.write(f"policygraph: what is new cannot be served: {error}\n")

    def _look(self) -> None:
        try:
            version = self._folder.published()
        except FileNotFoundError:
            return  # the server has ended, and this process is about to
        if version.number == self._version.number:
            return
        is_known = version.snapshot == self._version.snapshot
        self._serve(version, self.served.store if is_known else None)

    def _serve(self, version: Version, store: Store | None = None) -> None:
        """Serve a version; where only its fork server is another, over the same store.

        Where that fails, the version before goes on, and it is tried again.
        """
        snapshot = open_snapshot(version.snapshot)
        hold = snapshot.hold()
        store, questions = store or snapshot.open_store(), snapshot.questions()
        pool = Pool(version.socket, snapshot.base, self._settings.limits, self._places)
        served = _Held(
            snapshot=snapshot,
            store=store,
            questions=questions,
            pool=pool,
            settings=self._settings,
            check_file=self._folder.check_file,
        )
        with self._lock:
            self._in_use.add(version.number)
        weakref.finalize(served, self._close, version.number, pool, hold).atexit = False
        self.served, self._version = served, version
        self._acknowledge()

    def _close(self, number: int, pool: Pool, hold: IO[bytes]) -> None:
        pool.close()
        hold.close()
        with self._lock:
            self._in_use.discard(number)
        self._acknowledge()

    def _acknowledge(self) -> None:
        with self._lock:
            self._folder.acknowledge(min(self._in_use))
