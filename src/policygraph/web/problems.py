"""What each error is over HTTP: one table, which the answers and the page on problems read."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from policygraph.errors import (
    AnswerTooLarge,
    ClientGone,
    OutOfMemory,
    PolicygraphError,
    QueryFault,
    TimedOut,
    TooBusy,
    TooComplex,
    TooManyFromOne,
    UnknownThing,
)
from policygraph.federation import ServiceFailed, ServiceRefused, ServiceTimedOut
from policygraph.web import faults

SECONDS_TO_COME_BACK = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """What a class of errors is over HTTP: status, title, when it happens and what to do.

    `retry_after` is the seconds after which the same request may well succeed.
    """

    status: HTTPStatus
    title: str
    meaning: str
    retry_after: int | None = None


PROBLEMS: dict[type[PolicygraphError], Problem] = {
    faults.RequestFault: Problem(
        HTTPStatus.BAD_REQUEST,
        "The request is not understood",
        "A parameter is missing, is given twice or has a value that it cannot have. The detail "
        "names it.",
    ),
    QueryFault: Problem(
        HTTPStatus.BAD_REQUEST,
        "The query cannot be run",
        "The query is not SPARQL 1.1, or the engine cannot evaluate it. Line and column are where "
        "it stops being understood.",
    ),
    TooComplex: Problem(
        HTTPStatus.BAD_REQUEST,
        "The query is too complex",
        "Patterns are nested too deeply, or a chain of operators is too long. Write the query "
        "flatter, or take it apart.",
    ),
    ServiceRefused: Problem(
        HTTPStatus.BAD_REQUEST,
        "The query asks another server",
        "The query uses SERVICE for an endpoint that the operator of this server does not name, or "
        "in a way that is not understood. Ask that endpoint yourself and join the answers.",
    ),
    faults.UpdateRefused: Problem(
        HTTPStatus.FORBIDDEN,
        "The graph cannot be changed here",
        "This endpoint only answers queries. What it serves is made from the files of its project.",
    ),
    faults.NotForStrangers: Problem(
        HTTPStatus.FORBIDDEN,
        "This is for who runs the server",
        "The numbers of a server are given to its own machine alone.",
    ),
    UnknownThing: Problem(
        HTTPStatus.NOT_FOUND,
        "There is nothing with this name",
        "No file, sitemap, query or format has this name. The detail says which there are.",
    ),
    faults.NoSuchThing: Problem(
        HTTPStatus.NOT_FOUND,
        "There is no such thing here",
        "The graph says nothing of the thing that the address names. See that it is spelt right.",
    ),
    faults.NotAcceptable: Problem(
        HTTPStatus.NOT_ACCEPTABLE,
        "No accepted format fits the answer",
        "None of the formats that Accept or ?format= names can hold this kind of answer: a SELECT "
        "is no graph, an ASK no table. The member 'available' lists those that can.",
    ),
    faults.Gone: Problem(
        HTTPStatus.GONE,
        "This was withdrawn",
        "There was such a thing, and it was taken back. The detail gives the reason.",
    ),
    faults.PreconditionFailed: Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "There is another version now",
        "What If-Match names is not what is served. Fetch it again without If-Match.",
    ),
    faults.UnsupportedBody: Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body's type is not known",
        "A query is sent as application/sparql-query or as a form "
        "(application/x-www-form-urlencoded), in UTF-8 and not compressed.",
    ),
    TooManyFromOne: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many queries from one address",
        "As many queries of this client run and wait, or large files are on their way to it, as "
        "one client may have. Send the next when one has ended.",
        SECONDS_TO_COME_BACK,
    ),
    OutOfMemory: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The query took too much memory",
        "The query was ended because it took more memory than one may. Ask for less: no ORDER BY "
        "or DISTINCT over everything, fewer products.",
    ),
    AnswerTooLarge: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The answer is too large",
        "The answer has more bytes than one may. Add a LIMIT, or take the dumps.",
    ),
    TooBusy: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many queries at once",
        "As many queries run and wait, or large files are on their way, as may. Try again after "
        "the seconds in Retry-After.",
        SECONDS_TO_COME_BACK,
    ),
    ClientGone: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The client has left",
        "The query was ended because its client closed the connection. Nobody reads this.",
    ),
    ServiceFailed: Problem(
        HTTPStatus.BAD_GATEWAY,
        "Another server did not answer",
        "An endpoint that the query asks by SERVICE failed. Try again later, or write SERVICE "
        "SILENT to go on without it.",
    ),
    ServiceTimedOut: Problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "Another server took too long",
        "An endpoint that the query asks by SERVICE did not answer in time. Ask it for less, or "
        "write SERVICE SILENT to go on without it.",
    ),
    TimedOut: Problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "The query ran too long",
        "The query was ended because its time was up. Ask for less: fewer patterns, a narrower "
        "filter, a LIMIT.",
    ),
    faults.Unforeseen: Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong here",
        "This is a fault of the server and not of the request. Tell its operator the number of "
        "the request.",
    ),
}
"""To give an error a status, add a row. One without has that of its nearest base, else the last."""

STATUSES = {
    HTTPStatus.BAD_REQUEST: "the request is not HTTP as it should be",
    HTTPStatus.NOT_FOUND: "nothing is at this address; the home page (/) leads to all there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take this method",
    HTTPStatus.REQUEST_TIMEOUT: "the request did not arrive in time; send it again, faster",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body has more bytes than it may; see /limits",
    HTTPStatus.REQUEST_URI_TOO_LONG: "the address is too long; send the query by POST",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "the range asked for is not within the file",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests from one address; wait a little",
}
"""What a status says that no error of ours stands for. To say it better, add or change a row."""

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def problem_of(error: PolicygraphError) -> Problem:
    """Return the row of the table that fits an error best."""
    return PROBLEMS[_class_of(error)]


def type_of(error: PolicygraphError, base: str) -> str:
    """Return the IRI of the type of an error's problem documents."""
    return f"{base}problems#{name_of(_class_of(error))}"


def name_of(class_: type[PolicygraphError]) -> str:
    """Return the name of a class of errors in the IRI of its type: `query-fault`."""
    return _WORDS.sub("-", class_.__name__).lower()


def _class_of(error: PolicygraphError) -> type[PolicygraphError]:
    found = (class_ for class_ in type(error).__mro__ if class_ in PROBLEMS)
    return next(found, faults.Unforeseen)
