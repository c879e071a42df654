"""The short way for the most frequent request: a query by GET, answered without Flask.

Flask takes longer over such a request than most queries. What this sends is, byte for byte, what
Flask would (`sparql.py`, `errors.py`): both only put together what `asking` and `documents` give.
"""

from policygraph.errors import PolicygraphError
from policygraph.web.asking import Question, ask, form_for, headers_of, note_answer, note_question
from policygraph.web.documents import headers_of as headers_of_problem
from policygraph.web.documents import note_problem, problem_document
from policygraph.web.negotiation import wants_page
from policygraph.web.problems import problem_of
from policygraph.web.protocol import ACCEPTED, read_question
from policygraph.web.security import HEADERS
from policygraph.web.served import Environ, Served

_PATH = "/sparql"


def fast(environ: Environ, served: Served) -> tuple[str, list[tuple[str, str]], bytes] | None:
    """Return status line, headers and body of the answer; None for Flask to answer.

    None comes before any query was run, so that none runs twice. What nobody foresaw is raised.
    """
    if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != _PATH:
        return None
    question = _question(environ)
    if question is None or _may_be_page(question):
        return None
    note_question(environ, question)
    try:
        answered = ask(question, served)
    except PolicygraphError as error:
        note_problem(environ, error)
        body = problem_document(
            error,
            base=served.base,
            query=question.query,
            request_id=environ.get("policygraph.request_id", ""),
        )
        status = problem_of(error).status
        return _whole(f"{status.value} {status.phrase}", headers_of_problem(error), body)
    note_answer(environ, answered)
    return _whole("200 OK", headers_of(answered), answered.body or b"")


def _question(environ: Environ) -> Question | None:
    try:
        return read_question(environ, bytes)
    except PolicygraphError:
        return None


def _may_be_page(question: Question) -> bool:
    accept, wanted = question.accept, question.format
    return form_for(accept, wanted).may_be_page or wants_page(accept, wanted)


def _whole(
    status: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[str, list[tuple[str, str]], bytes]:
    length = ("Content-Length", str(len(body)))
    return status, [*headers, ("Accept-Query", ACCEPTED), length, *HEADERS.items()], body
