"""What task workers ask the API: which background runs there are, and whether one of them is theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

from prefect.client._calls.task_runs import delete_task_run, read_task_runs, set_task_run_state
from prefect.client._send import send_async
from prefect.client.schemas.filters import TaskRunFilter
from prefect.client.schemas.objects import State, StateDetails, StateType, TaskRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import TaskRunSort
from prefect.exceptions import ObjectNotFound

_PAGE = 200
_WAITING = TaskRunFilter.model_validate({"state": {"type": {"any_": ["SCHEDULED"]}, "name": {"any_": ["Scheduled"]}}})


async def scheduled_runs(task_keys: Collection[str]) -> AsyncIterator[TaskRun]:
    """The background runs that wait for a worker of these tasks, the oldest first."""
    offset = 0
    while True:
        page = await send_async(
            read_task_runs(
                task_run_filter=_WAITING, sort=TaskRunSort.EXPECTED_START_TIME_ASC, limit=_PAGE, offset=offset
            )
        )
        passed = 0
        for run in page:
            if run.task_key in task_keys and run.state is not None and run.state.state_details.deferred:
                # What is taken leaves the pages, so that only what is left behind counts for the next one.
                yield run
            else:
                passed += 1
        if len(page) < _PAGE or passed < len(page):
            return
        offset += _PAGE


async def claim(task_run: TaskRun) -> TaskRun | None:
    """Take a scheduled run for this process. None if another worker was faster, or the run is not due or gone."""
    details = StateDetails(deferred=True)
    if task_run.state is not None:
        details.task_parameters_id = task_run.state.state_details.task_parameters_id
    wanted: State[Any] = State(type=StateType.PENDING, name="Pending", state_details=details)
    try:
        answer = await send_async(set_task_run_state(task_run.id, wanted).as_holder())
    except ObjectNotFound:
        return None
    if answer.status is not SetStateStatus.ACCEPT or answer.state is None or not answer.state.is_pending():
        return None
    state = answer.state
    return task_run.model_copy(
        update={"state": state, "state_id": state.id, "state_type": state.type, "state_name": state.name}
    )


async def delete(task_run: TaskRun) -> None:
    """Delete a run; one that is gone already is as good."""
    try:
        await send_async(delete_task_run(task_run.id))
    except ObjectNotFound:
        return


async def fail(task_run: TaskRun, message: str) -> None:
    """Give a run that can never run its final state."""
    failed: State[Any] = State(type=StateType.FAILED, name="Failed", message=message)
    await send_async(set_task_run_state(task_run.id, failed, force=True))
