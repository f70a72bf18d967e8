"""Moves flow runs between states: load, decide, store, and tell of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import FlowRunPolicy, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.server.database.notifications import DUE_RUNS
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models._statements import Statement, update_changed
from prefect.server.models.flow_run_events import flow_run_state_event
from prefect.server.models.states import (
    JOINED_STATE_COLUMNS,
    flow_run_state_insert,
    proposed_state,
    read_flow_run_state,
    read_joined_state,
    result_insert,
    stamp,
)
from prefect.server.models.task_run_transitions import mirror_subflow_state
from prefect.server.models.transitions import Outcome
from prefect.server.orchestration.bookkeeping import BOOKKEEPING_COLUMNS, ends_resuming, run_changes
from prefect.server.orchestration.decisions import Decision, Policy, Transition, decide
from prefect.server.orchestration.flow_rules import FlowRunFacts, RequireWorkSlot, holds_deployment_slot
from prefect.server.orchestration.policies import CORE_FLOW_POLICY

_SELECT = (
    f"SELECT flow_run.*, f.name AS flow_name, f.tags AS flow_tags, {JOINED_STATE_COLUMNS} FROM flow_run "
    "JOIN flow f ON f.id = flow_run.flow_id LEFT JOIN flow_run_state s ON s.id = flow_run.state_id WHERE flow_run.id = ?"
)
_CHANGES = ("empirical_policy", *BOOKKEEPING_COLUMNS)
_TIMES = ("state_timestamp", "start_time", "end_time", "expected_start_time", "next_scheduled_start_time")
_IDS = ("id", "state_id", "deployment_id", "parent_task_run_id", "work_queue_id")

_HOLDING = frozenset({StateType.PENDING, StateType.RUNNING})
"""Runs in these states hold the slots of their pool and queue."""


def set_flow_run_state(
    tx: Transaction,
    flow_run_id: UUID,
    wanted: StateCreate,
    *,
    policy: Policy[FlowRunFacts] = CORE_FLOW_POLICY,
    now: datetime | None = None,
    client_version: tuple[int, int, int] | None = None,
) -> Outcome | None:
    """Propose a state for a flow run; None when there is no such run.

    The run's row is locked while its transition is decided, so that proposals take turns.

    Args:
        wanted: The proposed state.
        policy: The rules to apply.
        now: The instant of the transition, for services that keep their own clock.
        client_version: The release of the client that proposes it, when that is known.
    """
    row = tx.fetch_one(_SELECT + tx.dialect.for_update(of="flow_run"), (flow_run_id,))
    if row is None:
        return None
    run: dict[str, Any] = dict(row)
    run.update((name, decode_time(run[name])) for name in _TIMES)
    run.update((name, decode_id(run[name])) for name in _IDS)
    # Not the transaction's instant, which several transitions may share.
    now = now or datetime.now(timezone.utc)
    initial, flow = read_joined_state(row), {"name": row["flow_name"], "tags": row["flow_tags"]}
    if initial is None and run["state_id"] is not None:
        # The run was moved while its lock was waited for: PostgreSQL gives its row as it is now, and the join as it was.
        initial = read_flow_run_state(tx, run["state_id"])
    facts = FlowRunFacts(
        empirical_policy=FlowRunPolicy.model_validate_json(run["empirical_policy"]),
        run_count=run["run_count"],
        deployment_id=run["deployment_id"],
        parent_task_run_id=run["parent_task_run_id"],
        infrastructure_pid=run["infrastructure_pid"],
        client_version=client_version,
        work_queue_id=run["work_queue_id"],
    )
    decision = decide(policy, Transition(initial, proposed_state(wanted, now), facts, now))
    if decision.effects:
        decision = _settle_slots(tx, flow_run_id, decision, now)
    state = decision.state
    if state is None:
        return Outcome(decision, initial, is_written=False)
    # By this a repeated proposal is known again, also where it has led to another state than the proposed one.
    state.state_details.transition_id = wanted.state_details.transition_id
    run_policy = decision.changes.get("empirical_policy", facts.empirical_policy)
    before = {name: run[name] for name in _CHANGES}
    _enter(run, state, run_policy, now)
    update = update_changed(tx.now, "flow_run", flow_run_id, before, {name: run[name] for name in _CHANGES})
    ran, starts = run["total_run_time"] - before["total_run_time"], run["run_count"] - before["run_count"]
    record_state(tx, run, flow, initial, wanted.type, state, [update], ran, starts)
    _release_slot(tx, initial, state)
    return Outcome(decision, state, is_written=True)


def _settle_slots(tx: Transaction, flow_run_id: UUID, decision: Decision, now: datetime) -> Decision:
    """The decision, or another one where the deployment, the queue or the pool of the run has no slot for it."""
    # Only runs of deployments need slots.
    from prefect.server.models.deployment_slots import settle  # noqa: PLC0415
    from prefect.server.models.work_slots import require_slot  # noqa: PLC0415

    for effect in decision.effects:
        if isinstance(effect, RequireWorkSlot):
            decision = require_slot(tx, effect.work_queue_id, decision)
        else:
            decision = settle(tx, flow_run_id, effect, decision, now)
        if decision.status != SetStateStatus.ACCEPT:
            break
    return decision


def _release_slot(tx: Transaction, initial: State[Any] | None, state: State[Any]) -> None:
    lease_id = None if initial is None else initial.state_details.deployment_concurrency_lease_id
    if lease_id is None or holds_deployment_slot(state):
        return
    from prefect.server.models.concurrency_leases import release_lease  # noqa: PLC0415 - as above

    release_lease(tx, lease_id)


def first_state(run: dict[str, Any], wanted: StateCreate | None, now: datetime) -> State[Any]:
    """The state that a new run starts in, PENDING when none is wanted; its bookkeeping goes into the run's columns."""
    state = proposed_state(wanted or StateCreate(type=StateType.PENDING), now)
    _enter(run, state, None, now)
    return state


