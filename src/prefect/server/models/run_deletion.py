"""Deletes what belongs to runs, in the tables where the database does not do it by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.server.database.store import Transaction


def delete_flow_run_records(tx: Transaction, flow_runs: str, params: Sequence[Any]) -> None:
    """Delete the task runs and logs of flow runs, and free the slots that they hold; subflow runs stay, without parents.

    Args:
        flow_runs: A SELECT of the ids of the flow runs.
        params: The values of its parameters.
    """
    _release_slots(tx, flow_runs, params)
    delete_task_run_records(tx, f"SELECT id FROM task_run WHERE flow_run_id IN ({flow_runs})", params)
    tx.execute(f"DELETE FROM log WHERE flow_run_id IN ({flow_runs})", params)
    tx.execute(f"DELETE FROM task_run WHERE flow_run_id IN ({flow_runs})", params)


def _release_slots(tx: Transaction, flow_runs: str, params: Sequence[Any]) -> None:
    held = tx.fetch_all(f"SELECT DISTINCT holder_id FROM concurrency_lease WHERE holder_id IN ({flow_runs})", params)
    if held:
        from prefect.server.models.concurrency_leases import release_holder  # noqa: PLC0415 - few runs hold slots

        for row in held:
            release_holder(tx, row["holder_id"])


def delete_task_run_records(tx: Transaction, task_runs: str, params: Sequence[Any]) -> None:
    """Delete the states and logs of task runs, and let go of the subflow runs that they track.

    Args:
        task_runs: A SELECT of the ids of the task runs.
        params: The values of its parameters.
    """
    tx.execute(f"UPDATE flow_run SET parent_task_run_id = NULL WHERE parent_task_run_id IN ({task_runs})", params)
    states = f"SELECT id FROM task_run_state WHERE task_run_id IN ({task_runs})"
    tx.execute(f"DELETE FROM task_run_state_cache WHERE task_run_state_id IN ({states})", params)
    tx.execute(f"DELETE FROM task_run_state WHERE task_run_id IN ({task_runs})", params)
    tx.execute(f"DELETE FROM log WHERE task_run_id IN ({task_runs})", params)
