"""The rules about the states of flow runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.objects import FlowRunPolicy, State, StateType
from prefect.server.orchestration.decisions import (
    ANY_TYPE,
    TERMINAL,
    Abort,
    Effect,
    Reject,
    Revise,
    Transition,
    Verdict,
    has_stored_result,
    new_state,
    rule,
    with_details,
)


@dataclass(frozen=True, slots=True)
class FlowRunFacts:
    """What the rules need to know about a flow run.

    Attributes:
        empirical_policy: Its retries, and what is remembered of its pauses.
        run_count: How often it has entered RUNNING.
        deployment_id: Its deployment.
        parent_task_run_id: The task run that tracks it, when it is a subflow run.
        infrastructure_pid: What runs it, once something does.
        client_version: The release of the client that proposes; None when it is unknown.
        work_queue_id: The queue in which it waits for a worker.
    """

    empirical_policy: FlowRunPolicy
    run_count: int
    deployment_id: UUID | None
    parent_task_run_id: UUID | None
    infrastructure_pid: str | None
    client_version: tuple[int, int, int] | None = None
    work_queue_id: UUID | None = None


Move = Transition[FlowRunFacts]


@dataclass(frozen=True, slots=True)
class RequireWorkSlot(Effect):
    """Submit the run only while its work queue, and the pool of that, have a slot for it; else it stays scheduled."""

    work_queue_id: UUID


@dataclass(frozen=True, slots=True)
class TakeDeploymentSlot(Effect):
    """Take a slot of the deployment's limit; where there is none, the run waits for one or is cancelled."""

    deployment_id: UUID


@dataclass(frozen=True, slots=True)
class KeepDeploymentSlot(Effect):
    """Renew the lease on the slot, which starting may have outlasted; where the slot is lost, the run is cancelled.

    Attributes:
        is_renewed: Whether the process that runs the flow renews the lease from now on. One that does not holds the
            slot until the run leaves it.
    """

    deployment_id: UUID
    lease_id: UUID
    is_renewed: bool


@dataclass(frozen=True, slots=True)
class CancelWithoutDeploymentSlot(Effect):
    """Cancel the run where its deployment has no slot left and wants that runs do not wait."""

    deployment_id: UUID


_HOLDS_SLOT = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})
_RENEWS_LEASES_SINCE = (3, 4, 11)
_LIMITED_BY_WORKERS = ((3, 0, 0), (3, 0, 3))
"""Releases of workers that take the slots of deployments themselves."""


def holds_deployment_slot(state: State[Any]) -> bool:
    """Whether a run in this state keeps the slot that it has; also while its process waits to try again."""
    return state.type in _HOLDS_SLOT or (state.type == StateType.SCHEDULED and state.name == "AwaitingRetry")


@rule()
def preserve_deployment_concurrency_lease_id(move: Move) -> Verdict:
    """Carry the lease on a deployment's slot through every state, also when the proposal forgets it."""
    if move.initial is None or move.proposed.state_details.deployment_concurrency_lease_id is not None:
        return None
    lease_id = move.initial.state_details.deployment_concurrency_lease_id
    if lease_id is None:
        return None
    return Revise(with_details(move.proposed, deployment_concurrency_lease_id=lease_id))


@rule()
def prevent_duplicate_transitions(move: Move) -> Verdict:
    """Answer a repeated request with what its first arrival has led to."""
    transition_id = move.proposed.state_details.transition_id
    if move.initial is None or transition_id is None:
        return None
    if move.initial.state_details.transition_id != transition_id:
        return None
    return Reject("This run has made this transition already.")


@rule(leaving=TERMINAL)
def handle_flow_terminal_state_transitions(move: Move) -> Verdict:
    """Guard the exits from terminal states; a run that starts again forgets its pauses."""
    initial, proposed = move.initial, move.proposed
    assert initial is not None
    if proposed.type in (StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED):
        return Abort(f"This run has ended: it is {initial.type.value}.")
    if proposed.type in TERMINAL:
        return _judge_result_loss(move)
    if initial.type == StateType.COMPLETED and has_stored_result(initial):
        return Reject("This run is COMPLETED, and its result is stored.")
    if proposed.type == StateType.SCHEDULED and move.facts.deployment_id is None:
        return Abort("Only a run of a deployment can be scheduled again: nothing would start this one.")
    if proposed.type == StateType.PENDING and move.facts.deployment_id is not None:
        # A worker that was told of it before another one claimed it, ran it and ended it.
        return Abort(f"This run has ended: it is {initial.type.value}. Schedule it to have it run again.")
    retry_type = "reschedule" if proposed.type == StateType.SCHEDULED else None
    return Revise(changes={"empirical_policy": _without_pauses(move, retry_type=retry_type)})


