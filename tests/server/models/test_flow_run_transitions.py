"""Transitions of flow runs as services and several clients make them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import StateType
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.orchestration.policies import LATE_FLOW_POLICY


def test_of_many_submitters_one_claims_a_run(api):
    run = api.flow_run(state="SCHEDULED", deployment_id=api.deployment().id)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: api.set_state("flow_run", run.id, "PENDING").status.value, range(24))
    assert Counter(answers) == {"ACCEPT": 1, "ABORT": 23}


def test_states_proposed_at_once_are_all_in_the_history(api):
    run = api.flow_run(state="RUNNING")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.set_state("flow_run", run.id, "RUNNING"), range(24)))
    history = api("GET", "/flow_run_states/", query={"flow_run_id": run.id}).body
    assert len({state.timestamp for state in history}) == 25
    assert api.read("flow_run", run.id).run_count == 25
    page = api("POST", "/events/filter", {"filter": {"event": {"name": ["prefect.flow-run.Running"]}}}).body
    assert page["total"] == 25


@pytest.mark.parametrize("start, expected", [("SCHEDULED", "ACCEPT"), ("PENDING", "REJECT"), ("RUNNING", "REJECT")])
def test_the_late_policy_marks_scheduled_runs_only(api, store, start, expected):
    run = api.flow_run(state=start)
    late = StateCreate(type=StateType.SCHEDULED, name="Late")
    outcome = store.write(lambda tx: set_flow_run_state(tx, run.id, late, policy=LATE_FLOW_POLICY))
    assert outcome.status.value == expected
    assert outcome.is_written is (expected == "ACCEPT")


def test_a_service_keeps_its_own_clock(api, store):
    run = api.flow_run(state="RUNNING")
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    done = StateCreate(type=StateType.COMPLETED)
    store.write(lambda tx: set_flow_run_state(tx, run.id, done, now=later))
    stored = api.read("flow_run", run.id)
    assert stored.end_time == stored.state.timestamp == later
    assert stored.total_run_time == later - run.start_time


def test_a_clock_that_was_set_back_does_not_turn_history_around(api, store):
    run = api.flow_run(state="RUNNING")
    earlier = datetime(2020, 1, 1, tzinfo=timezone.utc)
    store.write(lambda tx: set_flow_run_state(tx, run.id, StateCreate(type=StateType.COMPLETED), now=earlier))
    stored = api.read("flow_run", run.id)
    assert stored.end_time > run.start_time
    assert stored.total_run_time == timedelta(microseconds=1)


def test_an_unknown_run_has_no_outcome(store):
    proposal = StateCreate(type=StateType.RUNNING)
    assert store.write(lambda tx: set_flow_run_state(tx, uuid4(), proposal)) is None


def test_a_failing_operation_leaves_no_state_behind(api, store):
    run = api.flow_run()

    def fail_afterwards(tx):
        set_flow_run_state(tx, run.id, StateCreate(type=StateType.RUNNING))
        raise RuntimeError("afterwards")

    with pytest.raises(RuntimeError):
        store.write(fail_afterwards)
    assert api.read("flow_run", run.id).state_name == "Pending"
    assert len(api("GET", "/flow_run_states/", query={"flow_run_id": run.id}).body) == 1
