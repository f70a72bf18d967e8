"""Responsible for marking scheduled runs as late that nobody has started in time (`server.services.late_runs`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import StateDetails, StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.orchestration.policies import LATE_FLOW_POLICY
from prefect.server.services._batches import handle_each
from prefect.settings import get_current_settings

BATCH = 200
"""Runs that are marked in one transaction."""


def run_once(tx: Transaction, now: datetime) -> int:
    """Mark runs late that should have started `after_seconds` (15) ago, the longest overdue first; at most `BATCH`.

    A run whose deployment has no slot left and wants no waiting runs is cancelled instead.
    """
    rows = tx.fetch_all(
        "SELECT id, next_scheduled_start_time FROM flow_run WHERE state_type = 'SCHEDULED' AND state_name = 'Scheduled' "
        f"AND next_scheduled_start_time <= ? ORDER BY next_scheduled_start_time LIMIT {BATCH}"
        # A run that is just being started is not late.
        + tx.dialect.for_update(skip_locked=True),
        (now - get_current_settings().server.services.late_runs.after_seconds,),
    )

    def mark(row: Any) -> bool:
        run_id = decode_id(row["id"])
        assert run_id is not None
        details = StateDetails(scheduled_time=decode_time(row["next_scheduled_start_time"]))
        late = StateCreate(type=StateType.SCHEDULED, name="Late", state_details=details)
        outcome = set_flow_run_state(tx, run_id, late, policy=LATE_FLOW_POLICY, now=now)
        return outcome is not None and outcome.is_written

    return handle_each(tx, rows, mark)
