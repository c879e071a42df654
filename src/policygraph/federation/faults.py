"""What can go wrong with a SERVICE. `web/errors.py` says which status each has."""

from policygraph.errors import PolicygraphError


class ServiceRefused(PolicygraphError):
    """A query asks an endpoint that it may not ask, or in a way that is not understood."""


class ServiceFailed(PolicygraphError):
    """An endpoint that a query asks did not answer, or not as it should."""

    def __init__(self, endpoint: str, what: str) -> None:
        super().__init__(
            f"<{endpoint}>, which the query asks, {what}; SERVICE SILENT would go on without it"
        )


class ServiceTimedOut(ServiceFailed):
    """An endpoint that a query asks did not answer in time."""
