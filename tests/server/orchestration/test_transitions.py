"""Which transitions are accepted, as a table: tests/contract/transitions.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prefect.client.schemas.objects import StateType
from prefect.server.orchestration.policies import CORE_FLOW_POLICY, CORE_TASK_POLICY

TABLE = json.loads((Path(__file__).parents[2] / "contract" / "transitions.json").read_text())

# Rules that the known table does not have: limits of work pools are exact here, and no run has two processes.
BEYOND = {"EnforceWorkPoolLimits", "LeaveRetriesToTheirProcess"}

# What these rules do is done by the operation that stores the state, not by a decision about it.
DONE_WHEN_STORING = {
    "InstrumentFlowRunStateTransitions",
    "ReleaseFlowConcurrencySlots",
    "ReleaseTaskConcurrencySlots",
}


def in_short(result, before):
    """The answer to a proposal in the words of the table."""
    letter = {"ACCEPT": "A", "REJECT": "R", "WAIT": "W", "ABORT": "X"}[result.status.value]
    is_new = result.state is not None and (before is None or result.state.id != before.id)
    return f"R {result.state.type.value}" if letter == "R" and is_new else letter


@pytest.mark.parametrize("start", TABLE["flow_run"])
def test_a_flow_run_may_move_as_the_table_says(api, start):
    flow = api.flow()
    answers = {}
    for target in TABLE["flow_run"][start]:
        run = api.flow_run(flow.id, state=None if start == "NONE" else start)
        answers[target] = in_short(api.set_state("flow_run", run.id, target), run.state)
    assert answers == TABLE["flow_run"][start]


@pytest.mark.parametrize("start", TABLE["task_run"])
def test_a_task_run_may_move_as_the_table_says(api, start):
    flow_run = api.flow_run(state="RUNNING")
    answers = {}
    for number, target in enumerate(TABLE["task_run"][start]):
        run = api.task_run(flow_run.id, dynamic_key=str(number), state=None if start == "NONE" else start)
        answers[target] = in_short(api.set_state("task_run", run.id, target), run.state)
    assert answers == TABLE["task_run"][start]


@pytest.mark.parametrize("owner", TABLE["task_running_by_owner_state"])
def test_a_task_may_run_while_its_flow_does(api, owner):
    run = api.task_run(api.flow_run(state=owner).id)
    answer = in_short(api.set_state("task_run", run.id, "RUNNING"), run.state)
    assert answer == TABLE["task_running_by_owner_state"][owner]


def test_only_running_looks_at_the_flow_of_a_task(api):
    flow_run = api.flow_run(state="COMPLETED")
    for number, target in enumerate(["SCHEDULED", "PENDING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED"]):
        run = api.task_run(flow_run.id, dynamic_key=str(number))
        assert api.set_state("task_run", run.id, target).status.value == "ACCEPT"


@pytest.mark.parametrize("kind, policy", [("flow_run", CORE_FLOW_POLICY), ("task_run", CORE_TASK_POLICY)])
def test_the_rules_about_each_transition_stand_in_the_known_order(kind, policy):
    for pair, expected in TABLE["rules"][kind].items():
        start, target = pair.split("->")
        rules = policy.rules_for(None if start == "NONE" else StateType(start), StateType(target))
        known = [name for name in expected if name not in DONE_WHEN_STORING]
        assert [name for rule in rules if (name := camel(rule.name)) not in BEYOND] == known, pair


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))
