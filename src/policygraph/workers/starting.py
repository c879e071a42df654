"""Starting and ending a fork server: what the main process holds of it."""

import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from policygraph.errors import PolicygraphError
from policygraph.workers.limits import Limits

LONGEST_PATH = 100
"""Characters of a socket's path; the system takes no more than about that (unix(7))."""
_ENDS_WITHIN = 5.0


class ForkServer:
    """A process that holds one graph and forks the workers of every web process.

    `graph` is a file of N-Quads or the folder of a store on disk. `folder` is private to this
    server; the socket is made in it. It is ready once it is made. It ends with this process, and
    its workers with it.

    Raises PolicygraphError when the graph cannot be loaded.
    """

    def __init__(
        self, graph: Path, base: str, folder: Path, limits: Limits, *, context: Path | None = None
    ) -> None:
        self.socket = folder / f"fork-{secrets.token_hex(4)}"
        if len(str(self.socket)) > LONGEST_PATH:
            raise PolicygraphError(f"{folder}: too long for a socket; set TMPDIR to a shorter path")
        what = [self.socket, graph, base, context or "", limits.memory]
        self._process = subprocess.Popen(  # noqa: S603 - our own module; no query is among these
            [sys.executable, "-m", "policygraph.workers.forkserver", *map(str, what)],
            stdin=subprocess.PIPE,  # its end tells that this process has ended
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for the server, which ends this
        )
        self.pid = self._process.pid
        assert self._process.stdout
        try:
            is_ready = bool(self._process.stdout.readline())
        except BaseException:  # an interrupt: nobody would have it to stop
            self.stop()
            raise
        if not is_ready:
            self.stop()
            raise PolicygraphError(f"{graph}: cannot be served; see the memory that is left")

    def is_alive(self) -> bool:
        """Say whether it runs; if not, no worker of it does."""
        return self._process.poll() is None

    def retire(self) -> None:
        """Let it end when its last worker has: when every pool over it is closed."""
        self._process.terminate()

    def stop(self) -> None:
        """End it and its workers, whatever they do."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.send_signal(signal.SIGINT)
        self._process.stdin.close()
        try:
            self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        with suppress(OSError):
            self.socket.unlink()
