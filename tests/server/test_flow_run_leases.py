"""Leases on running flow runs: what happens to the runs of a process that died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.client._calls._call import Call
from prefect.server.models.flow_run_leases import end_abandoned_runs, renew_leases
from prefect.server.routes._table import ApiError, Caller, dispatch

LEASE = timedelta(seconds=60)
OWNER = Caller(holder="machine:1")


@pytest.fixture
def flow_id(store):
    return dispatch(store, Call("POST", "/flows/", body={"name": f"leased-{uuid4()}"})).body.id


def create(store, flow_id, caller=OWNER, state="PENDING"):
    body = {"flow_id": flow_id, "state": {"type": state}}
    return dispatch(store, Call("POST", "/flow_runs/", body=body), caller).body.id


def propose(store, run_id, state, caller=OWNER):
    body = {"state": {"type": state}}
    return dispatch(store, Call("POST", "/flow_runs/{id}/set_state", {"id": run_id}, body=body), caller).body


def state_of(store, run_id):
    return dispatch(store, Call("GET", "/flow_runs/{id}", {"id": run_id})).body.state


def sweep(store, later):
    return store.write(lambda tx: end_abandoned_runs(tx, tx.now + later))


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_run_whose_process_died_ends_as_crashed_after_one_lease(store, flow_id, state):
    run_id = create(store, flow_id)
    if state == "RUNNING":
        propose(store, run_id, "RUNNING")
    assert sweep(store, LEASE - timedelta(seconds=5)) == []
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]
    assert state_of(store, run_id).is_crashed()
    assert "machine:1" in state_of(store, run_id).message
    assert sweep(store, LEASE * 2) == []


def test_a_renewed_lease_keeps_a_run_alive(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    assert store.write(lambda tx: renew_leases(tx, "machine:1")) == 1
    assert store.write(lambda tx: renew_leases(tx, "machine:2")) == 0
    assert sweep(store, LEASE - timedelta(seconds=5)) == []


def test_a_holder_may_give_a_run_back_and_nobody_else_may(store, flow_id):
    given, kept = create(store, flow_id), create(store, flow_id)
    for run_id, holder in ((given, "machine:1"), (kept, "machine:2")):
        call = Call("POST", "/flow_run_leases/release", body={"flow_run_id": str(run_id)})
        assert dispatch(store, call, Caller(holder=holder)).status == 204
    assert sweep(store, LEASE * 2) == [kept]
    assert state_of(store, given).is_pending()
    propose(store, given, "RUNNING", Caller(holder="machine:3"))
    assert sweep(store, LEASE * 2) == [given]


def test_who_gives_a_run_back_has_to_say_who_it_is(store, flow_id):
    call = Call("POST", "/flow_run_leases/release", body={"flow_run_id": str(uuid4())})
    with pytest.raises(ApiError) as refused:
        dispatch(store, call)
    assert (refused.value.status, "X-Prefect-Run-Holder" in str(refused.value.detail)) == (422, True)


def test_a_run_that_ended_is_left_alone(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    propose(store, run_id, "COMPLETED")
    assert sweep(store, LEASE * 2) == []
    assert state_of(store, run_id).is_completed()


def test_runs_of_callers_that_hold_nothing_are_left_alone(store, flow_id):
    run_id = create(store, flow_id, caller=Caller())
    propose(store, run_id, "RUNNING", caller=Caller())
    assert sweep(store, LEASE * 2) == []
    assert state_of(store, run_id).is_running()


def test_a_scheduled_run_waits_for_whoever_starts_it(store, flow_id):
    run_id = create(store, flow_id, state="SCHEDULED")
    assert sweep(store, LEASE * 2) == []
    propose(store, run_id, "RUNNING")
    assert sweep(store, LEASE * 2) == [run_id]


def task_run(store, flow_run_id, key, *states, details=None):
    body = {"flow_run_id": flow_run_id, "task_key": "t", "dynamic_key": key, "state": {"type": "PENDING"}}
    if details:
        body["state"] = {"type": "SCHEDULED", "state_details": details}
    run = dispatch(store, Call("POST", "/task_runs/", body=body)).body
    for state in states:
        dispatch(
            store,
            Call("POST", "/task_runs/{id}/set_state", {"id": run.id}, body={"state": {"type": state}, "force": True}),
        )
    return run.id


def state_type_of_task(store, run_id):
    return dispatch(store, Call("GET", "/task_runs/{id}", {"id": run_id})).body.state.type.value


def test_task_runs_end_with_the_process_that_ran_them(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    running = task_run(store, run_id, "a", "RUNNING")
    pending = task_run(store, run_id, "b")
    completed = task_run(store, run_id, "c", "RUNNING", "COMPLETED")
    deferred = task_run(store, run_id, "d", details={"deferred": True})
    tracking = task_run(store, run_id, "e")
    body = {"flow_id": flow_id, "parent_task_run_id": tracking, "state": {"type": "SCHEDULED"}}
    dispatch(store, Call("POST", "/flow_runs/", body=body), Caller())
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]
    found = [state_type_of_task(store, id) for id in (running, pending, completed, deferred, tracking)]
    # A background run waits for a task worker, and the subflow run may be started elsewhere.
    assert found == ["CRASHED", "CRASHED", "COMPLETED", "SCHEDULED", "SCHEDULED"]


def force(store, run_id, type, **state):
    """Set a state from outside, as a person does through the API."""
    body = {"state": {"type": type, **state}, "force": True}
    return dispatch(store, Call("POST", "/flow_runs/{id}/set_state", {"id": run_id}, body=body), Caller()).body


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"])
def test_a_run_that_somebody_else_has_ended_is_not_ended_again(store, flow_id, state):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    force(store, run_id, state)
    before = state_of(store, run_id)
    assert sweep(store, LEASE * 2) == []
    assert state_of(store, run_id) == before


def test_a_run_that_dies_while_it_is_cancelled_ends_as_cancelled(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    force(store, run_id, "CANCELLING")
    assert sweep(store, LEASE * 2) == [run_id]
    assert state_of(store, run_id).is_cancelled()


def test_a_run_that_was_suspended_from_outside_waits_for_its_resumption(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    force(store, run_id, "PAUSED", state_details={"pause_reschedule": True})
    assert sweep(store, LEASE * 2) == []
    assert state_of(store, run_id).is_paused()


def test_two_sweepers_at_once_end_every_run_once(store, flow_id):
    runs = [create(store, flow_id) for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        ended = [id for found in pool.map(lambda _: sweep(store, LEASE * 2), range(8)) for id in found]
    assert sorted(ended) == sorted(runs)


# -- runs that are known by their heartbeats ---------------------------------------------------------------------------

SILENT = Caller()
BEAT = timedelta(seconds=180)


def beat(store, run_id, after=timedelta(0), id=None):
    """Send a heartbeat event, as clients do that know no leases."""
    event = {
        "id": str(id or uuid4()),
        "occurred": (datetime.now(timezone.utc) + after).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run_id}"},
    }
    dispatch(store, Call("POST", "/events", body=[event]), SILENT)


def start(store, flow_id):
    run_id = create(store, flow_id, caller=SILENT)
    propose(store, run_id, "RUNNING", caller=SILENT)
    return run_id


def test_a_run_whose_heartbeats_stop_ends_as_crashed(store, flow_id):
    run_id = start(store, flow_id)
    running = task_run(store, run_id, "a", "RUNNING")
    beat(store, run_id)
    assert sweep(store, 3 * BEAT - timedelta(seconds=5)) == []
    assert sweep(store, 3 * BEAT + timedelta(seconds=5)) == [run_id]
    assert state_of(store, run_id).is_crashed()
    assert "heartbeats" in state_of(store, run_id).message
    assert state_type_of_task(store, running) == "CRASHED"


@pytest.mark.parametrize(("interval", "lease"), [(30, 180), (600, 1800)])
def test_two_heartbeats_show_how_often_they_come(store, flow_id, interval, lease):
    run_id = start(store, flow_id)
    first = uuid4()
    for _ in range(2):  # what is delivered twice says nothing about that
        beat(store, run_id, id=first)
    beat(store, run_id, after=timedelta(seconds=interval))
    assert sweep(store, timedelta(seconds=lease - 5)) == []
    assert sweep(store, timedelta(seconds=lease + 5)) == [run_id]


def test_heartbeats_of_an_earlier_attempt_do_not_count(store, flow_id):
    run_id = start(store, flow_id)
    beat(store, run_id, after=-timedelta(days=1))
    beat(store, run_id)
    assert sweep(store, 3 * BEAT + timedelta(seconds=5)) == [run_id]


@pytest.mark.parametrize("state", ["COMPLETED", "SCHEDULED"])
def test_heartbeats_bind_a_run_only_while_it_runs(store, flow_id, state):
    run_id = start(store, flow_id)
    beat(store, run_id)
    force(store, run_id, state)
    assert sweep(store, 4 * BEAT) == []
    beat(store, run_id)  # the last one comes late
    force(store, run_id, "RUNNING")
    assert sweep(store, 4 * BEAT) == []
    assert state_of(store, run_id).is_running()


def test_heartbeats_do_not_outlast_a_lease(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    beat(store, run_id)
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]


def test_a_server_that_was_away_does_not_count_the_heartbeats_of_that_time(store, flow_id):
    run_id = start(store, flow_id)
    beat(store, run_id)

    def judge(now, since):
        return store.write(lambda tx: end_abandoned_runs(tx, tx.now + now, listens_since=tx.now + since))

    assert judge(4 * BEAT, since=2 * BEAT) == []
    assert judge(6 * BEAT, since=2 * BEAT) == [run_id]


@pytest.mark.parametrize("id", ["nonsense", "a1560f86-b265-4e7a-8060-f9b28b1eff81"])
def test_heartbeats_of_runs_that_are_not_there_are_only_stored(store, id):
    beat(store, id)
    assert sweep(store, 4 * BEAT) == []


# -- processes that come back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED"])
def test_a_process_that_comes_back_tells_how_its_run_ended(store, flow_id, end):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]
    assert propose(store, run_id, end).status.value == "ACCEPT"
    assert state_of(store, run_id).type.value == end
    assert store.write(lambda tx: renew_leases(tx, "machine:1")) == 0


def test_a_run_that_was_lost_and_started_elsewhere_is_not_ended_for_its_first_process(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]
    propose(store, run_id, "RUNNING", caller=SILENT)
    assert sweep(store, 3 * LEASE) == []
    assert state_of(store, run_id).is_running()


def test_task_runs_that_are_told_of_after_the_end_of_their_run_end_too(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    assert sweep(store, LEASE + timedelta(seconds=5)) == [run_id]
    late = task_run(store, run_id, "late", "RUNNING")
    assert sweep(store, 3 * LEASE) == []
    assert state_type_of_task(store, late) == "CRASHED"


def test_somebody_else_who_moves_a_run_does_not_take_it_over(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    force(store, run_id, "CANCELLING")
    assert store.write(lambda tx: renew_leases(tx, "machine:1")) == 1


def test_a_suspended_run_that_somebody_resumes_at_once_is_not_ended_for_its_first_process(store, flow_id):
    run_id = create(store, flow_id)
    propose(store, run_id, "RUNNING")
    force(store, run_id, "PAUSED", state_details={"pause_reschedule": True})
    force(store, run_id, "SCHEDULED")
    force(store, run_id, "PENDING")
    assert sweep(store, LEASE * 2) == []
    assert state_of(store, run_id).is_pending()
