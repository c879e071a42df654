"""Every deliberate error of policygraph.

PolicygraphError             what a caller can catch; the message says what, where, what to do
├── ProjectError             a folder that is no project, cannot be read or cannot be written
├── SourceTextError          a source text that cannot be read, or is not the one it was
├── SyntaxFault              a Turtle (or other RDF) file that does not parse; has line and column
├── QueryFault               a query that does not parse or cannot be run; has line and column
├── UnknownThing             a name, statement or query that is not in the project
├── CheckFailed              a release or a server was refused because a rule is broken
└── LimitReached             a query did not keep to what a query may use
    ├── TimedOut             it ran too long
    ├── OutOfMemory          it took too much memory
    ├── AnswerTooLarge       its answer has too many bytes
    ├── TooComplex           it is nested too deeply to be read
    ├── TooBusy              it found no place among the queries that run, or made room for others
    ├── TooManyFromOne       its client has as many others running and waiting as one may have
    └── ClientGone           nobody is left to read its answer
"""


class PolicygraphError(Exception):
    """The base of all errors a user can cause."""


class ProjectError(PolicygraphError):
    """A folder is not a project, or cannot be read or written."""


class SourceTextError(PolicygraphError):
    """A source text cannot be read, or differs from the text its passages were taken from."""


class UnknownThing(PolicygraphError):
    """Nothing in the project has this name."""


class CheckFailed(PolicygraphError):
    """A rule is broken, so nothing is published."""


class LimitReached(PolicygraphError):
    """A query did not keep to what a query may use."""


class TimedOut(LimitReached):
    """A query ran longer than it may."""


class OutOfMemory(LimitReached):
    """A query took more memory than it may."""


class AnswerTooLarge(LimitReached):
    """An answer has more bytes than it may."""


class TooComplex(LimitReached):
    """A query is nested too deeply to be read."""


class TooBusy(LimitReached):
    """As many queries run and wait as may, or this one was ended to make room for others."""


class TooManyFromOne(LimitReached):
    """One client has as many queries running and waiting as one may have."""


class ClientGone(LimitReached):
    """The client has left before its answer was ready."""


class _FaultAt(PolicygraphError):
    """An error at a place in a text: `line` and `column` count from 1; None means not known."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class SyntaxFault(_FaultAt):
    """An RDF file does not parse."""


class QueryFault(_FaultAt):
    """A SPARQL query does not parse, or the engine refuses it."""
