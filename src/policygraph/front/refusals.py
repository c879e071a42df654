"""What the front answers by itself: requests it does not hand on, and what browsers ask first."""

from http import HTTPStatus

from policygraph.errors import PolicygraphError
from policygraph.front.answers import Answer
from policygraph.web.documents import headers_of, problem_document
from policygraph.web.problems import SECONDS_TO_COME_BACK, problem_of
from policygraph.web.security import HEADERS, PREFLIGHT

_TRY_AGAIN = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}


class Refusal(PolicygraphError):
    """A request that goes no further: the status, and what is wrong and what to do."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def refused(error: PolicygraphError, base: str, request_id: str) -> Answer:
    """Return the answer that tells of a refusal, or of an error that has a problem document."""
    if isinstance(error, Refusal):
        status = error.status
        body = problem_document(status, base=base, detail=str(error), request_id=request_id)
        headers = dict(headers_of(status))
        if status in _TRY_AGAIN:
            headers["Retry-After"] = str(SECONDS_TO_COME_BACK)
    else:
        status = problem_of(error).status
        body = problem_document(error, base=base, request_id=request_id)
        headers = dict(headers_of(error))
    return _made(status, headers | {"Content-Length": str(len(body))}, body)


def preflight() -> Answer:
    """Return what a browser wants to know before it lets a page of another origin ask."""
    return _made(HTTPStatus.NO_CONTENT, PREFLIGHT, b"")


def _made(status: HTTPStatus, headers: dict[str, str], body: bytes) -> Answer:
    return Answer(f"{status.value} {status.phrase}", [*(HEADERS | headers).items()], [body])
