"""Workers that ran infrastructure blocks are gone: other types of workers took their place."""

from prefect._compat.moves import old_names

__getattr__ = old_names(__name__, removed={"BlockWorker": "another type of workers, such as `process`"})
