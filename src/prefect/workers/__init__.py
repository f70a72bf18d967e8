"""Workers, which take runs from work pools. `ProcessWorker` runs them on this machine."""

from typing import TYPE_CHECKING

from prefect.utilities._lazy import lazy_names

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker

__all__ = ["ProcessWorker"]

__getattr__ = lazy_names(__name__, {"ProcessWorker": "prefect.workers.process"})
