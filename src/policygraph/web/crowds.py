"""Crowds: how many may do something slow at once, in all and of one client."""

import threading


class Crowd:
    """Places for `most` in all and `most_of_one` of a client. Who enters must leave."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._inside: dict[str, int] = {}
        self._count = 0
        self._changed = threading.Condition()

    @property
    def is_full(self) -> bool:
        """Whether there is no place for anybody."""
        return self._count >= self._most

    def enter(self, client: str, seconds: float = 0.0) -> bool:
        """Take a place, waiting for one for so long at most; say whether there was one."""
        with self._changed:
            if not self._has_place(client) and not self._is_let_in(client, seconds):
                return False
            self._inside[client] = self._inside.get(client, 0) + 1
            self._count += 1
            return True

    def leave(self, client: str) -> None:
        """Give a place back."""
        with self._changed:
            self._count -= 1
            self._inside[client] -= 1
            if not self._inside[client]:
                del self._inside[client]
            self._changed.notify_all()

    def _is_let_in(self, client: str, seconds: float) -> bool:
        return self._changed.wait_for(lambda: self._has_place(client), seconds)

    def _has_place(self, client: str) -> bool:
        return not self.is_full and self._inside.get(client, 0) < self._most_of_one
