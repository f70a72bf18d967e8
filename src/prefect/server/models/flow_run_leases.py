"""Leases on running flow runs: the process that runs one renews it, and a run whose lease has ended has lost its process."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_time, loads
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.models.states import read_flow_run_state, read_task_run_states
from prefect.server.models.task_run_transitions import set_task_run_state
from prefect.server.orchestration.policies import MINIMAL_FLOW_POLICY, MINIMAL_TASK_POLICY
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.events.schemas.events import Event

HEARTBEATS = "heartbeats"
"""The holder of runs that are known to be alive by their heartbeat events only."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
_USUAL_BEAT = timedelta(seconds=180)
"""Between heartbeats, until two of them have shown how often they come."""
_SHORTEST_BEAT = timedelta(seconds=60)
_BEATS = 3
"""So many heartbeats must fail to come."""
_LOST = "lost:"
"""Stands before the holder of a run that was ended because nobody heard of that holder."""
AT_ONCE = 200
"""How many runs one round looks at."""

_HOLD = """
    INSERT INTO flow_run_lease (flow_run_id, holder, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (flow_run_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"""

# A task run that tracks a subflow run follows that run, which has a lease of its own or runs elsewhere.
_UNFINISHED_TASK_RUNS = """
    SELECT id, task_inputs FROM task_run
    WHERE flow_run_id = ? AND (state_type IN ('RUNNING', 'CANCELLING', 'SCHEDULED')
        OR (state_type = 'PENDING' AND state_name <> 'NotReady'))
        AND NOT EXISTS (SELECT 1 FROM flow_run child WHERE child.parent_task_run_id = task_run.id)
    ORDER BY id"""


def lease_span() -> timedelta:
    """How long a process that runs flow runs may be silent."""
    return timedelta(seconds=get_current_settings().server.services.flow_run_leases.lease_seconds)


def follow_state(tx: Transaction, flow_run_id: UUID, state: State, holder: str | None) -> timedelta | None:
    """Hold a run that `holder` takes on, and let go of one that has ended or waits for somebody else to start it.

    Args:
        state: What the run has just entered.
        holder: The process that has moved it; None where that does not say that it runs it.

    Returns:
        How long the lease lasts that the holder has now; None when it has none.
    """
    waits_elsewhere = state.is_paused() and bool(state.state_details.pause_reschedule)
    if state.is_final() or waits_elsewhere:
        tx.execute_all([("DELETE FROM flow_run_lease WHERE flow_run_id = ?", (flow_run_id,))])
        return None
    if holder is None:
        return None
    if state.is_scheduled() and state.name != "AwaitingRetry":
        return None  # whoever starts it will hold it
    span = lease_span()
    tx.execute_all([(_HOLD, (flow_run_id, holder, tx.now + span))])
    return span


def renew_leases(tx: Transaction, holder: str) -> int:
    """Make all leases of a holder last again; returns how many there are."""
    return tx.execute(
        "UPDATE flow_run_lease SET expires_at = ? WHERE holder IN (?, ?)",
        (tx.now + lease_span(), holder, _LOST + holder),
    )


def release_lease(tx: Transaction, flow_run_id: UUID, holder: str) -> None:
    """Forget the lease that a holder has on one run, if it has one."""
    tx.execute("DELETE FROM flow_run_lease WHERE flow_run_id = ? AND holder = ?", (flow_run_id, holder))


# -- heartbeats --------------------------------------------------------------------------------------------------------


def follow_heartbeat(tx: Transaction, event: Event) -> None:
    """Hold the run that a heartbeat event tells of, if its process has not said that it holds it, until three are missing.

    Clients that send none, and know no leases, are never judged by their silence.
    """
    flow_run_id = _flow_run_of(event)
    if flow_run_id is None:
        return
    lease = tx.fetch_one("SELECT holder FROM flow_run_lease WHERE flow_run_id = ?", (flow_run_id,))
    if lease is not None and lease["holder"] != HEARTBEATS:
        return
    # A run that is just being moved is alive; to wait for its row might be to wait for each other.
    run = tx.fetch_one(
        "SELECT state_timestamp FROM flow_run WHERE id = ? AND state_type IN ('RUNNING', 'CANCELLING')"
        + tx.dialect.for_update(skip_locked=True),
        (flow_run_id,),
    )
    if run is None:
        return
    began = decode_time(run["state_timestamp"])
    last = _last_heartbeat(tx, flow_run_id, before=event.occurred)
    if last is not None and began is not None and last < began - _CLOCKS_APART:
        last = None  # of an attempt before this one
    beat = _USUAL_BEAT if last is None else max(event.occurred - last, _SHORTEST_BEAT)
    tx.execute(_HOLD, (flow_run_id, HEARTBEATS, tx.now + _BEATS * beat))


_RESOURCE = "prefect.flow-run."
_CLOCKS_APART = timedelta(seconds=10)


