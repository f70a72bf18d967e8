"""Responsible for ending what belongs to cancelled runs, and cancellations that nobody carries out.

Tuned by `server.services.cancellation_cleanup`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.models.task_run_transitions import set_task_run_state
from prefect.server.orchestration.policies import MINIMAL_FLOW_POLICY, MINIMAL_TASK_POLICY
from prefect.server.services._batches import handle_each, is_still_in
from prefect.settings import get_current_settings

BATCH = 100
"""Runs of each kind that are ended in one transaction."""
_LOOKS_BACK = timedelta(days=1)
_IS_TERMINAL = "IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"


def run_once(tx: Transaction, now: datetime) -> int:
    """End task runs and subflow runs of runs that were cancelled within a day, and runs that are CANCELLING for too long."""
    return _end_overdue_cancellations(tx, now) + _end_task_runs(tx, now) + _end_subflow_runs(tx, now)


def _end_overdue_cancellations(tx: Transaction, now: datetime) -> int:
    seconds = get_current_settings().server.services.cancellation_cleanup.cancelling_timeout_seconds
    rows = tx.fetch_all(
        "SELECT id, state_id FROM flow_run WHERE state_type = 'CANCELLING' AND state_timestamp <= ? "
        f"ORDER BY state_timestamp LIMIT {BATCH}",
        (now - timedelta(seconds=seconds),),
    )
    message = f"The cancellation timed out: nobody has ended the run within {seconds:g} seconds."
    return handle_each(tx, rows, lambda row: _set_flow_run(tx, row, StateType.CANCELLED, message, now))


def _end_subflow_runs(tx: Transaction, now: datetime) -> int:
    """Cancel subflow runs: what runs in the process of its parent ended with it, what has a process of its own is told to end."""
    rows = tx.fetch_all(
        "SELECT child.id, child.state_id, child.deployment_id FROM flow_run parent "
        "JOIN task_run tracker ON tracker.flow_run_id = parent.id "
        "JOIN flow_run child ON child.parent_task_run_id = tracker.id "
        f"WHERE parent.state_type = 'CANCELLED' AND parent.end_time >= ? AND NOT child.state_type {_IS_TERMINAL} "
        "AND (child.deployment_id IS NULL OR child.state_type <> 'CANCELLING') "
        f"ORDER BY child.id LIMIT {BATCH}",
        (now - _LOOKS_BACK,),
    )
    message = "The flow run that called this one was cancelled."

    def cancel(row: Any) -> bool:
        wanted = StateType.CANCELLED if row["deployment_id"] is None else StateType.CANCELLING
        return _set_flow_run(tx, row, wanted, message, now)

    return handle_each(tx, rows, cancel)


def _set_flow_run(tx: Transaction, row: Any, wanted: StateType, message: str, now: datetime) -> bool:
    run_id, state_id = decode_id(row["id"]), decode_id(row["state_id"])
    assert run_id is not None
    if state_id is None or not is_still_in(tx, run_id, state_id):
        return False
    state = StateCreate(type=wanted, message=message)
    outcome = set_flow_run_state(tx, run_id, state, policy=MINIMAL_FLOW_POLICY, now=now)
    return outcome is not None and outcome.is_written


def _end_task_runs(tx: Transaction, now: datetime) -> int:
    rows = tx.fetch_all(
        "SELECT task.id FROM flow_run parent JOIN task_run task ON task.flow_run_id = parent.id "
        "WHERE parent.state_type = 'CANCELLED' AND parent.end_time >= ? "
        f"AND (task.state_type IS NULL OR NOT task.state_type {_IS_TERMINAL}) "
        # The task run that tracks a subflow run follows that.
        f"AND NOT EXISTS (SELECT 1 FROM flow_run child WHERE child.parent_task_run_id = task.id "
        f"AND NOT child.state_type {_IS_TERMINAL}) ORDER BY task.id LIMIT {BATCH}",
        (now - _LOOKS_BACK,),
    )

    def cancel(row: Any) -> bool:
        task_run_id = decode_id(row["id"])
        assert task_run_id is not None
        # It may have ended since it was found; nothing ends twice.
        ended = tx.fetch_one(
            f"SELECT 1 FROM task_run WHERE id = ? AND (state_type IS NULL OR NOT state_type {_IS_TERMINAL})"
            + tx.dialect.for_update(),
            (task_run_id,),
        )
        if ended is None:
            return False
        state = StateCreate(type=StateType.CANCELLED, message="The flow run that called this task was cancelled.")
        outcome = set_task_run_state(tx, task_run_id, state, policy=MINIMAL_TASK_POLICY, now=now)
        return outcome is not None and outcome.is_written

    return handle_each(tx, rows, cancel)
