"""Agents are gone: workers took their place."""

from prefect._compat.moves import old_names

__getattr__ = old_names(__name__, removed={"PrefectAgent": "a worker (`prefect worker start --pool POOL`)"})
