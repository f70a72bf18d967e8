"""Waiting for task runs that run elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from typing_extensions import Self

from prefect.client.schemas.objects import State
from prefect.futures import PrefectDistributedFuture
from prefect.logging.loggers import get_logger


class TaskRunWaiter:
    """Waits for task runs by reading them from the API until they are final. There is one for the process."""

    _instance: Self | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self.logger = get_logger("TaskRunWaiter")

    @classmethod
    def instance(cls) -> Self:
        """The one of this process."""
        with cls._lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    def start(self) -> None:
        """Does nothing: each wait reads for itself."""

    def stop(self) -> None:
        """Forget the instance; what waits goes on waiting."""
        with self._lock:
            type(self)._instance = None

    @classmethod
    async def wait_for_task_run(cls, task_run_id: UUID, timeout: float | None = None) -> State[Any] | None:
        """The final state of a task run; None if it is not final after `timeout` seconds."""
        future: PrefectDistributedFuture[Any] = PrefectDistributedFuture(task_run_id)
        await future.wait_async(timeout)
        return future._final_state

    @classmethod
    def add_done_callback(cls, task_run_id: UUID, callback: Callable[[], None]) -> None:
        """Call a function, in another thread, when a task run is final."""
        future: PrefectDistributedFuture[Any] = PrefectDistributedFuture(task_run_id)
        future.add_done_callback(lambda _: callback())


__all__ = ["TaskRunWaiter"]
