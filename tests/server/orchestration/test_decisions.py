"""How a policy comes to its decision."""

from __future__ import annotations

from datetime import datetime, timezone

from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.server.orchestration.decisions import (
    Abort,
    Effect,
    Policy,
    Reject,
    Revise,
    Transition,
    Wait,
    decide,
    new_state,
    renamed,
    rule,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def move(initial=StateType.PENDING, proposed=StateType.RUNNING):
    return Transition(None if initial is None else State(type=initial), State(type=proposed), facts=None, now=NOW)


@rule()
def note(move):
    return Revise(changes={"noted": move.changes.get("noted", 0) + 1}, effect=Effect())


@rule(entering={StateType.RUNNING})
def rename(move):
    return Revise(renamed(move.proposed, "Renamed"))


@rule(leaving={None})
def stop(move):
    return Abort("stopped")


@rule(entering={StateType.FAILED})
def replace(move):
    return Reject("replaced", new_state(StateType.SCHEDULED, "Instead"), changes={"replaced": True})


@rule(entering={StateType.COMPLETED})
def wait(move):
    return Wait("later", 3)


POLICY = Policy("test", note, rename, stop, replace, wait, note)


def test_rules_revise_a_proposal_one_after_the_other():
    decision = decide(POLICY, move())
    assert (decision.status, decision.state.name) == (SetStateStatus.ACCEPT, "Renamed")
    assert decision.changes == {"noted": 2}
    assert len(decision.effects) == 2


def test_what_was_asked_for_before_a_stop_is_forgotten():
    aborted = decide(POLICY, move(initial=None))
    assert (aborted.status, aborted.state, aborted.reason) == (SetStateStatus.ABORT, None, "stopped")
    rejected = decide(POLICY, move(proposed=StateType.FAILED))
    assert (rejected.status, rejected.state.name, rejected.changes) == (
        SetStateStatus.REJECT,
        "Instead",
        {"replaced": True},
    )
    waiting = decide(POLICY, move(proposed=StateType.COMPLETED))
    assert (waiting.status, waiting.state, waiting.delay_seconds) == (SetStateStatus.WAIT, None, 3)
    assert aborted.effects == rejected.effects == waiting.effects == ()


def test_rules_are_asked_about_their_transitions_only():
    names = [rule.name for rule in POLICY.rules_for(StateType.PENDING, StateType.CANCELLED)]
    assert names == ["note", "note"]
    assert [rule.name for rule in POLICY.rules_for(None, StateType.RUNNING)] == ["note", "rename", "stop", "note"]
