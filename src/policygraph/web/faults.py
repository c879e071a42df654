"""The errors that only a request can cause. `errors.py` says which status each has."""

from policygraph.errors import PolicygraphError


class RequestFault(PolicygraphError):
    """A request lacks something, has it twice, or asks for what is not done here."""


class CallRefused(PolicygraphError):
    """A query would make this server call another one."""


class UpdateRefused(PolicygraphError):
    """Somebody tries to change the graph."""


class UnsupportedBody(PolicygraphError):
    """The body of a request has a media type that is not understood here."""


class NotAcceptable(PolicygraphError):
    """Nothing that the client accepts can hold the answer; `available` names what can."""

    def __init__(self, message: str, available: tuple[str, ...]) -> None:
        super().__init__(message)
        self.available = available
