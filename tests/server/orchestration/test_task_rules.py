"""The life of task runs that propose their states: retries, caching, background tasks."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from prefect.client.schemas.objects import TaskRunPolicy
from prefect.server.orchestration.task_rules import retry_delay_seconds

RESULT = {"type": "reference", "storage_key": "k"}


@pytest.fixture
def flow_run(api):
    return api.flow_run(state="RUNNING")


def status_of(result):
    return result.status.value


# -- retries ---------------------------------------------------------------------------------------------------------


def test_a_failed_task_with_retries_awaits_another_attempt(api, flow_run):
    run = api.task_run(flow_run.id, empirical_policy={"retries": 2, "retry_delay": [0, 60]})
    api.set_state("task_run", run.id, "RUNNING")

    first = api.set_state("task_run", run.id, "FAILED", message="boom")
    retrying = api.set_state("task_run", run.id, "RUNNING")
    second = api.set_state("task_run", run.id, "FAILED")

    assert (status_of(first), first.state.name, first.state.message) == ("REJECT", "AwaitingRetry", "boom")
    assert (status_of(retrying), retrying.state.name) == ("ACCEPT", "Retrying")
    wait = second.state.state_details.scheduled_time - second.state.timestamp
    assert abs(wait - timedelta(seconds=60)) < timedelta(seconds=1)
    assert status_of(api.set_state("task_run", run.id, "RUNNING")) == "WAIT"


def test_the_last_attempt_of_a_task_fails(api, flow_run):
    run = api.task_run(flow_run.id, empirical_policy={"retries": 1, "retry_delay": 0})
    for state in ("RUNNING", "FAILED", "RUNNING"):
        api.set_state("task_run", run.id, state)
    assert status_of(api.set_state("task_run", run.id, "FAILED")) == "ACCEPT"


def test_a_failure_that_is_not_worth_a_retry_stands(api, flow_run):
    run = api.task_run(flow_run.id, empirical_policy={"retries": 5})
    api.set_state("task_run", run.id, "RUNNING")
    assert status_of(api.set_state("task_run", run.id, "FAILED", state_details={"retriable": False})) == "ACCEPT"


@pytest.mark.parametrize(
    "delays, run_count, expected",
    [(None, 1, 0), (7, 1, 7), (1.5, 3, 1.5), ([1, 2, 3], 1, 1), ([1, 2, 3], 3, 3), ([1, 2, 3], 9, 3), ([], 1, 0)],
)
def test_each_attempt_has_its_delay_and_the_last_delay_repeats(delays, run_count, expected):
    assert retry_delay_seconds(TaskRunPolicy(retry_delay=delays), run_count) == expected


def test_jitter_moves_a_delay_within_its_bounds():
    policy = TaskRunPolicy(retry_delay=10, retry_jitter_factor=0.5)
    delays = {retry_delay_seconds(policy, 1) for _ in range(50)}
    assert len(delays) > 1
    assert all(5 <= delay <= 15 for delay in delays)


def test_no_delay_is_not_moved_by_jitter():
    assert retry_delay_seconds(TaskRunPolicy(retry_delay=0, retry_jitter_factor=0.5), 1) == 0


# -- names and counts of reruns --------------------------------------------------------------------------------------


def test_a_second_running_state_is_a_rerun(api, flow_run):
    run = api.task_run(flow_run.id)
    assert api.set_state("task_run", run.id, "RUNNING").state.name == "Running"
    assert api.set_state("task_run", run.id, "RUNNING").state.name == "Rerunning"
    assert api.read("task_run", run.id).run_count == 2


def test_a_task_that_starts_again_counts_anew(api, flow_run):
    run = api.task_run(flow_run.id)
    for state in ("RUNNING", "RUNNING", "COMPLETED"):
        api.set_state("task_run", run.id, state)
    assert api.set_state("task_run", run.id, "RUNNING").state.name == "Running"
    assert api.read("task_run", run.id).run_count == 1


def test_a_task_of_a_later_attempt_of_its_flow_is_retrying(api, flow_run):
    run = api.task_run(flow_run.id)
    for state in ("RUNNING", "COMPLETED"):
        api.set_state("task_run", run.id, state)
    assert api.read("task_run", run.id).flow_run_run_count == 1
    for state in ("FAILED", "RUNNING"):
        api.set_state("flow_run", flow_run.id, state)

    answer = api.set_state("task_run", run.id, "RUNNING")

    assert answer.state.name == "Retrying"
    stored = api.read("task_run", run.id)
    assert (stored.run_count, stored.flow_run_run_count) == (1, 2)


@pytest.mark.parametrize("target", ["RUNNING", "PENDING", "FAILED", "COMPLETED", "CANCELLED"])
def test_a_task_with_a_stored_result_keeps_it(api, flow_run, target):
    run = api.task_run(flow_run.id, state={"type": "COMPLETED", "data": RESULT})
    answer = api.set_state("task_run", run.id, target, data=RESULT)
    assert (status_of(answer), answer.state.id) == ("REJECT", run.state.id)


def test_a_task_of_a_paused_flow_is_not_ready(api, flow_run):
    api.set_state("flow_run", flow_run.id, "PAUSED", state_details={"pause_timeout": "2100-01-01T00:00:00Z"})
    run = api.task_run(flow_run.id)
    answer = api.set_state("task_run", run.id, "RUNNING")
    assert (status_of(answer), answer.state.name, answer.state.type.value) == ("REJECT", "NotReady", "PAUSED")
    assert answer.state.state_details.pause_timeout.year == 2100


def test_a_task_without_flow_runs_by_itself(api):
    run = api.task_run(None)
    assert status_of(api.set_state("task_run", run.id, "RUNNING")) == "ACCEPT"


# -- caching ---------------------------------------------------------------------------------------------------------


def complete_under(api, flow_run, key, **details):
    run = api.task_run(flow_run.id, dynamic_key=str(uuid4()))
    api.set_state("task_run", run.id, "RUNNING", state_details={"cache_key": key})
    done = api.set_state("task_run", run.id, "COMPLETED", data=RESULT, state_details={"cache_key": key, **details})
    assert status_of(done) == "ACCEPT"
    return done.state


def run_under(api, flow_run, key, **details):
    run = api.task_run(flow_run.id, dynamic_key=str(uuid4()))
    return api.set_state("task_run", run.id, "RUNNING", state_details={"cache_key": key, **details})


def test_a_task_takes_the_state_of_an_earlier_one_with_its_cache_key(api, flow_run):
    complete_under(api, flow_run, "key", cache_expiration="2100-01-01T00:00:00Z")
    newest = complete_under(api, flow_run, "other key")
    answer = run_under(api, flow_run, "other key")
    assert (status_of(answer), answer.state.name, answer.state.data) == ("REJECT", "Cached", newest.data)
    assert answer.state.id != newest.id
    assert answer.state.state_details.cache_key == "other key"
    assert run_under(api, flow_run, "key").state.name == "Cached"


def test_nothing_is_taken_from_the_cache_that_has_expired_or_shall_be_refreshed(api, flow_run):
    complete_under(api, flow_run, "expired", cache_expiration="2020-01-01T00:00:00Z")
    complete_under(api, flow_run, "fresh")
    assert status_of(run_under(api, flow_run, "expired")) == "ACCEPT"
    assert status_of(run_under(api, flow_run, "fresh", refresh_cache=True)) == "ACCEPT"
    assert status_of(run_under(api, flow_run, "unknown")) == "ACCEPT"


def test_a_cache_key_that_is_too_long_is_not_remembered(api, flow_run):
    run = api.task_run(flow_run.id, state="RUNNING")
    answer = api.set_state("task_run", run.id, "COMPLETED", state_details={"cache_key": "k" * 2001})
    assert (status_of(answer), answer.state.name) == ("REJECT", "Completed")
    assert api.read("task_run", run.id).state_name == "Completed"
    assert status_of(run_under(api, flow_run, "k" * 2001)) == "ACCEPT"


# -- background tasks ------------------------------------------------------------------------------------------------


def test_a_background_task_carries_its_parameters_to_its_worker(api):
    parameters_id = uuid4()
    details = {"deferred": True, "task_parameters_id": str(parameters_id)}
    run = api.task_run(None, state={"type": "SCHEDULED", "state_details": details})

    pending = api.set_state("task_run", run.id, "PENDING", state_details={"deferred": True})
    second = api.set_state("task_run", run.id, "PENDING", state_details={"deferred": True})
    running = api.set_state("task_run", run.id, "RUNNING", state_details={"deferred": True})

    assert pending.state.state_details.task_parameters_id == parameters_id
    assert status_of(second) == "ABORT"
    assert running.state.state_details.task_parameters_id == parameters_id


def test_a_background_task_of_a_stopped_flow_runs(api):
    run = api.task_run(api.flow_run(state="COMPLETED").id)
    answer = api.set_state("task_run", run.id, "RUNNING", state_details={"deferred": True})
    assert status_of(answer) == "ACCEPT"


def test_force_moves_a_task_run_anywhere(api, flow_run):
    run = api.task_run(flow_run.id, state={"type": "COMPLETED", "data": RESULT})
    assert status_of(api.set_state("task_run", run.id, "CANCELLING", force=True)) == "ACCEPT"


# -- limits on tags --------------------------------------------------------------------------------------------------


@pytest.fixture
def limit(api):
    def set_limit(tag, slots):
        api("POST", "/concurrency_limits/", {"tag": tag, "concurrency_limit": slots})

    return set_limit


def holders(api, tag):
    return api("GET", "/concurrency_limits/tag/{tag}", tag=tag).body.active_slots


def test_a_task_runs_while_there_is_a_slot_for_each_of_its_tags(api, flow_run, limit):
    limit("db", 1)
    limit("cpu", 5)
    first = api.task_run(flow_run.id, "first", tags=["db", "cpu", "free"])
    second = api.task_run(flow_run.id, "second", tags=["db", "cpu"])

    assert status_of(api.set_state("task_run", first.id, "RUNNING")) == "ACCEPT"
    answer = api.set_state("task_run", second.id, "RUNNING")

    assert (status_of(answer), answer.state.name) == ("WAIT", "Pending")
    assert 1 <= answer.details.delay_seconds <= 30
    assert (holders(api, "db"), holders(api, "cpu")) == ([first.id], [first.id])


@pytest.mark.parametrize("target", ["COMPLETED", "FAILED", "PENDING", "PAUSED", "CRASHED"])
def test_a_task_that_stops_running_gives_its_slots_back(api, flow_run, limit, target):
    limit("db", 1)
    run = api.task_run(flow_run.id, tags=["db"])
    for state in ("RUNNING", "CANCELLING"):
        api.set_state("task_run", run.id, state)
        assert holders(api, "db") == [run.id]
    api.set_state("task_run", run.id, target)
    assert holders(api, "db") == []


def test_a_task_whose_tag_has_no_slots_at_all_stops(api, flow_run, limit):
    limit("db", 0)
    run = api.task_run(flow_run.id, tags=["db"])
    assert status_of(api.set_state("task_run", run.id, "RUNNING")) == "ABORT"


def test_no_slot_is_taken_by_a_task_that_may_not_run(api, limit):
    limit("db", 1)
    stopped = api.task_run(api.flow_run(state="COMPLETED").id, tags=["db"])
    waiting = api.task_run(
        api.flow_run(state="RUNNING").id,
        state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}},
        tags=["db"],
    )
    assert status_of(api.set_state("task_run", stopped.id, "RUNNING")) == "ABORT"
    assert status_of(api.set_state("task_run", waiting.id, "RUNNING")) == "WAIT"
    assert holders(api, "db") == []


def test_a_running_task_that_enters_running_again_keeps_its_slot(api, flow_run, limit):
    limit("db", 1)
    run = api.task_run(flow_run.id, tags=["db"])
    for _ in range(2):
        assert status_of(api.set_state("task_run", run.id, "RUNNING")) == "ACCEPT"
    assert holders(api, "db") == [run.id]


def test_force_gives_slots_back_too(api, flow_run, limit):
    limit("db", 1)
    run = api.task_run(flow_run.id, tags=["db"])
    api.set_state("task_run", run.id, "RUNNING")
    api.set_state("task_run", run.id, "CANCELLED", force=True)
    assert holders(api, "db") == []
