"""The services that move runs by the clock: late runs, pauses that time out, and what belongs to cancelled runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from prefect.server.services import cancellation_cleanup, late_runs, pause_expirations

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def now():
    return datetime.now(timezone.utc)


def go_round(store, service, at=None):
    at = at or now()
    return store.write(lambda tx: service.run_once(tx, at))


def settle(store, service, at=None):
    """Rounds until there is nothing left to do, as the runner makes them; how much was done."""
    done, total = 1, 0
    while done:
        done = go_round(store, service, at)
        total += done
    return total


def side_by_side(store, service, at):
    """What several servers do that make their rounds at the same time."""
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(lambda _: settle(store, service, at), range(4)))


def scheduled(api, at, **fields):
    return api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}, **fields)


def name_of(api, run):
    return api.read("flow_run", run.id).state.name


def events_of(api, run):
    # The clocks of the rounds are ahead.
    occurred = {"since": (now() - DAY).isoformat(), "until": (now() + DAY).isoformat()}
    body = {"filter": {"resource": {"id": [f"prefect.flow-run.{run.id}"]}, "occurred": occurred}}
    return [event.event for event in api("POST", "/events/filter", body).body["events"]]


# -- late runs ---------------------------------------------------------------------------------------------------------


def test_a_run_that_nobody_starts_is_marked_late_once(api, store):
    due = now()
    run = scheduled(api, due)
    assert go_round(store, late_runs, due + 14 * SECOND) == 0
    assert go_round(store, late_runs, due + 16 * SECOND) == 1
    state = api.read("flow_run", run.id).state
    assert (state.type.value, state.name, state.state_details.scheduled_time) == ("SCHEDULED", "Late", due)
    assert go_round(store, late_runs, due + MINUTE) == 0
    assert events_of(api, run).count("prefect.flow-run.Late") == 1


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETED", "AwaitingRetry", "AwaitingConcurrencySlot"])
def test_only_runs_that_wait_for_their_time_become_late(api, store, state):
    wanted = {"type": state} if state.isupper() else {"type": "SCHEDULED", "name": state}
    run = api.flow_run(state=wanted)
    assert go_round(store, late_runs, now() + 10 * MINUTE) == 0
    assert name_of(api, run) == wanted.get("name", state.capitalize())


def test_a_late_run_can_still_be_started(api, store):
    run = scheduled(api, now())
    go_round(store, late_runs, now() + MINUTE)
    for state in ("PENDING", "RUNNING", "COMPLETED"):
        assert api.set_state("flow_run", run.id, state).status.value == "ACCEPT"


def test_a_late_run_is_cancelled_where_runs_may_not_wait(api, store):
    options = {"collision_strategy": "CANCEL_NEW"}
    deployment = api.deployment(concurrency_limit=1, concurrency_options=options)
    holder, waiting = (scheduled(api, now(), deployment_id=deployment.id) for _ in range(2))
    api.set_state("flow_run", holder.id, "PENDING")
    go_round(store, late_runs, now() + MINUTE)
    assert name_of(api, waiting) == "Cancelled"


def test_many_late_runs_are_marked_in_bounded_rounds_by_several_servers_each_once(api, store):
    due = now()
    flow = api.flow()
    runs = [scheduled(api, due, flow_id=flow.id) for _ in range(late_runs.BATCH + 50)]
    assert go_round(store, late_runs, due + MINUTE) == late_runs.BATCH
    assert side_by_side(store, late_runs, due + MINUTE) == 50
    assert all(events_of(api, run).count("prefect.flow-run.Late") == 1 for run in runs[::25])


def test_a_run_that_cannot_be_handled_does_not_keep_the_others_waiting(api, store, caplog):
    due = now()
    broken, whole = scheduled(api, due - SECOND), scheduled(api, due)
    store.write(lambda tx: tx.execute("UPDATE flow_run SET empirical_policy = '[]' WHERE id = ?", (broken.id,)))
    assert go_round(store, late_runs, due + MINUTE) == 1
    assert name_of(api, whole) == "Late"
    assert any(str(broken.id) in str(record.args) or record.exc_info for record in caplog.records)


# -- pauses ------------------------------------------------------------------------------------------------------------


def paused(api, timeout, **details):
    run = api.flow_run(state="RUNNING")
    details = {"pause_timeout": timeout and timeout.isoformat(), **details}
    api.set_state("flow_run", run.id, "PAUSED", force=True, state_details=details)
    return run


@pytest.mark.parametrize("details", [{}, {"pause_reschedule": True}])
def test_a_pause_that_times_out_fails_the_run(api, store, details):
    timeout = now() + MINUTE
    run = paused(api, timeout, **details)
    assert go_round(store, pause_expirations, timeout - SECOND) == 0
    assert go_round(store, pause_expirations, timeout + SECOND) == 1
    state = api.read("flow_run", run.id).state
    assert (state.type.value, state.message) == ("FAILED", "The flow was paused and never resumed.")
    assert go_round(store, pause_expirations, timeout + MINUTE) == 0


def test_a_timeout_of_any_timezone_and_precision_is_understood(api, store):
    east = timezone(timedelta(hours=9))
    timeout = (now() + MINUTE).astimezone(east).replace(microsecond=0)
    paused(api, timeout)
    assert go_round(store, pause_expirations, timeout - SECOND) == 0
    assert go_round(store, pause_expirations, timeout + SECOND) == 1


def test_runs_that_pause_without_end_or_go_on_are_left_alone(api, store):
    endless, resumed = paused(api, None), paused(api, now() + MINUTE)
    api("POST", "/flow_runs/{id}/resume", id=resumed.id)
    assert go_round(store, pause_expirations, now() + DAY) == 0
    assert (name_of(api, endless), name_of(api, resumed)) == ("Paused", "Running")


def test_several_servers_fail_a_paused_run_once(api, store):
    runs = [paused(api, now()) for _ in range(10)]
    assert side_by_side(store, pause_expirations, now() + MINUTE) == 10
    assert all(events_of(api, run).count("prefect.flow-run.Failed") == 1 for run in runs)


# -- cancellation ------------------------------------------------------------------------------------------------------


def test_a_cancellation_that_nobody_carries_out_times_out(api, store):
    run = api.flow_run(state="RUNNING")
    api.set_state("flow_run", run.id, "CANCELLING")
    assert settle(store, cancellation_cleanup, now() + 299 * SECOND) == 0
    assert settle(store, cancellation_cleanup, now() + 301 * SECOND) == 1
    assert name_of(api, run) == "Cancelled"


def family(api, child_state="RUNNING", **child):
    """A running run with a task run, and a subflow run behind another task run."""
    parent = api.flow_run(state="RUNNING")
    task = api.task_run(parent.id, "work", "RUNNING")
    tracker = api.task_run(parent.id, "call", "RUNNING")
    return parent, task, tracker, api.flow_run(state=child_state, parent_task_run_id=tracker.id, **child)


def test_what_belongs_to_a_cancelled_run_is_cancelled_with_it(api, store):
    parent, task, tracker, child = family(api)
    deeper = api.task_run(child.id, "deep", "RUNNING")
    finished = api.task_run(parent.id, "finished", "RUNNING")
    api.set_state("task_run", finished.id, "COMPLETED")
    api.set_state("flow_run", parent.id, "CANCELLED", force=True)
    settle(store, cancellation_cleanup)
    assert [api.read("task_run", each.id).state_name for each in (task, tracker, deeper)] == ["Cancelled"] * 3
    assert name_of(api, child) == "Cancelled"
    assert api.read("task_run", finished.id).state_name == "Completed"
    assert settle(store, cancellation_cleanup) == 0


def test_a_subflow_run_with_a_process_of_its_own_is_told_to_end(api, store):
    deployment = api.deployment()
    parent, _, _, child = family(api, deployment_id=deployment.id)
    api.set_state("flow_run", parent.id, "CANCELLED", force=True)
    settle(store, cancellation_cleanup)
    assert name_of(api, child) == "Cancelling"
    assert settle(store, cancellation_cleanup) == 0


def test_a_subflow_run_that_has_not_been_started_is_cancelled_at_once(api, store):
    deployment = api.deployment()
    parent, _, tracker, child = family(api, "SCHEDULED", deployment_id=deployment.id)
    api.set_state("flow_run", parent.id, "CANCELLED", force=True)
    settle(store, cancellation_cleanup)
    assert name_of(api, child) == "Cancelled"
    assert api.read("task_run", tracker.id).state_name == "Cancelled"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CRASHED", "CANCELLING"])
def test_runs_that_were_not_cancelled_keep_what_belongs_to_them(api, store, state):
    parent, task, _, child = family(api)
    api.set_state("flow_run", parent.id, state, force=True)
    assert settle(store, cancellation_cleanup) == 0
    assert (api.read("task_run", task.id).state_name, name_of(api, child)) == ("Running", "Running")


def test_what_was_cancelled_long_ago_is_not_looked_at(api, store):
    parent, *_ = family(api)
    api.set_state("flow_run", parent.id, "CANCELLED", force=True)
    assert settle(store, cancellation_cleanup, now() + 2 * DAY) == 0


def test_several_servers_cancel_everything_once(api, store):
    parent, _, _, child = family(api)
    for number in range(20):
        api.task_run(parent.id, f"t{number}", "RUNNING")
    api.set_state("flow_run", parent.id, "CANCELLED", force=True)
    assert side_by_side(store, cancellation_cleanup, now()) == 22
    assert events_of(api, child).count("prefect.flow-run.Cancelled") == 1