def _enter(run: dict[str, Any], state: State[Any], policy: FlowRunPolicy | None, now: datetime) -> None:
    stamp(state, now, run["state_timestamp"])
    state.state_details.flow_run_id = run["id"]
    state.state_details.task_run_id = run["parent_task_run_id"]
    run.update(run_changes(run, state, counts=policy is None or not policy.resuming))
    if policy is not None:
        if ends_resuming(policy, state):
            policy = policy.model_copy(update={"resuming": False})
        run["empirical_policy"] = policy.model_dump_json()


def record_state(
    tx: Transaction,
    run: dict[str, Any],
    flow: Mapping[str, Any] | None,
    initial: State[Any] | None,
    intended: StateType,
    state: State[Any],
    row_statements: Sequence[Statement] = (),
    ran: float = 0.0,
    starts: int = 0,
) -> None:
    """Store a state that a run has entered, and what follows from it outside the run's own row.

    Args:
        run: The columns of the run, the state's bookkeeping included.
        flow: The `name` and the `tags` (JSON text) of its flow.
        initial: The state before.
        intended: The type that was proposed.
        state: The new state.
        row_statements: What stores the run's own row, to be run with the rest.
        ran: The seconds that it has run since the state before.
        starts: 1 where the state begins another attempt, else 0.
    """
    tracking = None
    if run["parent_task_run_id"] is not None:
        tracking = mirror_subflow_state(tx, run["parent_task_run_id"], run, state, ran, starts)
    event = flow_run_state_event(tx, run, flow, tracking, initial, intended, state)
    result = result_insert(state, tx.now, flow_run_id=run["id"])
    tx.execute_all([*row_statements, flow_run_state_insert(run["id"], state), event, *result])
    if run["deployment_id"] is not None and state.type not in _HOLDING:
        tx.tell(DUE_RUNS)  # it may be started, or has left a slot to another
