"""Moves task runs between states, for clients that do not decide their task runs' transitions themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateType, TaskRunPolicy
from prefect.client.schemas.responses import SetStateStatus
from prefect.server.database.notifications import BACKGROUND_RUNS
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time, loads
from prefect.server.models._statements import update_changed
from prefect.server.models.states import (
    proposed_state,
    read_flow_run_state,
    read_state,
    read_task_run_state,
    result_insert,
    stamp,
    task_run_state_insert,
)
from prefect.server.models.transitions import Outcome
from prefect.server.orchestration.bookkeeping import BOOKKEEPING_COLUMNS, run_changes
from prefect.server.orchestration.decisions import Decision, Policy, Transition, decide
from prefect.server.orchestration.policies import CORE_TASK_POLICY
from prefect.server.orchestration.task_rules import OwnerFacts, RememberInCache, TakeTagSlots, TaskRunFacts
from prefect.settings import get_current_settings
from prefect.types._ids import uuid7

_SELECT = "SELECT * FROM task_run WHERE id = ?"
_CHANGES = ("flow_run_run_count", *BOOKKEEPING_COLUMNS)
_TIMES = ("state_timestamp", "start_time", "end_time", "expected_start_time", "next_scheduled_start_time")
_IDS = ("id", "state_id", "flow_run_id")


def set_task_run_state(
    tx: Transaction,
    task_run_id: UUID,
    wanted: StateCreate,
    *,
    policy: Policy[TaskRunFacts] = CORE_TASK_POLICY,
    now: datetime | None = None,
) -> Outcome | None:
    """Propose a state for a task run; None when there is no such run.

    Args:
        wanted: The proposed state.
        policy: The rules to apply.
        now: The instant of the transition, for services that keep their own clock.
    """
    run = _lock(tx, task_run_id)
    if run is None:
        return None
    now = now or datetime.now(timezone.utc)
    initial = None if run["state_id"] is None else read_task_run_state(tx, run["state_id"])
    proposed = proposed_state(wanted, now)
    facts = TaskRunFacts(
        empirical_policy=TaskRunPolicy.model_validate_json(run["empirical_policy"]),
        tags=loads(run["tags"]),
        run_count=run["run_count"],
        flow_run_run_count=run["flow_run_run_count"],
        owner=_owner(tx, run["flow_run_id"]),
        cached_state=_cached_state(tx, proposed, now),
        max_cache_key_length=_max_cache_key_length(proposed),
    )
    decision = decide(policy, Transition(initial, proposed, facts, now))
    for effect in decision.effects:
        if isinstance(effect, TakeTagSlots):
            decision = _take_tag_slots(tx, task_run_id, effect, decision)
    state = decision.state
    if state is None:
        return Outcome(decision, initial, is_written=False)
    _enter(tx, run, state, now, decision.changes)
    for effect in decision.effects:
        if isinstance(effect, RememberInCache):
            _remember(tx, effect, state)
    return Outcome(decision, state, is_written=True)


def first_state(run: dict[str, Any], wanted: StateCreate | None, now: datetime) -> State[Any]:
    """The state that a new run starts in, PENDING when none is wanted; its bookkeeping goes into the run's columns."""
    state = proposed_state(wanted or StateCreate(type=StateType.PENDING), now)
    _fill(run, state, now)
    return state


def tell_of_background_run(tx: Transaction, run: Mapping[str, Any]) -> None:
    """Wake the task workers if a run, given by its columns, is one that waits for them."""
    if run["flow_run_id"] is None and run["state_type"] == StateType.SCHEDULED.value:
        tx.tell(BACKGROUND_RUNS)


_MIRROR = """
    UPDATE task_run SET
        state_id = ?, state_type = ?, state_name = ?, state_timestamp = ?, updated = ?,
        start_time = COALESCE(start_time, ?), end_time = ?, next_scheduled_start_time = ?,
        total_run_time = total_run_time + ?, run_count = run_count + ?
    WHERE id = ? RETURNING flow_run_id, name, tags"""


def mirror_subflow_state(
    tx: Transaction, task_run_id: UUID, subflow: Mapping[str, Any], state: State[Any], ran: float, starts: int
) -> Mapping[str, Any] | None:
    """Give the task run that tracks a subflow run a copy of the subflow's new state, whatever its own was.

    Args:
        task_run_id: The task run; nothing happens when there is none.
        subflow: The columns of the subflow run, with the state's bookkeeping.
        state: Its new state.
        ran: The seconds that the subflow has run since its last state.
        starts: 1 where the state begins another attempt of the subflow, else 0.

    Returns:
        The task run's `name` and `tags` (JSON text), None where there is none.
    """
    id = uuid7()
    row = tx.fetch_one(
        _MIRROR,
        (
            id,
            subflow["state_type"],
            subflow["state_name"],
            state.timestamp,
            tx.now,
            subflow["start_time"],
            subflow["end_time"],
            subflow["next_scheduled_start_time"],
            ran,
            starts,
            task_run_id,
        ),
    )
    if row is None:
        return None
    details = state.state_details.model_copy(
        update={
            "child_flow_run_id": subflow["id"],
            "flow_run_id": decode_id(row["flow_run_id"]),
            "task_run_id": task_run_id,
        }
    )
    tx.execute_all([task_run_state_insert(task_run_id, state, id, details)])
    if state.type not in _HOLDS_SLOTS and row["tags"] != "[]":
        _release_tag_slots(tx, task_run_id)
    return row


