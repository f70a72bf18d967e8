"""The life of flow runs: retries, pauses, cancellation, and what is kept about them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

RESULT = {"type": "reference", "storage_key": "k"}
PAST, FUTURE = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


def status_of(result):
    return result.status.value


def of_deployment(api, **fields):
    return api.flow_run(deployment_id=api.deployment().id, **fields)


# -- retries ---------------------------------------------------------------------------------------------------------


def test_a_failed_run_with_retries_awaits_another_attempt(api):
    run = api.flow_run(empirical_policy={"retries": 1, "retry_delay": 30})
    api.set_state("flow_run", run.id, "RUNNING")

    answer = api.set_state("flow_run", run.id, "FAILED", message="boom", data=RESULT)

    assert (status_of(answer), answer.state.name, answer.state.type.value) == ("REJECT", "AwaitingRetry", "SCHEDULED")
    assert (answer.state.message, answer.state.data) == ("boom", RESULT)
    wait = answer.state.state_details.scheduled_time - answer.state.timestamp
    assert abs(wait - timedelta(seconds=30)) < timedelta(seconds=1)
    stored = api.read("flow_run", run.id)
    assert stored.empirical_policy.retry_type == "in_process"
    assert stored.next_scheduled_start_time == answer.state.state_details.scheduled_time


def test_an_attempt_is_held_until_it_is_due(api):
    run = api.flow_run(empirical_policy={"retries": 1, "retry_delay": 30})
    api.set_state("flow_run", run.id, "RUNNING")
    waiting = api.set_state("flow_run", run.id, "FAILED").state

    answer = api.set_state("flow_run", run.id, "RUNNING")

    assert status_of(answer) == "WAIT"
    assert 28 <= answer.details.delay_seconds <= 30
    assert answer.state.id == waiting.id


def test_the_last_attempt_fails(api):
    run = api.flow_run(empirical_policy={"retries": 1, "retry_delay": 0})
    api.set_state("flow_run", run.id, "RUNNING")
    api.set_state("flow_run", run.id, "FAILED")
    api.set_state("flow_run", run.id, "RUNNING")

    answer = api.set_state("flow_run", run.id, "FAILED")

    assert (status_of(answer), answer.state.name) == ("ACCEPT", "Failed")
    stored = api.read("flow_run", run.id)
    assert (stored.run_count, stored.empirical_policy.retry_type) == (2, None)


def test_a_crashed_run_is_not_retried(api):
    run = api.flow_run(empirical_policy={"retries": 1})
    api.set_state("flow_run", run.id, "RUNNING")
    assert status_of(api.set_state("flow_run", run.id, "CRASHED")) == "ACCEPT"


def test_old_names_of_the_policy_are_understood(api):
    run = api.flow_run(empirical_policy={"max_retries": 1, "retry_delay_seconds": 0})
    api.set_state("flow_run", run.id, "RUNNING")
    assert api.set_state("flow_run", run.id, "FAILED").state.name == "AwaitingRetry"


# -- pausing ---------------------------------------------------------------------------------------------------------


def test_a_pause_happens_once(api):
    run = api.flow_run(state="RUNNING")
    assert status_of(api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_key": "first"})) == "ACCEPT"
    assert status_of(api.set_state("flow_run", run.id, "RUNNING")) == "ACCEPT"

    again = api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_key": "first"})
    other = api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_key": "second"})

    assert (status_of(again), again.state.name) == ("REJECT", "Running")
    assert status_of(other) == "ACCEPT"
    assert api.read("flow_run", run.id).empirical_policy.pause_keys == {"first", "second"}


def test_coming_back_from_a_pause_is_no_new_attempt(api):
    run = api.flow_run(state="RUNNING")
    api.set_state("flow_run", run.id, "PAUSED")
    api.set_state("flow_run", run.id, "RUNNING")
    stored = api.read("flow_run", run.id)
    assert (stored.run_count, stored.empirical_policy.resuming) == (1, False)


def test_coming_back_from_a_suspension_is_no_new_attempt(api):
    run = of_deployment(api, state="RUNNING")
    suspended = api.set_state("flow_run", run.id, "PAUSED", name="Suspended", state_details={"pause_reschedule": True})
    assert status_of(suspended) == "ACCEPT"
    api.set_state("flow_run", run.id, "SCHEDULED", name="Resuming")
    assert api.read("flow_run", run.id).empirical_policy.resuming is True
    api.set_state("flow_run", run.id, "PENDING")
    api.set_state("flow_run", run.id, "RUNNING")
    stored = api.read("flow_run", run.id)
    assert (stored.run_count, stored.empirical_policy.resuming) == (1, False)


def test_a_run_without_deployment_cannot_be_suspended(api):
    run = api.flow_run(state="RUNNING")
    answer = api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_reschedule": True})
    assert (status_of(answer), answer.state.type.value) == ("ABORT", "RUNNING")


def test_a_subflow_run_cannot_be_suspended(api):
    tracking = api.task_run(api.flow_run(state="RUNNING").id)
    run = of_deployment(api, state="RUNNING", parent_task_run_id=tracking.id)
    answer = api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_reschedule": True})
    assert status_of(answer) == "ABORT"


def test_a_pause_that_has_timed_out_fails_the_run(api):
    run = api.flow_run(state="RUNNING")
    api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_timeout": PAST})
    answer = api.set_state("flow_run", run.id, "RUNNING")
    assert (status_of(answer), answer.state.name) == ("REJECT", "Failed")
    assert "never resumed" in answer.state.message


def test_a_timed_out_pause_can_still_be_cancelled(api):
    run = api.flow_run(state="RUNNING")
    api.set_state("flow_run", run.id, "PAUSED", state_details={"pause_timeout": PAST})
    assert status_of(api.set_state("flow_run", run.id, "CANCELLING")) == "ACCEPT"


# -- cancelling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state, infrastructure_pid, expected",
    [
        ({"type": "SCHEDULED"}, None, "Cancelled"),
        ({"type": "SCHEDULED"}, "host:1", "Cancelling"),
        ({"type": "SCHEDULED", "name": "Resuming"}, "host:1", "Cancelled"),
        ({"type": "PAUSED", "state_details": {"pause_reschedule": True}}, "host:1", "Cancelled"),
        ({"type": "PAUSED"}, None, "Cancelling"),
        ({"type": "RUNNING"}, None, "Cancelling"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_run_is_cancelled_at_once_where_nothing_runs(api, state, infrastructure_pid, expected, force):
    run = of_deployment(api, state=state)
    if infrastructure_pid is not None:
        api("PATCH", "/flow_runs/{id}", {"infrastructure_pid": infrastructure_pid}, id=run.id)
    answer = api.set_state("flow_run", run.id, "CANCELLING", force=force)
    assert answer.state.name == expected
    assert status_of(answer) == ("REJECT" if expected == "Cancelled" else "ACCEPT")


# -- claiming and waiting --------------------------------------------------------------------------------------------


def test_one_submitter_claims_a_run(api):
    run = of_deployment(api, state="SCHEDULED")
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ACCEPT"
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ABORT"


def test_a_submitter_tells_how_far_it_has_got(api):
    run = of_deployment(api, state={"type": "SCHEDULED", "state_details": {"scheduled_time": PAST}})
    api.set_state("flow_run", run.id, "PENDING")

    answer = api.set_state("flow_run", run.id, "PENDING", name="InfrastructurePending")

    assert status_of(answer) == "ACCEPT"
    assert answer.state.state_details.scheduled_time == datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert status_of(api.set_state("flow_run", run.id, "PENDING", name="InfrastructurePending")) == "ABORT"


def test_a_run_waits_for_its_scheduled_time_also_when_pending(api):
    run = of_deployment(api, state={"type": "SCHEDULED", "state_details": {"scheduled_time": FUTURE}})
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ACCEPT"
    answer = api.set_state("flow_run", run.id, "RUNNING")
    assert status_of(answer) == "WAIT"
    assert answer.details.delay_seconds > 10**9


def test_a_repeated_request_gets_the_state_that_it_has_led_to(api):
    run, details = api.flow_run(), {"transition_id": str(uuid4())}
    first = api.set_state("flow_run", run.id, "RUNNING", state_details=details)
    second = api.set_state("flow_run", run.id, "RUNNING", state_details=details)
    assert (status_of(first), status_of(second)) == ("ACCEPT", "REJECT")
    assert second.state.id == first.state.id


def test_a_repeated_failure_gets_the_retry_that_it_has_led_to(api):
    run, details = api.flow_run(empirical_policy={"retries": 1, "retry_delay": 0}), {"transition_id": str(uuid4())}
    api.set_state("flow_run", run.id, "RUNNING")
    first = api.set_state("flow_run", run.id, "FAILED", state_details=details)
    second = api.set_state("flow_run", run.id, "FAILED", state_details=details)
    assert (status_of(first), status_of(second)) == ("REJECT", "REJECT")
    assert second.state.id == first.state.id and second.state.name == "AwaitingRetry"


def test_a_lease_is_carried_through_every_state(api):
    run, lease_id = of_deployment(api), uuid4()
    api.set_state("flow_run", run.id, "RUNNING", state_details={"deployment_concurrency_lease_id": str(lease_id)})
    answer = api.set_state("flow_run", run.id, "COMPLETED", state_details={"deployment_concurrency_lease_id": None})
    assert answer.state.state_details.deployment_concurrency_lease_id == lease_id


def test_only_a_scheduled_run_becomes_late_and_once(api):
    run = of_deployment(api, state="SCHEDULED")
    assert status_of(api.set_state("flow_run", run.id, "SCHEDULED", name="Late")) == "ACCEPT"
    assert status_of(api.set_state("flow_run", run.id, "SCHEDULED", name="Late")) == "REJECT"
    pending = of_deployment(api, state="PENDING")
    assert status_of(api.set_state("flow_run", pending.id, "SCHEDULED", name="Late")) == "REJECT"


# -- ended runs ------------------------------------------------------------------------------------------------------


def completed(api, data=RESULT):
    run = of_deployment(api, state="RUNNING", empirical_policy={"pause_keys": ["1"]})
    api.set_state("flow_run", run.id, "COMPLETED", data=data)
    return run


@pytest.mark.parametrize("target", ["SCHEDULED", "PENDING", "RUNNING"])
def test_a_run_with_a_stored_result_does_not_start_again(api, target):
    answer = api.set_state("flow_run", completed(api).id, target)
    assert (status_of(answer), answer.state.name) == ("REJECT", "Completed")


@pytest.mark.parametrize("force", [False, True])
def test_a_stored_result_is_not_lost(api, force):
    run = completed(api)
    assert status_of(api.set_state("flow_run", run.id, "COMPLETED", force=force)) == "REJECT"
    assert status_of(api.set_state("flow_run", run.id, "COMPLETED", data={"type": "other"}, force=force)) == "ACCEPT"


def test_a_result_that_is_not_stored_does_not_keep_a_run_from_starting_again(api):
    run = completed(api, data={"type": "unpersisted"})
    assert status_of(api.set_state("flow_run", run.id, "RUNNING")) == "ACCEPT"


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"])
def test_a_worker_that_comes_late_does_not_start_a_run_again(api, end):
    run = of_deployment(api, state="SCHEDULED")
    for type in ("PENDING", "RUNNING", end):
        api.set_state("flow_run", run.id, type)
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ABORT"
    assert api.read("flow_run", run.id).state.type.value == end
    assert status_of(api.set_state("flow_run", run.id, "SCHEDULED")) == "ACCEPT"
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ACCEPT"


def test_a_retry_belongs_to_the_process_that_waits_for_it(api):
    run = of_deployment(api, empirical_policy={"retries": 1, "retry_delay": 0})
    for type in ("PENDING", "RUNNING", "FAILED"):
        api.set_state("flow_run", run.id, type)
    assert status_of(api.set_state("flow_run", run.id, "PENDING")) == "ABORT"
    assert status_of(api.set_state("flow_run", run.id, "RUNNING")) == "ACCEPT"
    for type in ("FAILED", "SCHEDULED"):
        api.set_state("flow_run", run.id, type)
    assert status_of(api.set_state("flow_run", run.id, "PENDING", name="Pending")) == "ACCEPT"


def test_a_run_that_starts_again_forgets_its_pauses(api):
    run = completed(api, data=None)
    before = api.read("flow_run", run.id)
    api.set_state("flow_run", run.id, "SCHEDULED")
    stored = api.read("flow_run", run.id)
    assert (stored.empirical_policy.pause_keys, stored.empirical_policy.retry_type) == (set(), "reschedule")
    assert (stored.end_time, stored.start_time, stored.run_count) == (None, before.start_time, before.run_count)


def test_force_stores_what_the_rules_would_refuse(api):
    run = api.flow_run(state="CANCELLING")
    assert status_of(api.set_state("flow_run", run.id, "RUNNING", force=True)) == "ACCEPT"


# -- bookkeeping -----------------------------------------------------------------------------------------------------


def test_times_and_counts_follow_the_states(api):
    run = of_deployment(api, state={"type": "SCHEDULED", "state_details": {"scheduled_time": PAST}})
    assert run.expected_start_time == run.next_scheduled_start_time == datetime(2020, 1, 1, tzinfo=timezone.utc)

    pending = api.set_state("flow_run", run.id, "PENDING").state
    first = api.set_state("flow_run", run.id, "RUNNING").state
    second = api.set_state("flow_run", run.id, "RUNNING").state
    done = api.set_state("flow_run", run.id, "COMPLETED").state
    stored = api.read("flow_run", run.id)

    assert pending.state_details.scheduled_time == run.expected_start_time
    assert stored.next_scheduled_start_time is None
    assert stored.expected_start_time == run.expected_start_time
    assert (stored.start_time, stored.end_time, stored.run_count) == (first.timestamp, done.timestamp, 2)
    assert stored.total_run_time == (second.timestamp - first.timestamp) + (done.timestamp - second.timestamp)
    assert (stored.state_id, stored.state_name, stored.state_type) == (done.id, "Completed", done.type)


def test_a_run_that_ends_without_starting_starts_when_it_ends(api):
    run = api.flow_run()
    done = api.set_state("flow_run", run.id, "FAILED").state
    stored = api.read("flow_run", run.id)
    assert stored.start_time == stored.end_time == done.timestamp


def test_leaving_a_terminal_state_clears_the_end(api):
    run = api.flow_run(state="FAILED")
    api.set_state("flow_run", run.id, "RUNNING")
    assert api.read("flow_run", run.id).end_time is None


def test_states_of_a_run_are_told_apart_by_their_times(api, store):
    from prefect.client.schemas.actions import StateCreate
    from prefect.client.schemas.objects import StateType
    from prefect.server.models.flow_run_transitions import set_flow_run_state

    run = api.flow_run()
    instant = run.state.timestamp
    for _ in range(3):
        store.write(lambda tx: set_flow_run_state(tx, run.id, StateCreate(type=StateType.RUNNING), now=instant))
    history = api("GET", "/flow_run_states/", query={"flow_run_id": run.id}).body
    assert [state.timestamp - instant for state in history] == [timedelta(microseconds=n) for n in range(4)]


# -- subflow runs ----------------------------------------------------------------------------------------------------


def test_the_task_run_that_tracks_a_subflow_mirrors_its_states(api):
    parent = api.flow_run(state="RUNNING")
    tracking = api.task_run(parent.id)
    run = api.flow_run(parent_task_run_id=tracking.id)

    api.set_state("flow_run", run.id, "RUNNING")
    done = api.set_state("flow_run", run.id, "COMPLETED", message="fine", data=RESULT).state

    mirror = api.read("task_run", tracking.id)
    assert done.state_details.task_run_id == tracking.id
    assert (mirror.state.name, mirror.state.message, mirror.state.data) == ("Completed", "fine", done.data)
    assert mirror.state.id != done.id
    details = mirror.state.state_details
    assert (details.child_flow_run_id, details.flow_run_id, details.task_run_id) == (run.id, parent.id, tracking.id)
    assert mirror.run_count == 1
    history = api("GET", "/task_run_states/", query={"task_run_id": tracking.id}).body
    assert [state.name for state in history] == ["Pending", "Pending", "Running", "Completed"]


def test_a_subflow_run_lives_without_the_record_of_its_tracking_task_run(api):
    run = api.flow_run(parent_task_run_id=uuid4())
    assert status_of(api.set_state("flow_run", run.id, "RUNNING")) == "ACCEPT"