def _last_heartbeat(tx: Transaction, flow_run_id: UUID, before: datetime) -> datetime | None:
    row = tx.fetch_one(
        "SELECT max(occurred) AS last FROM event WHERE resource_id = ? AND event = ? AND occurred < ?",
        (f"{_RESOURCE}{flow_run_id}", _HEARTBEAT, before),
    )
    return None if row is None else decode_time(row["last"])


def _flow_run_of(event: Event) -> UUID | None:
    try:
        return UUID(event.resource.id.removeprefix(_RESOURCE))
    except ValueError:
        return None


# -- the end -----------------------------------------------------------------------------------------------------------


def end_abandoned_runs(tx: Transaction, now: datetime, listens_since: datetime | None = None) -> list[UUID]:
    """End the runs whose lease is over, as crashed, or as cancelled where that was asked for; returns their ids.

    A lease on a run that has ended, or waits for somebody else to start it, is only forgotten. The same run is never
    ended twice, by any number of processes.

    Args:
        listens_since: Since when heartbeats could arrive; always, when left out. While that is shorter than three of
            them usually take, runs that are known by heartbeats are not judged.
    """
    hears_heartbeats = listens_since is None or now - listens_since > _BEATS * _USUAL_BEAT
    rows = tx.fetch_all(
        "SELECT flow_run_id, holder FROM flow_run_lease WHERE expires_at < ? AND (holder <> ? OR ?) "
        f"ORDER BY expires_at LIMIT {AT_ONCE}",
        (now, HEARTBEATS, hears_heartbeats),
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
    lease = tx.fetch_one(
        "DELETE FROM flow_run_lease WHERE flow_run_id = ? AND holder = ? AND expires_at < ? RETURNING expires_at",
        (flow_run_id, holder, now),
    )
    if lease is None:
        return False  # renewed meanwhile
    if holder.startswith(_LOST):
        # What its process had recorded before it was lost may have come since, from where it had waited.
        if run["state_type"] in _ENDED:
            wanted = StateCreate(type=StateType.CRASHED, message="The process that ran this task run was lost.")
            end_task_runs(tx, flow_run_id, wanted, now)
        return False
    state_type = _end_of(tx, run, holder)
    if state_type is None:
        return False
    wanted = StateCreate(type=state_type, message=_message(holder))
    set_flow_run_state(tx, flow_run_id, wanted, policy=MINIMAL_FLOW_POLICY, now=now)
    heard_of = decode_time(lease["expires_at"]) - lease_span()  # type: ignore[operator]
    if holder == HEARTBEATS:
        heard_of = _last_heartbeat(tx, flow_run_id, before=now) or heard_of
    end_task_runs(tx, flow_run_id, wanted, min(heard_of, now))
    tx.execute(_HOLD, (flow_run_id, _LOST + holder, now + lease_span()))
    return True


def _message(holder: str) -> str:
    if holder == HEARTBEATS:
        return (
            f"The process that ran this flow run has missed {_BEATS} heartbeats: it was killed, or its machine stopped."
        )
    return not_heard_of("flow run", holder)


def not_heard_of(kind: str, holder: str) -> str:
    """What the end of a run says whose lease is over; `kind` is "flow run" or "task run"."""
    return (
        f"The process that ran this {kind} ({holder}) has not been heard of for "
        f"{lease_span().total_seconds():g} seconds: it was killed, or its machine stopped."
    )


def _end_of(tx: Transaction, run: Any, holder: str) -> StateType | None:
    """How a run ends that has lost its process; None when it needs none."""
    if run["state_type"] in _ENDED:
        return None
    if holder == HEARTBEATS and run["state_type"] not in ("RUNNING", "CANCELLING"):
        return None  # no heartbeats are sent meanwhile
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


def end_task_runs(
    tx: Transaction, flow_run_id: UUID, wanted: StateCreate, heard_of: datetime, within: UUID | None = None
) -> None:
    """End the unfinished task runs of a flow run that ran in its process, or in that of one of its background runs.

    Args:
        wanted: How they end.
        heard_of: As of when: that process was heard of last. If it lives after all, what they did since is newer.
        within: Only those that this task run, and what it called, have called.
    """
    callers = None if within is None else {str(within)}
    for row in tx.fetch_all(_UNFINISHED_TASK_RUNS, (flow_run_id,)):  # oldest first: callers before what they call
        task_run_id = UUID(str(row["id"]))
        if callers is not None and callers.isdisjoint(_callers(row["task_inputs"])):
            continue
        # A background run belongs to the task worker that takes it, not to the run that asked for it.
        if any(state.state_details.deferred for state in read_task_run_states(tx, task_run_id)):
            continue
        if callers is not None:
            callers.add(str(task_run_id))
        set_task_run_state(tx, task_run_id, wanted, policy=MINIMAL_TASK_POLICY, now=heard_of)


def _callers(task_inputs: str) -> list[str]:
    """The task runs that have called a task run."""
    return [str(each.get("id")) for each in loads(task_inputs).get("__parents__", ())]
