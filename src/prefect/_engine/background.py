"""Creates background task runs: recorded as scheduled, their arguments stored, for a task worker to pick up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from prefect import _current
from prefect._engine.inputs import as_inputs, scan
from prefect._engine.mapping import mapped_calls
from prefect._engine.task_run import TaskExecution
from prefect.client._calls.task_runs import create_task_run_from as create_call
from prefect.client._send import send
from prefect.client.schemas.actions import StateCreate, TaskRunCreate
from prefect.client.schemas.objects import StateDetails, StateType, TaskRun
from prefect.context import FlowRunContext, TaskRunContext, serialize_context
from prefect.filesystems import LocalFileSystem
from prefect.futures import PrefectDistributedFuture, PrefectFutureList
from prefect.results import ResultStore, resolve_result_storage
from prefect.serializers import PickleSerializer
from prefect.settings import get_current_settings
from prefect.types._ids import uuid7


def parameter_store() -> ResultStore:
    """Where the arguments of background runs are kept, until a worker reads them."""
    settings = get_current_settings()
    block = settings.tasks.scheduling.default_storage_block
    storage = (
        resolve_result_storage(block, _sync=True)
        if block
        else LocalFileSystem(basepath=str(Path(settings.results.local_storage_path)))
    )
    return ResultStore(result_storage=storage, serializer=PickleSerializer())


def run_in_background(
    task: Any,
    parameters: dict[str, Any],
    wait_for: Iterable[Any] | None = None,
    dependencies: dict[str, Any] | None = None,
) -> PrefectDistributedFuture[Any]:
    """Create a background run; what it needs to run elsewhere is stored first, so that no worker finds it incomplete."""
    details = StateDetails(deferred=True)
    # What runs in a flow, or under tags, goes on in them elsewhere, with arguments or without.
    if parameters or wait_for or FlowRunContext.get() is not None or _current.tags.get():
        details.task_parameters_id = uuid4()
        stored: dict[str, Any] = {"parameters": parameters, "context": serialize_context()}
        if wait_for:
            stored["wait_for"] = list(wait_for)
        parameter_store().write(stored, key=f"parameters/{details.task_parameters_id}")
    state = StateCreate(type=StateType.SCHEDULED, name="Scheduled", state_details=details)
    task_run = _create(task, None, parameters, wait_for, dependencies, state)
    return PrefectDistributedFuture(task_run.id)


def map_in_background(
    task: Any, parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
) -> PrefectFutureList[Any]:
    """Create a background run once an item of the iterable arguments."""
    return PrefectFutureList([run_in_background(task, call, wait_for) for call in mapped_calls(task, parameters)])


def _create(
    task: Any,
    id: UUID | None,
    parameters: dict[str, Any],
    wait_for: Iterable[Any] | None,
    extra_inputs: dict[str, Any] | None,
    state: StateCreate,
) -> TaskRun:
    flow_context, parent = FlowRunContext.get(), TaskRunContext.get()
    flow_run = flow_context.flow_run if flow_context else None
    inputs: dict[str, Any] = {name: [] for name in parameters}
    inputs.update(scan(parameters, wait_for, flow_context.run_results if flow_context else None).inputs)
    inputs.update(as_inputs(extra_inputs or {}))
    if parent is not None:
        inputs["__parents__"] = [{"input_type": "task_run", "id": str(parent.record.id)}]
    run_id = id or uuid7()
    key = str(run_id)
    return send(
        create_call(
            TaskRunCreate(
                id=run_id,
                name=f"{task.name}-{key[-3:]}" if flow_context else task.name,
                flow_run_id=flow_run.id if flow_run else None,
                task_key=task.task_key,
                dynamic_key=key,
                task_version=task.version,
                tags=sorted(task.tags | _current.tags.get()),
                empirical_policy=task._run_policy,
                task_inputs=inputs,
                state=state,
            )
        )
    )


async def create_task_run(
    task: Any,
    id: UUID | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    extra_task_inputs: dict[str, Any] | None = None,
    deferred: bool = False,
) -> TaskRun:
    """Create a run of a task through the API, pending, or scheduled for a worker."""
    if deferred:
        state = StateCreate(type=StateType.SCHEDULED, name="Scheduled", state_details=StateDetails(deferred=True))
    else:
        state = StateCreate(type=StateType.PENDING, name="Pending")
    return _create(task, id, parameters or {}, wait_for, extra_task_inputs, state)


async def create_local_task_run(
    task: Any,
    id: UUID | None = None,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    extra_task_inputs: dict[str, Any] | None = None,
) -> TaskRun:
    """A pending run of a task that the API learns of when it is run."""
    execution = TaskExecution(task, parameters or {}, wait_for, run_id=id, dependencies=extra_task_inputs)
    execution.enter("PENDING", "Pending")
    return execution.task_run
