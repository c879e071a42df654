"""How a server serves: one frozen object that the command fills and everything else reads."""

import os
from dataclasses import dataclass
from pathlib import Path

from policygraph.workers import LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator chooses. Every field has its option and its environment variable."""

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = os.cpu_count() or 1
    limits: Limits = LIMITS
    allowed_services: tuple[str, ...] = ()
    """Endpoints that a query may call by SERVICE."""
    proxies: int = 0
    """How many proxies of the operator's own stand in front, each adding to X-Forwarded-For."""
    access_log: str | None = None
    """A file, or '-' for standard error; None for no log."""
    watch: bool = False
    """Whether a change of the project's files is served without being asked for."""
    store: Path | None = None
    """Where graphs are kept on disk; None to hold them in memory."""

    @property
    def seconds_to_stop(self) -> int:
        """How long a server that stops waits for the queries it has, and for their answers."""
        return int(self.limits.patience + self.limits.seconds) + 5