@rule(leaving=TERMINAL, entering=TERMINAL)
def prevent_result_data_loss(move: Move) -> Verdict:
    """Keep a COMPLETED state whose result is stored from losing it."""
    return _judge_result_loss(move)


def _judge_result_loss(move: Move) -> Verdict:
    assert move.initial is not None
    both_completed = move.initial.type == move.proposed.type == StateType.COMPLETED
    if both_completed and has_stored_result(move.initial) and not has_stored_result(move.proposed):
        return Reject("This run is COMPLETED with a stored result, which the proposed state would lose.")
    return None


@rule(leaving={StateType.CANCELLING}, entering=set(StateType) - {StateType.CANCELLED})
def enforce_cancelling_to_cancelled_transition(move: Move) -> Verdict:
    """A run that is being cancelled may only become CANCELLED."""
    return Reject("This run is being cancelled; it can only become CANCELLED.")


@rule(leaving={StateType.SCHEDULED, StateType.PAUSED}, entering={StateType.CANCELLING})
def bypass_cancelling_flow_runs_with_no_infra(move: Move) -> Verdict:
    """Cancel at once where no process exists that would have to be ended first."""
    initial = move.initial
    assert initial is not None
    if initial.type == StateType.SCHEDULED and (not move.facts.infrastructure_pid or initial.name == "Resuming"):
        why = "This run is scheduled; nothing runs that would have to be ended."
    elif initial.type == StateType.PAUSED and initial.state_details.pause_reschedule:
        why = "This run is suspended; nothing runs that would have to be ended."
    else:
        return None
    return Reject(why, new_state(StateType.CANCELLED, "Cancelled", message=move.proposed.message))


@rule(leaving={StateType.SCHEDULED}, entering={StateType.PENDING})
def enforce_work_pool_limits(move: Move) -> Verdict:
    """Let no more runs be submitted than a work pool and its queue have slots: several workers may ask at once."""
    queue_id = move.facts.work_queue_id
    return None if queue_id is None else Revise(effect=RequireWorkSlot(queue_id))


@rule(leaving=ANY_TYPE - _HOLDS_SLOT, entering={StateType.PENDING})
def secure_flow_concurrency_slots(move: Move) -> Verdict:
    """Let a run be submitted only while its deployment has a slot for it."""
    version = move.facts.client_version
    if version is not None and _LIMITED_BY_WORKERS[0] <= version <= _LIMITED_BY_WORKERS[1]:
        return None
    if move.facts.deployment_id is None:
        return None
    return Revise(effect=TakeDeploymentSlot(move.facts.deployment_id))


@rule(leaving={StateType.PENDING}, entering={StateType.RUNNING})
def validate_deployment_concurrency_at_running(move: Move) -> Verdict:
    """Let a run start only while it has the slot that it was submitted with."""
    return _keep_slot(move, is_renewed=True) if _renews_leases(move) else None


@rule(leaving={StateType.PENDING}, entering={StateType.RUNNING, StateType.CANCELLING})
def remove_deployment_concurrency_lease_for_old_client_versions(move: Move) -> Verdict:
    """Free a slot that was taken for a client that knows no leases by the next state only, never by the clock."""
    return None if _renews_leases(move) else _keep_slot(move, is_renewed=False)


def _renews_leases(move: Move) -> bool:
    return move.facts.client_version is not None and move.facts.client_version >= _RENEWS_LEASES_SINCE


def _keep_slot(move: Move, *, is_renewed: bool) -> Verdict:
    assert move.initial is not None
    lease_id = move.initial.state_details.deployment_concurrency_lease_id
    if move.facts.deployment_id is None or lease_id is None:
        return None
    return Revise(effect=KeepDeploymentSlot(move.facts.deployment_id, lease_id, is_renewed))


@rule(leaving={StateType.SCHEDULED}, entering={StateType.SCHEDULED})
def enforce_deployment_concurrency_on_late(move: Move) -> Verdict:
    """Do not let runs become late that would be cancelled anyway."""
    if move.facts.deployment_id is None:
        return None
    return Revise(effect=CancelWithoutDeploymentSlot(move.facts.deployment_id))


