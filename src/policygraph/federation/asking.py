"""Ask endpoints over HTTP, some at a time, all within a time and each within a size.

No redirect is followed, no proxy or password is taken from the environment, and certificates are
verified. One thread runs the requests of all queries: what is slow is given up whenever the time is
up, whether it is in a handshake or in the middle of a header.
"""

import asyncio
import ssl
import threading
from asyncio import AbstractEventLoop
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import NotRequired, TypedDict

import httpx

from policygraph.federation.calls import Question
from policygraph.federation.faults import ServiceFailed, ServiceTimedOut

DEPTH = "Policygraph-Federation-Depth"
"""The header that our requests carry: a query that comes with it may not ask others."""
MOST_AT_ONCE = 4

_ACCEPTED = ("application/sparql-results+json", "application/json")
_HEADERS = {
    "Accept": _ACCEPTED[0],
    "Accept-Encoding": "identity",  # so that a few bytes do not unpack to gigabytes
    "User-Agent": "policygraph",
    DEPTH: "1",
}
_LONGEST_ADDRESS = 2000
"""Characters of a query that goes in the address, where what is between can cache it."""


class _Request(TypedDict):
    method: str
    url: httpx.URL
    data: NotRequired[dict[str, str]]


def answers_of(
    questions: Sequence[Question], *, seconds: float, most_bytes: int
) -> dict[Question, bytes | None]:
    """Return the body of each answer; None for one that failed, where the question is silent.

    Raises ServiceFailed or ServiceTimedOut for the first other one that fails; then none is waited
    for.
    """
    asking = _ask_all(questions, seconds, most_bytes)
    return asyncio.run_coroutine_threadsafe(asking, _loop()).result()


@cache
def _loop() -> AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="federation", daemon=True).start()
    return loop


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _ask_all(
    questions: Sequence[Question], seconds: float, most_bytes: int
) -> dict[Question, bytes | None]:
    """Ask everything, or stop at the first failure that is not silent."""
    deadline = asyncio.get_running_loop().time() + seconds
    places = asyncio.Semaphore(MOST_AT_ONCE)
    try:
        async with _client() as client, asyncio.TaskGroup() as group:
            tasks = {
                question: group.create_task(_tried(client, question, most_bytes, deadline, places))
                for question in questions
            }
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {question: task.result() for question, task in tasks.items()}


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers=_HEADERS,
        verify=_certificates(),
        trust_env=False,
        timeout=None,  # noqa: S113 - `_tried` keeps it; this one begins anew with every byte
    )


async def _tried(
    client: httpx.AsyncClient,
    question: Question,
    most_bytes: int,
    deadline: float,
    places: asyncio.Semaphore,
) -> bytes | None:
    try:
        async with asyncio.timeout_at(deadline), places:
            return await _asked(client, question, most_bytes)
    except TimeoutError:
        failure: ServiceFailed = ServiceTimedOut(question.endpoint, "did not answer in time")
    except ServiceFailed as error:
        failure = error
    if question.is_silent:
        return None
    raise failure


async def _asked(client: httpx.AsyncClient, question: Question, most_bytes: int) -> bytes:
    """Return what an endpoint answers. Raises ServiceFailed with what happened."""
    body = bytearray()
    try:
        async with client.stream(**_request(question)) as response:
            _refuse_what_is_no_answer(question.endpoint, response)
            async for part in response.aiter_raw():
                body += part
                if len(body) > most_bytes:
                    raise ServiceFailed(
                        question.endpoint, f"answered more than {most_bytes:,} bytes"
                    )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceFailed(question.endpoint, f"cannot be asked ({error})") from error
    return bytes(body)


def _request(question: Question) -> _Request:
    query = {"query": question.query}
    if len(question.query) > _LONGEST_ADDRESS:
        return {"method": "POST", "url": httpx.URL(question.endpoint), "data": query}
    return {"method": "GET", "url": httpx.URL(question.endpoint).copy_merge_params(query)}


def _refuse_what_is_no_answer(endpoint: str, response: httpx.Response) -> None:
    if response.is_redirect:
        to = response.headers.get("Location", "")[:200]
        raise ServiceFailed(endpoint, f"sends its clients on to <{to}>, where none is followed")
    if response.status_code != HTTPStatus.OK:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        raise ServiceFailed(endpoint, f"answered with the status {status}")
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in _ACCEPTED or response.headers.get("Content-Encoding", "identity") != (
        "identity"
    ):
        raise ServiceFailed(endpoint, f"answered in a form that is not read here ({media_type})")
