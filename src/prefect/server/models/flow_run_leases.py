"""Leases on running flow runs: the process that runs one renews it, and a run whose lease has ended has lost its process."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateType
from prefect.server.database.store import Transaction
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.models.states import read_flow_run_state, read_task_run_states
from prefect.server.models.task_run_transitions import set_task_run_state
from prefect.server.orchestration.policies import MINIMAL_FLOW_POLICY, MINIMAL_TASK_POLICY

LEASE = timedelta(seconds=60)
AT_ONCE = 200
"""How many runs one round looks at."""

_HOLD = """
    INSERT INTO flow_run_lease (flow_run_id, holder, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (flow_run_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"""

# A task run that tracks a subflow run follows that run, which has a lease of its own or runs elsewhere.
_UNFINISHED_TASK_RUNS = """
    SELECT id FROM task_run
    WHERE flow_run_id = ? AND (state_type IN ('RUNNING', 'CANCELLING', 'SCHEDULED')
        OR (state_type = 'PENDING' AND state_name <> 'NotReady'))
        AND NOT EXISTS (SELECT 1 FROM flow_run child WHERE child.parent_task_run_id = task_run.id)"""


def follow_state(tx: Transaction, flow_run_id: UUID, state: State, holder: str) -> None:
    """Hold a run that `holder` takes on, and let go of one that has ended or waits for somebody else to start it."""
    waits_elsewhere = state.is_paused() and bool(state.state_details.pause_reschedule)
    if state.is_final() or waits_elsewhere:
        tx.execute("DELETE FROM flow_run_lease WHERE flow_run_id = ?", (flow_run_id,))
    else:
        tx.execute(_HOLD, (flow_run_id, holder, tx.now + LEASE))


def renew_leases(tx: Transaction, holder: str) -> int:
    """Make all leases of a holder last again; returns how many there are."""
    return tx.execute("UPDATE flow_run_lease SET expires_at = ? WHERE holder = ?", (tx.now + LEASE, holder))


def end_abandoned_runs(tx: Transaction, now: datetime) -> list[UUID]:
    """End the runs whose lease is over, as crashed, or as cancelled where that was asked for; returns their ids.

    A lease on a run that has ended, or waits for somebody else to start it, is only forgotten. The same run is never
    ended twice, by any number of processes.
    """
    rows = tx.fetch_all(
        f"SELECT flow_run_id, holder FROM flow_run_lease WHERE expires_at < ? ORDER BY expires_at LIMIT {AT_ONCE}",
        (now,),
    )
    return [UUID(str(row["flow_run_id"])) for row in rows if _end(tx, row["flow_run_id"], row["holder"], now)]


def _end(tx: Transaction, flow_run_id: UUID, holder: str, now: datetime) -> bool:
    # The run first, then its lease: whoever moves a run takes them in this order. One that is just being moved is alive.
    run = tx.fetch_one(
        "SELECT state_id, state_type, deployment_id FROM flow_run WHERE id = ?"
        + tx.dialect.for_update(skip_locked=True),
        (flow_run_id,),
    )
    if run is None:
        return False
    if tx.execute("DELETE FROM flow_run_lease WHERE flow_run_id = ? AND expires_at < ?", (flow_run_id, now)) == 0:
        return False  # renewed meanwhile
    state_type = _end_of(tx, run)
    if state_type is None:
        return False
    message = (
        f"The process that ran this flow run ({holder}) has not been heard of for "
        f"{LEASE.total_seconds():.0f} seconds: it was killed, or its machine stopped."
    )
    wanted = StateCreate(type=state_type, message=message)
    set_flow_run_state(tx, flow_run_id, wanted, policy=MINIMAL_FLOW_POLICY, now=now)
    _end_task_runs(tx, flow_run_id, wanted, now)
    return True


def _end_of(tx: Transaction, run: Any) -> StateType | None:
    """How a run ends that has lost its process; None when it needs none."""
    if run["state_type"] in _ENDED:
        return None
    if run["state_type"] == "CANCELLING":
        return StateType.CANCELLED
    if run["state_type"] == "SCHEDULED" and run["deployment_id"] is not None:
        return None  # whoever serves the deployment starts it
    if run["state_type"] == "PAUSED":
        state = read_flow_run_state(tx, run["state_id"])
        if state is not None and state.state_details.pause_reschedule:
            return None  # it is started anew when it is resumed
    return StateType.CRASHED


_ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


def _end_task_runs(tx: Transaction, flow_run_id: UUID, wanted: StateCreate, now: datetime) -> None:
    for row in tx.fetch_all(_UNFINISHED_TASK_RUNS, (flow_run_id,)):
        task_run_id = UUID(str(row["id"]))
        # A background run belongs to the task worker that takes it, not to the flow that asked for it.
        if not any(state.state_details.deferred for state in read_task_run_states(tx, task_run_id)):
            set_task_run_state(tx, task_run_id, wanted, policy=MINIMAL_TASK_POLICY, now=now)
