"""Ask other endpoints, where the operator allows it: a SERVICE is answered before a worker runs.

Workers have no sockets. So each outermost SERVICE of a query is asked from here, as a query of its
own, and its solutions take its place as VALUES. That is what SERVICE means: its group is evaluated
by the other endpoint, apart from all that surrounds it, and the solutions are joined (SPARQL 1.1
Federated Query, section 4). A SERVICE within that group is for the other endpoint to answer.

Nothing is asked but the endpoints that the operator names, each by exactly that name. All of its
solutions travel, however few of them join: a query does well to narrow them within the braces.
"""

from collections.abc import Sequence

from policygraph.federation.calls import Question, calls_in, replaced
from policygraph.federation.faults import ServiceFailed, ServiceRefused, ServiceTimedOut
from policygraph.federation.values import NOTHING_KNOWN, as_values
from policygraph.screening import calls_out

__all__ = ["MOST_BYTES", "ServiceFailed", "ServiceRefused", "ServiceTimedOut", "resolved"]

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of all answers to one query: they become part of it, and it is parsed again."""


def resolved(  # noqa: PLR0913 - what the operator allows, and what the request says
    query: str,
    *,
    allowed: Sequence[str],
    seconds: float,
    most_bytes: int,
    genid: str,
    depth: int = 0,
) -> str:
    """Return a query with solutions in place of each SERVICE; one without any as it is.

    It waits at most `seconds` for all of them, and takes from each an equal share of `most_bytes`,
    or of MOST_BYTES where that is less. Blank nodes become IRIs that begin with `genid` (RDF 1.1,
    section 3.5). `depth` is not 0 where the request has the header `asking.DEPTH`. Raises
    ServiceRefused, ServiceFailed, ServiceTimedOut.
    """
    if not calls_out(query):
        return query
    _refuse_any(allowed, depth)
    calls = calls_in(query)
    questions = list(dict.fromkeys(call.question for call in calls))
    for question in questions:
        _refuse_unless_allowed(question, allowed)
    if calls_out(replaced(query, calls, dict.fromkeys(questions, NOTHING_KNOWN))):
        raise ServiceRefused("a SERVICE is not understood; set it apart from other words by spaces")
    from policygraph.federation.asking import answers_of  # noqa: PLC0415 - httpx takes long to load

    share = min(most_bytes, MOST_BYTES) // len(questions)
    bodies = answers_of(questions, seconds=seconds, most_bytes=share)
    return replaced(query, calls, {q: as_values(q, bodies[q], genid) for q in questions})


def _refuse_any(allowed: Sequence[str], depth: int) -> None:
    if not allowed:
        raise ServiceRefused(
            "the query uses SERVICE, and this server calls no other; ask the other one yourself "
            "and join the answers"
        )
    if depth:
        # Two servers that allow each other would go on for as long as a query tells them to.
        raise ServiceRefused(
            "the query comes from another server's SERVICE and uses SERVICE itself; ask each "
            "endpoint from one query"
        )


def _refuse_unless_allowed(question: Question, allowed: Sequence[str]) -> None:
    if question.endpoint not in allowed:
        names = ", ".join(f"<{name}>" for name in allowed)
        raise ServiceRefused(
            f"the query asks <{question.endpoint}>, which this server does not; it asks {names}"
        )
