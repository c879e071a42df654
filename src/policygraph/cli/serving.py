"""The command that serves: its options, each with an environment variable of its own."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from policygraph.cli.running import Settings as Chosen

_CORES = os.cpu_count() or 1
_MEBIBYTE = 1024 * 1024
_IN_MEMORY = Path("memory")


def _folder(_context: click.Context, _option: click.Parameter, given: Path) -> Path | None:
    """Return the folder of a store; None where it is held in memory."""
    return None if given == _IN_MEMORY else given.absolute()


def _endpoints(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the endpoints that are given. Raises BadParameter for what is none."""
    for iri in given:
        if not iri.startswith(("http://", "https://")):
            raise click.BadParameter(f"{iri}: give the http(s) address of a SPARQL endpoint")
    return given


def _option(*names: str, **attributes: Any) -> click.Option:  # noqa: ANN401 - click's own
    return click.Option(names, **{"show_default": True, "show_envvar": True} | attributes)


OPTIONS = (
    _option("--host", default="127.0.0.1", help="The address to listen on."),
    _option("--port", default=8000, type=click.IntRange(1, 65535), help="The port."),
    _option(
        "--workers",
        default=_CORES,
        show_default="the number of cores",
        type=click.IntRange(1, 256),
        help="The processes that answer.",
    ),
    _option(
        "--timeout",
        default=30.0,
        type=click.FloatRange(0.1, 3600),
        help="The seconds that a query may run.",
    ),
    _option(
        "--memory",
        default=1024,
        metavar="MIB",
        type=click.IntRange(16, 1024 * 1024),
        help="The MiB of memory that a query may use.",
    ),
    _option(
        "--queries",
        default=max(2, _CORES),
        show_default="the number of cores, at least 2",
        type=click.IntRange(1, 1024),
        help="The queries that run at once.",
    ),
    _option(
        "--store",
        default=_IN_MEMORY,
        metavar="memory|DIR",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_folder,
        help="Where the graph is held: in memory, or on disk, in a folder of snapshots.",
    ),
    _option(
        "--allow-service",
        multiple=True,
        metavar="IRI",
        callback=_endpoints,
        help="An endpoint that a query may ask by SERVICE; repeat it for more.",
    ),
    _option(
        "--proxies",
        default=0,
        type=click.IntRange(0, 16),
        help="Your own proxies in front, whose X-Forwarded-For says who asks.",
    ),
    _option(
        "--access-log",
        metavar="FILE|-",
        help="Log each request, as a line of JSON, to a file or to standard error ('-').",
    ),
    _option(
        "--watch/--no-watch",
        default=False,
        help="Serve the project's files anew when they have changed. SIGHUP does so at any time.",
    ),
)
"""To add an option, add a row, a field of `web.settings.Settings`, and a line in `serve`."""


@click.command(
    params=list(OPTIONS),
    epilog="Example: policygraph serve --host 0.0.0.0 --proxies 1 --access-log -",
)
@click.pass_obj
def serve(chosen: Chosen, /, **given: Any) -> None:  # noqa: ANN401 - the table's options
    """Build the graph, check it, and serve pages and the SPARQL endpoint."""
    _end_quietly()
    from policygraph.server import serve as run
    from policygraph.web.settings import Settings
    from policygraph.workers import LIMITS

    limits = replace(
        LIMITS,
        seconds=given["timeout"],
        memory=given["memory"] * _MEBIBYTE,
        running=given["queries"],
        per_client=max(1, given["queries"] - 1),
    )
    settings = Settings(
        host=given["host"],
        port=given["port"],
        processes=given["workers"],
        limits=limits,
        allowed_services=given["allow_service"],
        proxies=given["proxies"],
        access_log=given["access_log"],
        watch=given["watch"],
        store=given["store"],
    )
    run(chosen.open(), settings)


def _end_quietly() -> None:
    """Let a signal that comes while modules are loaded end the command, without a word."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: sys.exit(0))


COMMANDS = (serve,)
