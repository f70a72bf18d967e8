"""Works out what a stored state changes on its run: times, counts, and copies of the state itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect.client.schemas.objects import FlowRunPolicy, State, StateType
from prefect.server.orchestration.decisions import TERMINAL

BOOKKEEPING_COLUMNS = (
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "start_time",
    "end_time",
    "expected_start_time",
    "next_scheduled_start_time",
    "total_run_time",
    "run_count",
)


def run_changes(run: Mapping[str, Any], state: State[Any], *, counts: bool = True) -> dict[str, Any]:
    """The columns of a run that a new state changes, all of `BOOKKEEPING_COLUMNS`.

    Args:
        run: The run as it is: the same columns, with instants as datetimes.
        state: The state that it enters.
        counts: Whether entering RUNNING counts as another attempt; coming back from a pause does not.
    """
    at, is_terminal = state.timestamp, state.type in TERMINAL
    was_running = run["state_type"] == StateType.RUNNING
    start_time: datetime | None = run["start_time"]
    if start_time is None and (state.type == StateType.RUNNING or is_terminal):
        start_time = at
    end_time: datetime | None = (run["end_time"] or at) if is_terminal else None
    scheduled_time = state.state_details.scheduled_time if state.type == StateType.SCHEDULED else None
    total_run_time: float = run["total_run_time"]
    if was_running:
        total_run_time += max((at - run["state_timestamp"]).total_seconds(), 0.0)
    return {
        "state_id": state.id,
        "state_type": state.type.value,
        "state_name": state.name,
        "state_timestamp": at,
        "start_time": start_time,
        "end_time": end_time,
        "expected_start_time": run["expected_start_time"] or scheduled_time or at,
        "next_scheduled_start_time": scheduled_time,
        "total_run_time": total_run_time,
        "run_count": run["run_count"] + (1 if state.type == StateType.RUNNING and counts else 0),
    }


def ends_resuming(policy: FlowRunPolicy, state: State[Any]) -> bool:
    """Whether a flow run that was coming back from a pause has arrived with this state."""
    return bool(policy.resuming) and (state.type == StateType.RUNNING or state.type in TERMINAL)
