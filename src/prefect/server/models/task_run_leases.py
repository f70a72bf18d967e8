"""Leases on task runs that no flow run's process answers for: those outside of flows, and those of task workers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect._outside_flows import OutsideFlows, is_under_way
from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateType
from prefect.server.database.store import Transaction
from prefect.server.database.values import encode_params, plain_time
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models.flow_run_leases import AT_ONCE, end_task_runs, lease_span, not_heard_of
from prefect.server.models.task_run_transitions import set_task_run_state
from prefect.server.orchestration.policies import MINIMAL_TASK_POLICY

_COLUMNS = "task_run_id, holder, expires_at"
_TAKE_OVER = "ON CONFLICT (task_run_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
_LET_GO = "DELETE FROM task_run_lease WHERE task_run_id = ?"


def hold_outside_flows(tx: Transaction, outside: OutsideFlows, holder: str) -> timedelta | None:
    """Hold the runs that are under way for the process that has told of them, and let go of those that are over.

    Returns:
        How long the leases last that the holder has now; None where these runs give it none.
    """
    over = outside.known_and_over
    if over:
        tx.execute_many(_LET_GO, [encode_params((id,)) for id in over])
    if not outside.under_way:
        return None
    span = lease_span()
    expires_at = plain_time(tx.now + span)
    # In the order of their ids: whoever stores leases on the same runs at the same time takes them in turn.
    runs = [outside.under_way[number] for number in sorted(outside.under_way)]
    tx.insert_many("task_run_lease", _COLUMNS, [(id, holder, expires_at) for id in runs], _TAKE_OVER)
    return span


def follow_task_run_state(
    tx: Transaction, task_run_id: UUID, state: State[Any], holder: str | None
) -> timedelta | None:
    """Hold a run that `holder` takes on, and let go of one that has ended or waits for somebody else to start it.

    Args:
        state: What the run has just entered.
        holder: The process that has moved it; None where that does not say that it runs it.

    Returns:
        How long the lease lasts that the holder has now; None when it has none.
    """
    if not is_under_way(state.type.value, state.name):
        tx.execute(_LET_GO, (task_run_id,))
        return None
    if holder is None:
        return None
    span = lease_span()
    tx.execute(
        f"INSERT INTO task_run_lease ({_COLUMNS}) VALUES (?, ?, ?) {_TAKE_OVER}", (task_run_id, holder, tx.now + span)
    )
    return span


def renew_task_run_leases(tx: Transaction, holder: str) -> int:
    """Make the leases of a holder last again, but for those whose run is over; returns how many there are.

    Background runs that belong to a flow are told of together with the flow's other task runs, where nobody looks
    whether one of them is held: they are let go of here.
    """
    # What others hold back is just being moved: its lease is new, or goes.
    rows = tx.fetch_all(
        "SELECT lease.task_run_id, task_run.state_type, task_run.state_name FROM task_run_lease lease "
        "LEFT JOIN task_run ON task_run.id = lease.task_run_id WHERE lease.holder = ?"
        + tx.dialect.for_update(of="lease", skip_locked=True),
        (holder,),
    )
    if not rows:
        return 0
    expires_at = tx.now + lease_span()
    lasting = [row["task_run_id"] for row in rows if is_under_way(row["state_type"], row["state_name"])]
    over = {row["task_run_id"] for row in rows} - set(lasting)
    tx.execute_many(_LET_GO, [encode_params((id,)) for id in over])
    tx.execute_many(
        "UPDATE task_run_lease SET expires_at = ? WHERE task_run_id = ?",
        [encode_params((expires_at, id)) for id in lasting],
    )
    return len(lasting)


def end_abandoned_task_runs(tx: Transaction, now: datetime) -> list[UUID]:
    """End the runs whose lease is over, as crashed, or as cancelled where that was asked for; returns their ids.

    A lease on a run that is over, or gone, is only forgotten. The same run is never ended twice, by any number of
    processes.
    """
    rows = tx.fetch_all(
        f"SELECT task_run_id, holder FROM task_run_lease WHERE expires_at < ? ORDER BY expires_at LIMIT {AT_ONCE}",
        (now,),
    )
    return [UUID(str(row["task_run_id"])) for row in rows if _end(tx, row["task_run_id"], row["holder"], now)]


def _end(tx: Transaction, task_run_id: Any, holder: str, now: datetime) -> bool:
    # The run first, then its lease, as whoever moves a run. One that is just being moved is alive.
    lock = tx.dialect.for_update(skip_locked=True)
    run = tx.fetch_one("SELECT flow_run_id, state_type, state_name FROM task_run WHERE id = ?" + lock, (task_run_id,))
    lease = tx.fetch_one(
        "SELECT expires_at FROM task_run_lease WHERE task_run_id = ? AND holder = ? AND expires_at < ?" + lock,
        (task_run_id, holder, now),
    )
    if lease is None:
        return False  # renewed meanwhile
    if run is None:
        tx.execute(f"{_LET_GO} AND NOT EXISTS (SELECT 1 FROM task_run WHERE id = ?)", (task_run_id, task_run_id))
        return False
    tx.execute(_LET_GO, (task_run_id,))
    if not is_under_way(run["state_type"], run["state_name"]):
        return False
    is_cancelling = run["state_type"] == StateType.CANCELLING.value
    wanted = StateCreate(
        type=StateType.CANCELLED if is_cancelling else StateType.CRASHED, message=not_heard_of("task run", holder)
    )
    # As of when its process was heard of last: if it lives after all, what it did since is newer than this guess.
    heard_of = min(decode_time(lease["expires_at"]) - lease_span(), now)  # type: ignore[operator]
    id = UUID(str(task_run_id))
    set_task_run_state(tx, id, wanted, policy=MINIMAL_TASK_POLICY, now=heard_of)
    flow_run_id = decode_id(run["flow_run_id"])
    if flow_run_id is not None:  # outside of flows, the tasks that it called have leases of their own
        end_task_runs(tx, flow_run_id, wanted, heard_of, within=id)
    return True
