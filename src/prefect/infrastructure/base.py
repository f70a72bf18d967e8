"""The base of infrastructure blocks is gone: workers took their place."""

from prefect._compat.moves import old_names

__getattr__ = old_names(__name__, removed={"Infrastructure": "a worker of `prefect.workers`"})
