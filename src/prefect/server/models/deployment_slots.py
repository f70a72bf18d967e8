"""The slots that runs hold of the limits of their deployments: taken at submission, on a lease, and kept at the start."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    StateType,
)
from prefect.client.schemas.responses import SetStateStatus
from prefect.server.database.store import Transaction
from prefect.server.models._limit_slots import LimitSlots, lock_limits, store_slots
from prefect.server.models.concurrency_leases import UNLIMITED, grant_lease, reclaim_slots, renew_lease
from prefect.server.orchestration.decisions import Decision, Effect, new_state, with_details
from prefect.server.orchestration.flow_rules import (
    CancelWithoutDeploymentSlot,
    KeepDeploymentSlot,
    TakeDeploymentSlot,
)
from prefect.settings import get_current_settings

_RENEWAL = timedelta(seconds=300)
"""How long a running flow holds its slot without renewing the lease."""
_NO_SLOT = "All slots of the deployment are taken."
_LOST = "The slot of the deployment was lost before the run started, and no other one is free."


def settle(tx: Transaction, flow_run_id: UUID, effect: Effect, decision: Decision, now: datetime) -> Decision:
    """Do what a rule asks for about slots.

    Returns:
        The decision, with the lease that the run holds; another one where there is no slot.
    """
    if isinstance(effect, TakeDeploymentSlot):
        return _take(tx, flow_run_id, effect, decision, now)
    if isinstance(effect, KeepDeploymentSlot):
        return _keep(tx, flow_run_id, effect, decision)
    if isinstance(effect, CancelWithoutDeploymentSlot):
        return _cancel_late(tx, effect, decision)
    return decision


def _take(
    tx: Transaction, flow_run_id: UUID, effect: TakeDeploymentSlot, decision: Decision, now: datetime
) -> Decision:
    found = _limit_of(tx, effect.deployment_id)
    if found is None:
        return Decision(SetStateStatus.ABORT, None, f"There is no deployment {str(effect.deployment_id)!r} any more.")
    limit, options = found
    if limit is None:
        return _with_lease(decision, None)
    if limit.limit == 0:
        return Decision(SetStateStatus.ABORT, None, "The limit of the deployment is 0: the run would wait for ever.")
    if not _has_room(tx, limit):
        if options.collision_strategy == ConcurrencyLimitStrategy.CANCEL_NEW:
            return _cancelled(_NO_SLOT)
        wait = get_current_settings().server.deployments.concurrency_slot_wait_seconds
        later = now + timedelta(seconds=wait)
        waiting = new_state(StateType.SCHEDULED, "AwaitingConcurrencySlot", message=_NO_SLOT, scheduled_time=later)
        return Decision(SetStateStatus.REJECT, waiting, _NO_SLOT)
    grace = options.grace_period_seconds or get_current_settings().server.concurrency.initial_deployment_lease_duration
    return _with_lease(decision, _grant(tx, limit, flow_run_id, timedelta(seconds=grace)))


def _keep(tx: Transaction, flow_run_id: UUID, effect: KeepDeploymentSlot, decision: Decision) -> Decision:
    duration = _RENEWAL if effect.is_renewed else UNLIMITED
    if renew_lease(tx, effect.lease_id, duration):
        return decision
    found = _limit_of(tx, effect.deployment_id)
    if found is None or found[0] is None:
        return decision  # nothing limits the run any more
    limit = found[0]
    if not _has_room(tx, limit):
        return _cancelled(_LOST)
    return _with_lease(decision, _grant(tx, limit, flow_run_id, duration))


def _cancel_late(tx: Transaction, effect: CancelWithoutDeploymentSlot, decision: Decision) -> Decision:
    found = _limit_of(tx, effect.deployment_id)
    limit, options = found or (None, None)
    if limit is None or options is None:
        return decision
    if options.collision_strategy != ConcurrencyLimitStrategy.CANCEL_NEW or _has_room(tx, limit):
        return decision
    return _cancelled(_NO_SLOT)


def _limit_of(tx: Transaction, deployment_id: UUID) -> tuple[LimitSlots | None, ConcurrencyOptions] | None:
    """The locked limit of a deployment, if an active one limits it; None when there is no such deployment."""
    row = tx.fetch_one(
        "SELECT concurrency_limit_id, concurrency_options FROM deployment WHERE id = ?", (deployment_id,)
    )
    if row is None:
        return None
    limits = [] if row["concurrency_limit_id"] is None else lock_limits(tx, [row["concurrency_limit_id"]])
    text = row["concurrency_options"]
    options = (
        ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
        if text is None
        else ConcurrencyOptions.model_validate_json(text)
    )
    return next((limit for limit in limits if limit.active), None), options


def _has_room(tx: Transaction, limit: LimitSlots) -> bool:
    return limit.has_room_for(1) or (reclaim_slots(tx, [limit]) and limit.has_room_for(1))


def _grant(tx: Transaction, limit: LimitSlots, flow_run_id: UUID, duration: timedelta) -> UUID:
    limit.active_slots += 1
    store_slots(tx, limit)
    return grant_lease(tx, [limit], 1, duration, ConcurrencyLeaseHolder(type="flow_run", id=flow_run_id))


def _with_lease(decision: Decision, lease_id: UUID | None) -> Decision:
    assert decision.state is not None
    state = with_details(decision.state, deployment_concurrency_lease_id=lease_id)
    return Decision(decision.status, state, decision.reason, changes=decision.changes, effects=decision.effects)


def _cancelled(reason: str) -> Decision:
    state: Any = new_state(StateType.CANCELLED, "Cancelled", message=reason)
    return Decision(SetStateStatus.REJECT, state, reason)
