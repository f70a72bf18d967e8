"""Responsible for failing paused and suspended runs that nobody has resumed in time (`server.services.pause_expirations`)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.models.states import JOINED_STATE_COLUMNS, read_joined_state
from prefect.server.orchestration.policies import MINIMAL_FLOW_POLICY
from prefect.server.services._batches import handle_each, is_still_in

BATCH = 200
"""Runs that are failed in one transaction."""


def run_once(tx: Transaction, now: datetime) -> int:
    """Fail the runs whose pause has timed out; at most `BATCH`."""
    # The timeout stands in the state's JSON, in whatever form the client gave it; paused runs are few.
    rows = tx.fetch_all(
        f"SELECT r.id AS run_id, {JOINED_STATE_COLUMNS} FROM flow_run r JOIN flow_run_state s ON s.id = r.state_id "
        "WHERE r.state_type = 'PAUSED' ORDER BY r.state_timestamp"
    )
    expired: list[tuple[UUID, UUID]] = []
    for row in rows:
        state, run_id = read_joined_state(row), decode_id(row["run_id"])
        assert state is not None and run_id is not None
        timeout = state.state_details.pause_timeout
        if timeout is not None and timeout < now:
            expired.append((run_id, state.id))

    def fail(found: tuple[UUID, UUID]) -> bool:
        run_id, state_id = found
        if not is_still_in(tx, run_id, state_id):
            return False
        failed = StateCreate(type=StateType.FAILED, message="The flow was paused and never resumed.")
        outcome = set_flow_run_state(tx, run_id, failed, policy=MINIMAL_FLOW_POLICY, now=now)
        return outcome is not None and outcome.is_written

    return handle_each(tx, expired[:BATCH], fail)
