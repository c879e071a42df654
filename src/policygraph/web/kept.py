"""What is worked out once for a snapshot, and kept for as long as that is served."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from policygraph.store import Store
from policygraph.web.served import current

_Made = TypeVar("_Made")


class _Entry:
    """One thing that is kept; whoever comes first makes it, the others wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: list[Any] = []


# By its store, which only the snapshot that is served holds on to: when it goes, so do these.
_KEPT: WeakKeyDictionary[Store, dict[Hashable, _Entry]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def kept(key: Hashable, make: Callable[[], _Made]) -> _Made:
    """Return what `make` makes of what this request is answered from: made once for each key.

    A key never depends on what a client sends, or a client could fill the memory.
    """
    with _LOCK:
        entry = _KEPT.setdefault(current().store, {}).setdefault(key, _Entry())
    with entry.lock:
        if not entry.made:
            entry.made.append(make())
    made: _Made = entry.made[0]
    return made
