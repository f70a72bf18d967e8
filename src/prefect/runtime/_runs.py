"""Finds the run that the runtime attributes are about: from the context, else from the environment through the API."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any
from uuid import UUID

from prefect.context import FlowRunContext, TaskRunContext


def flow_context() -> Any:
    """The flow run's context, or None."""
    return FlowRunContext.get()


def task_context() -> Any:
    """The task run's context, or None."""
    return TaskRunContext.get()


def current_flow_run_id() -> str | None:
    """The id of the current flow run: of the flow, of the task's flow, or the one that this process was started for."""
    context = flow_context()
    if context is not None and context.flow_run is not None:
        return str(context.flow_run.id)
    task = task_context()
    if task is not None:
        return str(task.record.flow_run_id) if task.record.flow_run_id else None
    return os.environ.get("PREFECT__FLOW_RUN_ID")


def current_flow_run() -> Any:
    """The current flow run, or None."""
    context = flow_context()
    if context is not None and context.flow_run is not None:
        return context.flow_run
    id = current_flow_run_id()
    return None if id is None else read_flow_run(id)


@lru_cache(maxsize=64)
def _flow_name(flow_id: str) -> str:
    from prefect.client._calls.flows import read_flow  # noqa: PLC0415 - only asked for outside the flow's own context
    from prefect.client._send import send  # noqa: PLC0415

    return send(read_flow(UUID(flow_id))).name


def flow_name(flow_run: Any) -> str:
    """The name of the flow of a run."""
    return _flow_name(str(flow_run.flow_id))


def read_flow_run(id: str | UUID) -> Any:
    """A flow run, from the API."""
    from prefect.client._calls.flow_runs import read_flow_run as call  # noqa: PLC0415 - only asked for outside a context
    from prefect.client._send import send  # noqa: PLC0415

    return send(call(UUID(str(id))))


def parent_of(flow_run: Any) -> Any:
    """The flow run that called this one, or None."""
    if flow_run is None or flow_run.parent_task_run_id is None:
        return None
    from prefect.client._calls.task_runs import read_task_run  # noqa: PLC0415 - only asked for in nested runs
    from prefect.client._send import send  # noqa: PLC0415

    parent_task = send(read_task_run(flow_run.parent_task_run_id))
    return read_flow_run(parent_task.flow_run_id) if parent_task.flow_run_id else None


def root_of(flow_run: Any) -> Any:
    """The topmost run that this one was called from, itself if from none."""
    parent = parent_of(flow_run)
    while parent is not None:
        flow_run, parent = parent, parent_of(parent)
    return flow_run
