"""Queries from outside, run where they can be killed: in processes of their own.

The engine can neither be stopped nor told a limit, it calls out when a query says so, and its
parsers can be made to crash. So what a stranger sends is parsed and evaluated in a process that
shares the graph with others, has no sockets and a bounded memory, and is ended when its time is up.

    main process   ForkServer ──starts──▶ forkserver    holds the graph
    web process    Pool ──connects to──▶ forkserver ──forks──▶ child (a worker)
                   Pool ──asks──▶ Places                which queries run, over all web processes
"""

from policygraph.workers.limits import LIMITS, Limits
from policygraph.workers.places import Places
from policygraph.workers.pool import Pool, pool_over
from policygraph.workers.starting import ForkServer
from policygraph.workers.task import Reply, Task

__all__ = ["LIMITS", "ForkServer", "Limits", "Places", "Pool", "Reply", "Task", "pool_over"]
