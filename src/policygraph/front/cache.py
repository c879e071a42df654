"""The cache of answers: bounded in bytes, the least used leaves first; found without a lock."""

import threading
from typing import TypeAlias

from policygraph.front.answers import Answer
from policygraph.front.compression import wanted_coding
from policygraph.web.served import Environ

Key: TypeAlias = tuple[str, ...]

MEGABYTE = 1024 * 1024
_OF_AN_ENTRY = 4096
"""Bytes that an entry takes besides its body and its key: objects and headers."""


def key_of(version: str, environ: Environ) -> Key:
    """Return what an answer to GET depends on: the version served and all of a request it may see.

    The host is part of it: an answer may name it, and one client may not choose it for another.
    """
    return (
        version,
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT", ""),
        wanted_coding(environ.get("HTTP_ACCEPT_ENCODING", "")),
        environ.get("HTTP_HOST", ""),
        environ.get("wsgi.url_scheme", ""),
    )


class Cache:
    """Answers by key, `most` bytes of them in all, none over `largest`.

    Who reads takes no lock, so it also moves nothing: it marks the answer, and what is marked is
    passed over once when room is made ("second chance", near to least recently used).
    """

    def __init__(self, most: int = 64 * MEGABYTE, largest: int = 8 * MEGABYTE) -> None:
        self._most = most
        self._largest = largest
        self._answers: dict[Key, Answer] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many answers there are."""
        return len(self._answers)

    @property
    def bytes(self) -> int:
        """What the answers take."""
        return self._bytes

    def get(self, key: Key) -> Answer | None:
        """Return the answer kept under a key, if there is one."""
        answer = self._answers.get(key)
        if answer is not None:
            answer.is_touched = True
        return answer

    def put(self, key: Key, answer: Answer) -> None:
        """Keep an answer, unless it has no ETag or is too large."""
        size = answer.size
        if not answer.etag or size is None or size > self._largest:
            return
        with self._lock:
            self._remove(key)
            self._answers[key] = answer
            self._bytes += _weight(key, answer)
            while self._bytes > self._most:
                self._make_room()

    def _make_room(self) -> None:
        oldest = next(iter(self._answers))
        answer = self._answers[oldest]
        self._remove(oldest)
        if answer.is_touched:
            answer.is_touched = False
            self._answers[oldest] = answer
            self._bytes += _weight(oldest, answer)

    def _remove(self, key: Key) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _weight(key, answer)


def _weight(key: Key, answer: Answer) -> int:
    return _OF_AN_ENTRY + sum(map(len, key)) + (answer.size or 0)
