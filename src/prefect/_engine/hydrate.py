"""Makes run contexts again, in another process, from what `serialize_context` kept of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from prefect._engine.lineage import Lineage
from prefect.context import FlowRunContext, TaskRunContext
from prefect.task_runners import ThreadPoolTaskRunner


@contextmanager
def flow_context_from(fields: dict[str, Any]) -> Generator[FlowRunContext, None, None]:
    """A detached flow run context: the flow run itself goes on elsewhere, and tasks submitted here run here."""
    flow = fields.get("flow")
    runner = flow.task_runner.duplicate() if flow is not None else ThreadPoolTaskRunner()
    with runner, FlowRunContext(**fields, task_runner=runner, detached=True, run_results=Lineage()) as context:
        yield context


class _FinishedElsewhere:
    """Stands for a task run whose life is led in another process."""

    def __init__(self, task_run: Any) -> None:
        self.task_run = task_run
        self.record = task_run


@contextmanager
def task_context_from(fields: dict[str, Any]) -> Generator[TaskRunContext, None, None]:
    """The context of a task run that is led elsewhere: what runs inside knows its parent."""
    fields = dict(fields)
    task_run = fields.pop("task_run")
    with TaskRunContext(**fields, _run=_FinishedElsewhere(task_run)) as context:
        yield context


__all__ = ["flow_context_from", "task_context_from"]
