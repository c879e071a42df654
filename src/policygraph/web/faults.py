"""The errors that only a request can cause. `problems.py` says which status each has."""

from policygraph.errors import PolicygraphError


class RequestFault(PolicygraphError):
    """A request lacks something, has it twice, or asks for what is not done here."""


class UpdateRefused(PolicygraphError):
    """Somebody tries to change the graph."""


class NotForStrangers(PolicygraphError):
    """What is asked is for those who run this server."""


class UnsupportedBody(PolicygraphError):
    """The body of a request has a media type, charset or coding that is not understood here."""


class NotAcceptable(PolicygraphError):
    """Nothing that the client accepts can hold the answer; `available` names what can."""

    def __init__(self, message: str, available: tuple[str, ...]) -> None:
        super().__init__(message)
        self.available = available


class NoSuchThing(PolicygraphError):
    """Nothing is known of what an address names."""


class Gone(PolicygraphError):
    """What an address names was withdrawn; the message gives the reason."""


class PreconditionFailed(PolicygraphError):
    """What the client holds (If-Match) is not what there is now."""


class Unforeseen(PolicygraphError):
    """Something went wrong that nobody thought of; what, is said in the log alone."""
