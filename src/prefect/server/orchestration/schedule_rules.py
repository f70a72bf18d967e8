"""Rules about scheduled times, which flow runs and task runs share."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import StateType
from prefect.server.orchestration.decisions import Abort, Revise, Transition, Verdict, Wait, rule, with_details


@rule(
    leaving={StateType.PENDING, StateType.RUNNING, StateType.CANCELLED, StateType.CANCELLING},
    entering={StateType.PENDING},
)
def prevent_pending_transitions(transition: Transition[Any]) -> Verdict:
    """Let one submitter claim a run: a second one that proposes PENDING must leave it alone.

    A submitter may still tell how far it has got, through other names of PENDING.
    """
    initial, proposed = transition.initial, transition.proposed
    assert initial is not None
    if initial.type == StateType.PENDING and proposed.name not in ("Pending", initial.name):
        return Revise(with_details(proposed, scheduled_time=initial.state_details.scheduled_time))
    return Abort(f"This run is {initial.type.value} already; it cannot be submitted.")


@rule(leaving={StateType.SCHEDULED}, entering={StateType.PENDING})
def copy_scheduled_time(transition: Transition[Any]) -> Verdict:
    """Keep the scheduled time while a run is pending, unless the proposal has one of its own."""
    assert transition.initial is not None
    scheduled_time = transition.initial.state_details.scheduled_time
    if scheduled_time is None or transition.proposed.state_details.scheduled_time is not None:
        return None
    return Revise(with_details(transition.proposed, scheduled_time=scheduled_time))


@rule(leaving={StateType.SCHEDULED, StateType.PENDING}, entering={StateType.RUNNING})
def wait_for_scheduled_time(transition: Transition[Any]) -> Verdict:
    """Hold a run until its scheduled time."""
    assert transition.initial is not None
    scheduled_time = transition.initial.state_details.scheduled_time
    if scheduled_time is None:
        return None
    delay = round((scheduled_time - transition.now).total_seconds())
    return Wait("The scheduled time is in the future.", delay) if delay > 0 else None
