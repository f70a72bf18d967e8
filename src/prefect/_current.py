"""What runs right now, for the layers below the engine: context variables and nothing else.

`prefect.context` puts its context objects here; logging, events, artifacts and the like read ids and names from them
without importing the engine.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import UUID

flow_run_context: ContextVar[Any] = ContextVar("prefect_flow_run_context", default=None)
"""The active `prefect.context.FlowRunContext`: has `.flow_run` (id, name, …), `.flow`."""

task_run_context: ContextVar[Any] = ContextVar("prefect_task_run_context", default=None)
"""The active `prefect.context.TaskRunContext`: has `.task`, `.record` (id, name, flow_run_id, …;
cheap) and `.task_run` (the model, made on demand)."""

tags: ContextVar[frozenset[str]] = ContextVar("prefect_tags", default=frozenset())
"""Tags of the enclosing `with tags(...)` blocks."""

visualising: ContextVar[Any] = ContextVar("prefect_visualising", default=None)
"""The recorder of calls while a flow is drawn instead of run, else None."""

asset_context: ContextVar[Any] = ContextVar("prefect_asset_context", default=None)
"""An `AssetContext` that somebody entered; task runs have theirs made when it is asked for."""


def flow_run_id() -> UUID | None:
    """The id of the flow run that this code belongs to: of the task run's flow, else of the flow."""
    task_context = task_run_context.get()
    flow_context = flow_run_context.get()
    if flow_context is not None and flow_context.flow_run is not None:
        return flow_context.flow_run.id
    return task_context.record.flow_run_id if task_context is not None else None


def task_run_id() -> UUID | None:
    """The id of the task run that this code runs in; None directly in a flow that was called inside that task."""
    task_context = task_run_context.get()
    if task_context is None:
        return None
    flow_context = flow_run_context.get()
    if flow_context is not None and flow_context.flow_run is not None:
        owner = task_context.record.flow_run_id
        if owner is not None and owner != flow_context.flow_run.id:
            return None
    return task_context.record.id
