"""Links a nested flow run to its parent: through a task run of the parent that tracks it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from prefect._asking import ask
from prefect._engine.inputs import scan
from prefect._plans import Plan
from prefect._recorder import TaskRunRecord
from prefect.client._calls._call import Call
from prefect.client._calls.flow_runs import read_flow_run
from prefect.client._calls.task_runs import create_task_run_from
from prefect.client.schemas.actions import StateCreate, TaskRunCreate
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun
from prefect.exceptions import ObjectNotFound


def tracking_call(run: Any, parameters: dict[str, Any]) -> tuple[Call[TaskRun], bool]:
    """The call that creates, or finds, the task run that stands for a nested flow run in its parent.

    Returns:
        The call, and whether the task run may be there already.
    """
    flow = run.flow
    return tracking_call_for(flow._tracking_key, flow.name, parameters, run.parent, run.parent_task, run.wait_for)


def tracking_call_for(
    task_key: str,
    name: str,
    parameters: dict[str, Any],
    parent: Any,
    parent_task: Any,
    wait_for: Any = None,
    **fields: Any,
) -> tuple[Call[TaskRun], bool]:
    """The call that creates, or finds, the task run that stands for another flow run in the run that starts it.

    In the parent's own body its key counts the calls of the flow, so that a retried parent finds the child of its earlier
    attempt; inside a task, or in another process, the order of calls says nothing, and the key is random.

    Args:
        task_key: Says which calls are counted together.
        name: The first part of the task run's name.
        parameters: Of the other run; where they are from is noted.
        parent: The context of the flow run that starts it, or None.
        parent_task: The context of the task run that starts it, or None.
        wait_for: What it waits for besides.
        fields: More of the task run.

    Returns:
        The call, and whether the task run may be there already.
    """
    task: TaskRunRecord | None = None if parent_task is None else parent_task.record
    in_task = task is not None and (parent is None or task.flow_run_id == parent.flow_run.id)
    if in_task or parent is None or parent.detached:
        key: str = str(uuid4())
        label = key[:3]
    else:
        count = parent.task_run_dynamic_keys.get(task_key, -1) + 1  # type: ignore[operator]
        parent.task_run_dynamic_keys[task_key] = count
        key = label = str(count)
    found = scan(parameters, wait_for, parent.run_results if parent is not None else None)
    inputs: dict[str, Any] = {name: found.inputs.get(name, []) for name in (*parameters, *found.inputs)}
    if in_task and task is not None:
        inputs["__parents__"] = [{"input_type": "task_run", "id": str(task.id)}]
    owner = parent.flow_run.id if parent is not None else task.flow_run_id if task is not None else None
    call = create_task_run_from(
        TaskRunCreate(
            name=f"{name}-{label}",
            flow_run_id=owner,
            task_key=task_key,
            dynamic_key=key,
            task_inputs=inputs,
            state=StateCreate(type=StateType.PENDING, name="Pending"),
            **fields,
        )
    )
    may_exist = not in_task and parent is not None and not (parent.is_first_attempt or parent.detached)
    return call, may_exist


def earlier_child(tracking: TaskRun) -> Plan[FlowRun | None]:
    """The child of an earlier attempt that serves again: finished with a stored result, or still unfinished."""
    state = tracking.state
    child_id = state.state_details.child_flow_run_id if state is not None else None
    if state is None or child_id is None:
        return None
    if state.is_final() and not (state.is_completed() and state.data is not None):
        return None
    try:
        return (yield ask(read_flow_run(child_id)))
    except ObjectNotFound:
        return None
