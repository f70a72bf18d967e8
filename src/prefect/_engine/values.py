"""What a function returned, read as a run's outcome."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from prefect._recorder import StateRecord, TaskRunRecord
from prefect._state_values import is_result_record, is_state_iterable, state_of_return_value
from prefect.client.schemas.objects import State, StateDetails, StateType

_NEVER_STATES = frozenset({str, int, float, bool, type(None), bytes, dict})


def materialise(value: Any) -> Any:
    """A returned generator becomes the list of what it yields; everything else stays as it is."""
    return list(value) if inspect.isgenerator(value) else value


def returned_state(value: Any, record: Callable[[Any], Any]) -> State | None:
    """The state that a return value stands for, or None for a plain value (which is a completed run's result).

    Args:
        value: What the function returned, its futures resolved to states.
        record: Makes of a result what the state carries.
    """
    if type(value) in _NEVER_STATES:
        return None
    if isinstance(value, State) or is_state_iterable(value) or is_result_record(value):
        return state_of_return_value(value, record)
    return None


def state_from_record(record: StateRecord, run: TaskRunRecord, store: Any) -> State:
    """The model of a recorded state. A plain result becomes a result record, so that `state.result()` finds it."""
    data = record.data
    if record.type == "COMPLETED" and not is_result_record(data):
        data = store.create_result_record(data)
    return State.model_construct(
        id=record.id,
        type=StateType(record.type),
        name=record.name,
        timestamp=record.timestamp,
        message=record.message,
        data=data,
        state_details=StateDetails(flow_run_id=run.flow_run_id, task_run_id=run.id, **(record.details or {})),
    )