@rule(entering={StateType.SCHEDULED})
def ensure_only_scheduled_flows_marked_late(move: Move) -> Verdict:
    """Only a scheduled run becomes Late, and only once: it may have started meanwhile."""
    if move.proposed.name != "Late":
        return None
    if move.initial_type == StateType.SCHEDULED and move.initial is not None and move.initial.name != "Late":
        return None
    return Reject("Only a scheduled run that is not late yet can be marked late.")


@rule(entering={StateType.PAUSED})
def handle_pausing_flows(move: Move) -> Verdict:
    """Let only running flows pause, each pause once."""
    if move.initial is None:
        return Abort("A run without a state cannot be paused.")
    if move.initial.type != StateType.RUNNING:
        return Reject(f"Only a running flow can be paused; this run is {move.initial.type.value}.")
    policy, details = move.known("empirical_policy"), move.proposed.state_details
    key = details.pause_key or str(uuid4())
    passed = policy.pause_keys or set()
    if key in passed:
        return Reject("This run has passed this pause already.")
    if details.pause_reschedule and move.facts.parent_task_run_id is not None:
        return Abort("A subflow run cannot be suspended: its parent waits for it in the same process.")
    if details.pause_reschedule and move.facts.deployment_id is None:
        return Abort("Only a run of a deployment can be suspended: nothing would start this one again.")
    return Revise(changes={"empirical_policy": policy.model_copy(update={"pause_keys": {*passed, key}})})


_EXITS_FROM_PAUSED = {StateType.RUNNING, StateType.SCHEDULED, StateType.CANCELLING, *TERMINAL}


@rule(leaving={StateType.PAUSED})
def handle_resuming_paused_flows(move: Move) -> Verdict:
    """Limit the exits from a pause, and fail a run that comes back too late."""
    initial, proposed = move.initial, move.proposed
    assert initial is not None
    if proposed.type not in _EXITS_FROM_PAUSED:
        return Reject(f"This run is paused; it cannot become {proposed.type.value}.")
    details = initial.state_details
    if details.pause_reschedule and move.facts.deployment_id is None:
        return Reject("This run is suspended without a deployment: nothing would start it again.")
    if proposed.type == StateType.CANCELLING:
        return None
    if details.pause_timeout is not None and details.pause_timeout < move.now:
        message = "The flow was paused and never resumed."
        return Reject("The pause has timed out.", new_state(StateType.FAILED, "Failed", message=message))
    policy = move.known("empirical_policy")
    return Revise(changes={"empirical_policy": policy.model_copy(update={"resuming": True})})


@rule(leaving={StateType.RUNNING}, entering={StateType.FAILED})
def retry_failed_flows(move: Move) -> Verdict:
    """Schedule another attempt while there are retries left."""
    policy, proposed = move.known("empirical_policy"), move.proposed
    if policy.retries is None or move.facts.run_count > policy.retries:
        if policy.retry_type is None:
            return None
        return Revise(changes={"empirical_policy": policy.model_copy(update={"retry_type": None})})
    retry = new_state(
        StateType.SCHEDULED,
        "AwaitingRetry",
        message=proposed.message,
        data=proposed.data,
        scheduled_time=move.now + timedelta(seconds=policy.retry_delay or 0),
        # The attempt to come is the same process and keeps the slot that it holds.
        deployment_concurrency_lease_id=proposed.state_details.deployment_concurrency_lease_id,
    )
    return Reject("Retrying", retry, changes={"empirical_policy": _without_pauses(move, retry_type="in_process")})


@rule(leaving={StateType.SCHEDULED}, entering={StateType.PENDING})
def leave_retries_to_their_process(move: Move) -> Verdict:
    """Refuse a worker that comes late a run whose own process waits to try again."""
    assert move.initial is not None
    if move.initial.name != "AwaitingRetry" or move.known("empirical_policy").retry_type != "in_process":
        return None
    return Abort("The process that runs this run waits to try again; nobody else may start it.")


def _without_pauses(move: Move, retry_type: str | None) -> FlowRunPolicy:
    update = {"resuming": False, "pause_keys": set(), "retry_type": retry_type}
    return move.known("empirical_policy").model_copy(update=update)
