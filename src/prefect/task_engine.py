"""Entry points of the task engine, for task runners of other packages."""

from prefect._engine.run_tasks import (
    run_generator_task_async,
    run_generator_task_sync,
    run_task,
    run_task_async,
    run_task_sync,
)
from prefect._engine.task_run import TaskRunTimeoutError

__all__ = [
    "TaskRunTimeoutError",
    "run_generator_task_async",
    "run_generator_task_sync",
    "run_task",
    "run_task_async",
    "run_task_sync",
]
