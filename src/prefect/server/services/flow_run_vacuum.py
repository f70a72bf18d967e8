"""Responsible for deleting flow runs that ended longer ago than `server.services.db_vacuum.retention_period`, if that is wanted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id
from prefect.server.models.flow_runs import delete_flow_run
from prefect.server.services._batches import handle_each
from prefect.settings import get_current_settings


def run_once(tx: Transaction, now: datetime) -> int:
    """Delete old runs that no other run has called, at most `batch_size` (200); returns how many.

    The subflow runs of a deleted run have no caller any more, and go in the rounds after it.
    """
    vacuum = get_current_settings().server.services.db_vacuum
    rows = tx.fetch_all(
        "SELECT id FROM flow_run WHERE state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') "
        "AND end_time < ? AND parent_task_run_id IS NULL ORDER BY end_time LIMIT ?"
        + tx.dialect.for_update(skip_locked=True),
        (now - vacuum.retention_period, vacuum.batch_size),
    )

    def delete(row: Any) -> bool:
        run_id = decode_id(row["id"])
        return run_id is not None and delete_flow_run(tx, run_id)

    return handle_each(tx, rows, delete)
