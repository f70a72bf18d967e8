"""The rules about the states of task runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import State, StateType, TaskRunPolicy
from prefect.server.orchestration.decisions import (
    TERMINAL,
    Abort,
    Effect,
    Reject,
    Revise,
    Transition,
    Verdict,
    has_stored_result,
    new_state,
    renamed,
    rule,
    with_details,
)
from prefect.utilities.math import clamped_poisson_interval


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """The flow run that a task run belongs to: its current state, and how often it has entered RUNNING."""

    id: UUID
    state: State[Any] | None
    run_count: int


@dataclass(frozen=True, slots=True)
class TaskRunFacts:
    """What the rules need to know about a task run.

    Attributes:
        empirical_policy: Its retries.
        tags: Its tags, which may have limits.
        run_count: How often it has entered RUNNING in this attempt of its flow run.
        flow_run_run_count: The attempt of its flow run that it last ran in.
        owner: Its flow run; None for a task that runs by itself.
        cached_state: The newest valid state stored under the cache key of the proposal.
        max_cache_key_length: The longest cache key that is stored.
    """

    empirical_policy: TaskRunPolicy
    tags: Sequence[str]
    run_count: int
    flow_run_run_count: int
    owner: OwnerFacts | None
    cached_state: State[Any] | None
    max_cache_key_length: int


Move = Transition[TaskRunFacts]


@dataclass(frozen=True, slots=True)
class RememberInCache(Effect):
    """Store the new state under a cache key."""

    cache_key: str
    cache_expiration: datetime | None


@dataclass(frozen=True, slots=True)
class TakeTagSlots(Effect):
    """Take a slot of every limit on these tags; where one is missing, the run waits instead of entering its state."""

    tags: tuple[str, ...]


@rule(entering={StateType.RUNNING})
def cache_retrieval(move: Move) -> Verdict:
    """Answer with the state that an earlier run left under the same cache key."""
    cached, details = move.facts.cached_state, move.proposed.state_details
    if cached is None or details.cache_key is None or details.refresh_cache:
        return None
    state = new_state(StateType.COMPLETED, "Cached", message=cached.message, data=cached.data)
    untrackable = cached.state_details.untrackable_result
    return Reject(
        "An earlier run with this cache key has completed.",
        with_details(state, cache_key=details.cache_key, untrackable_result=untrackable),
    )


@rule(leaving=TERMINAL)
def handle_task_terminal_state_transitions(move: Move) -> Verdict:
    """Guard the exits from terminal states; a run that starts again counts its attempts anew."""
    initial, proposed = move.initial, move.proposed
    assert initial is not None
    if proposed.type in (StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED):
        return Abort(f"This run has ended: it is {initial.type.value}.")
    if initial.type == StateType.COMPLETED and has_stored_result(initial):
        return Reject("This run is COMPLETED, and its result is stored.")
    if proposed.type in TERMINAL:
        return None
    is_flow_retry = move.facts.owner is not None and move.facts.flow_run_run_count < move.facts.owner.run_count
    name = "Retrying" if is_flow_retry and proposed.type == StateType.RUNNING else None
    return Revise(renamed(proposed, name) if name else None, changes={"run_count": 0})


@rule(entering={StateType.RUNNING})
def prevent_running_tasks_from_stopped_flows(move: Move) -> Verdict:
    """Let tasks run only while their flow does."""
    owner = move.facts.owner
    if owner is None:
        return None
    if owner.state is None:
        return Abort("The flow run of this task run has no state.")
    if owner.state.type == StateType.RUNNING:
        return None
    if owner.state.type != StateType.PAUSED:
        return Abort(f"The flow run of this task run is {owner.state.type.value}, not RUNNING.")
    details = owner.state.state_details
    not_ready = new_state(
        StateType.PAUSED,
        "NotReady",
        pause_timeout=details.pause_timeout,
        pause_reschedule=details.pause_reschedule,
    )
    return Reject(f"The flow run {str(owner.id)!r} is paused; its tasks can run once it is resumed.", not_ready)


@rule(entering={StateType.RUNNING})
def secure_task_concurrency_slots(move: Move) -> Verdict:
    """Let a task run only while there is a slot for it in every limit on its tags."""
    return Revise(effect=TakeTagSlots(tuple(move.facts.tags))) if move.facts.tags else None


@rule(leaving={StateType.SCHEDULED, StateType.PENDING}, entering={StateType.PENDING, StateType.RUNNING})
def copy_task_parameters_id(move: Move) -> Verdict:
    """Carry the reference to a background task's parameters to the worker that runs it."""
    assert move.initial is not None
    parameters_id = move.initial.state_details.task_parameters_id
    if parameters_id is None or move.proposed.state_details.task_parameters_id is not None:
        return None
    return Revise(with_details(move.proposed, task_parameters_id=parameters_id))


@rule(leaving={StateType.RUNNING}, entering={StateType.FAILED})
def retry_failed_tasks(move: Move) -> Verdict:
    """Schedule another attempt while there are retries left, unless the failure is not worth one."""
    policy, proposed = move.facts.empirical_policy, move.proposed
    if policy.retries is None or move.facts.run_count > policy.retries:
        return None
    if proposed.state_details.retriable is False:
        return None
    retry = new_state(
        StateType.SCHEDULED,
        "AwaitingRetry",
        message=proposed.message,
        data=proposed.data,
        scheduled_time=move.now + timedelta(seconds=retry_delay_seconds(policy, move.facts.run_count)),
        task_parameters_id=move.initial.state_details.task_parameters_id if move.initial is not None else None,
        deferred=proposed.state_details.deferred,
    )
    return Reject("Retrying", retry)


def retry_delay_seconds(policy: TaskRunPolicy, run_count: int) -> float:
    """How long to wait after the attempt with this number, counted from 1.

    Of a list of delays each attempt has its own, and further ones the last.
    """
    delays = policy.retry_delay
    if isinstance(delays, list):
        delay = delays[min(max(run_count, 1), len(delays)) - 1] if delays else 0
    else:
        delay = delays or 0
    if delay > 0 and policy.retry_jitter_factor:
        return clamped_poisson_interval(delay, clamping_factor=policy.retry_jitter_factor)
    return delay


@rule(entering={StateType.RUNNING})
def rename_reruns(move: Move) -> Verdict:
    """Name the second and later attempts for what they are."""
    if move.known("run_count") <= 0:
        return None
    is_retry = move.initial is not None and move.initial.name == "AwaitingRetry"
    return Revise(renamed(move.proposed, "Retrying" if is_retry else "Rerunning"))


@rule(entering={StateType.RUNNING})
def update_flow_run_tracker_on_tasks(move: Move) -> Verdict:
    """Remember which attempt of its flow run a task runs in."""
    if move.facts.owner is None:
        return None
    return Revise(changes={"flow_run_run_count": move.facts.owner.run_count})


@rule(entering={StateType.COMPLETED})
def cache_insertion(move: Move) -> Verdict:
    """Offer the new state to later runs with the same cache key."""
    details = move.proposed.state_details
    if details.cache_key is None:
        return None
    if len(details.cache_key) > move.facts.max_cache_key_length:
        reason = f"The cache key is longer than {move.facts.max_cache_key_length} characters; it is not remembered."
        return Reject(reason, move.proposed)
    return Revise(effect=RememberInCache(details.cache_key, details.cache_expiration))
