"""Task workers, as the API tells of them."""

from prefect.client.schemas._base import PrefectBaseModel
from prefect.types import DateTime

__all__ = ["TaskWorkerFilter", "TaskWorkerResponse"]


class TaskWorkerFilter(PrefectBaseModel):
    """Which task workers: those that run at least one of some tasks."""

    task_keys: list[str]


class TaskWorkerResponse(PrefectBaseModel):
    """A task worker, the tasks that it runs, and when it was last heard of."""

    identifier: str
    task_keys: list[str]
    timestamp: DateTime
