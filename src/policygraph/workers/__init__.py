"""Queries from outside, run where they can be killed: in processes of their own.

The engine can neither be stopped nor told a limit, it calls out when a query says so, and its
parsers can be made to crash. So what a stranger sends is parsed and evaluated in a process that
holds a copy of the graph, has no sockets and a bounded memory, and is ended when its time is up.
"""

from policygraph.workers.limits import LIMITS, Limits
from policygraph.workers.pool import Pool
from policygraph.workers.task import Reply, Task

__all__ = ["LIMITS", "Limits", "Pool", "Reply", "Task"]