def _lock(tx: Transaction, task_run_id: UUID) -> dict[str, Any] | None:
    row = tx.fetch_one(_SELECT + tx.dialect.for_update(), (task_run_id,))
    if row is None:
        return None
    run = dict(row)
    run.update((name, decode_time(run[name])) for name in _TIMES)
    run.update((name, decode_id(run[name])) for name in _IDS)
    return run


def _enter(
    tx: Transaction, run: dict[str, Any], state: State[Any], now: datetime, changes: Mapping[str, Any] | None = None
) -> None:
    before = {name: run[name] for name in _CHANGES}
    run.update(changes or {})
    _fill(run, state, now)
    tx.execute_all(
        [
            update_changed(tx.now, "task_run", run["id"], before, {name: run[name] for name in _CHANGES}),
            task_run_state_insert(run["id"], state),
            *result_insert(state, tx.now, flow_run_id=run["flow_run_id"], task_run_id=run["id"]),
        ]
    )
    tell_of_background_run(tx, run)
    if state.type not in _HOLDS_SLOTS and run["tags"] != "[]":
        _release_tag_slots(tx, run["id"])


def _fill(run: dict[str, Any], state: State[Any], now: datetime) -> None:
    stamp(state, now, run["state_timestamp"])
    state.state_details.flow_run_id = run["flow_run_id"]
    state.state_details.task_run_id = run["id"]
    run.update(run_changes(run, state))


def _owner(tx: Transaction, flow_run_id: UUID | None) -> OwnerFacts | None:
    if flow_run_id is None:
        return None
    row = tx.fetch_one("SELECT state_id, run_count FROM flow_run WHERE id = ?", (flow_run_id,))
    if row is None:
        return OwnerFacts(flow_run_id, None, 0)
    state = None if row["state_id"] is None else read_flow_run_state(tx, row["state_id"])
    return OwnerFacts(flow_run_id, state, row["run_count"])


# -- slots of tags ---------------------------------------------------------------------------------------------------

_HOLDS_SLOTS = (StateType.RUNNING, StateType.CANCELLING)


def _take_tag_slots(tx: Transaction, task_run_id: UUID, effect: TakeTagSlots, decision: Decision) -> Decision:
    """The decision, or another one where there are no slots for it."""
    from prefect.server.models.concurrency_limits import (  # noqa: PLC0415 - only tagged task runs need limits
        DeadlockedTag,
        acquire_tag_slots,
    )

    try:
        acquisition = acquire_tag_slots(tx, effect.tags, task_run_id)
    except DeadlockedTag as error:
        return Decision(SetStateStatus.ABORT, None, error.detail)
    if acquisition.retry_after_seconds is None:
        return decision
    delay = max(round(acquisition.retry_after_seconds), 1)
    return Decision(SetStateStatus.WAIT, None, "All slots of a limit on the tags of this run are taken.", delay)


def _release_tag_slots(tx: Transaction, task_run_id: UUID) -> None:
    from prefect.server.models.concurrency_leases import release_holder  # noqa: PLC0415 - as above

    release_holder(tx, task_run_id)


# -- the cache -------------------------------------------------------------------------------------------------------


def _max_cache_key_length(proposed: State[Any]) -> int:
    return get_current_settings().server.tasks.max_cache_key_length if proposed.state_details.cache_key else 0


def _cached_state(tx: Transaction, proposed: State[Any], now: datetime) -> State[Any] | None:
    key = proposed.state_details.cache_key
    if key is None or proposed.type != StateType.RUNNING:
        return None
    row = tx.fetch_one(
        "SELECT s.id, s.type, s.name, s.timestamp, s.message, s.state_details, s.data "
        "FROM task_run_state_cache c JOIN task_run_state s ON s.id = c.task_run_state_id "
        "WHERE c.cache_key = ? AND (c.cache_expiration IS NULL OR c.cache_expiration > ?) "
        "ORDER BY c.created DESC, c.id DESC LIMIT 1",
        (key, now),
    )
    return None if row is None else read_state(row)


def _remember(tx: Transaction, effect: RememberInCache, state: State[Any]) -> None:
    tx.execute(
        "INSERT INTO task_run_state_cache (id, created, cache_key, cache_expiration, task_run_state_id) "
        "VALUES (?, ?, ?, ?, ?)",
        (uuid7(), tx.now, effect.cache_key, effect.cache_expiration, state.id),
    )
