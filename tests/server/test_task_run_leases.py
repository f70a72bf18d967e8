"""Leases on task runs outside of flows, and on background runs: what happens to the runs of a process that died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.server.models.task_run_leases import end_abandoned_task_runs, renew_task_run_leases
from prefect.server.routes import Caller

LEASE = timedelta(seconds=60)
SOON = timedelta(seconds=5)
OWNER = Caller(holder="machine:1")
SILENT = Caller()


def tell(api, run_id, type, name=None, *, caller=OWNER, flow_run_id=None, after=timedelta(0)):
    """Tell of a task run's state by an event, as clients do that run it."""
    name = name or type.title()
    flow_run = {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"}
    event = {
        "id": str(uuid4()),
        "occurred": (datetime.now(timezone.utc) + after).isoformat(),
        "event": f"prefect.task-run.{name}",
        "resource": {"prefect.resource.id": f"prefect.task-run.{run_id}", "prefect.orchestration": "client"},
        "related": [flow_run] if flow_run_id else [],
        "payload": {
            "validated_state": {"type": type, "name": name},
            "task_run": {"task_key": "t", "dynamic_key": str(run_id)},
        },
    }
    return api("POST", "/events", [event], caller=caller)


@pytest.fixture
def outside(api):
    """A task run outside of flows that a process runs."""
    run_id = uuid4()
    tell(api, run_id, "RUNNING")
    return run_id


def sweep(store, later):
    return store.write(lambda tx: end_abandoned_task_runs(tx, tx.now + later))


def leases(store):
    return store.read(lambda tx: [row["holder"] for row in tx.fetch_all("SELECT holder FROM task_run_lease")])


def renew(store, holder):
    return store.write(lambda tx: renew_task_run_leases(tx, holder))


def state_of(api, run_id):
    return api.read("task_run", run_id).state


def test_a_run_whose_process_died_ends_as_crashed_after_one_lease(api, store, outside):
    assert sweep(store, LEASE - SOON) == []
    assert sweep(store, LEASE + SOON) == [outside]
    assert state_of(api, outside).is_crashed()
    assert "(machine:1) has not been heard of for 60 seconds" in state_of(api, outside).message
    assert sweep(store, 2 * LEASE) == [] and leases(store) == []


def test_a_run_that_dies_while_it_is_cancelled_ends_as_cancelled(api, store, outside):
    api.set_state("task_run", outside, "CANCELLING", force=True)
    assert sweep(store, LEASE + SOON) == [outside]
    assert state_of(api, outside).is_cancelled()


def test_a_renewed_lease_keeps_a_run_alive(api, store, outside):
    tell(api, uuid4(), "PENDING", caller=Caller(holder="machine:2"))
    assert (renew(store, "machine:1"), renew(store, "machine:3")) == (1, 0)
    assert sweep(store, LEASE - SOON) == []
    assert len(sweep(store, LEASE + SOON)) == 2


@pytest.mark.parametrize(
    ("type", "name"),
    [("COMPLETED", None), ("FAILED", None), ("CRASHED", None), ("CANCELLED", None), ("PENDING", "NotReady")],
)
def test_a_run_that_is_over_is_let_go_of(api, store, outside, type, name):
    answer = tell(api, outside, type, name)
    assert (answer.headers, leases(store)) == ({}, [])
    assert sweep(store, 2 * LEASE) == []
    assert state_of(api, outside).type.value == type


@pytest.mark.parametrize(("type", "name"), [("PENDING", None), ("SCHEDULED", "AwaitingRetry"), ("RUNNING", "Retrying")])
def test_a_run_is_held_from_its_beginning_to_its_end(api, store, type, name):
    run_id = uuid4()
    assert tell(api, run_id, type, name).headers == {"X-Prefect-Run-Lease": "60"}
    assert sweep(store, LEASE + SOON) == [run_id]


def test_a_run_that_somebody_else_has_ended_or_deleted_is_forgotten(api, store):
    ended, deleted = uuid4(), uuid4()
    tell(api, ended, "RUNNING")
    tell(api, deleted, "RUNNING")
    api.set_state("task_run", ended, "FAILED", force=True)
    api("DELETE", "/task_runs/{id}", id=deleted)
    assert len(leases(store)) == 1
    assert sweep(store, LEASE + SOON) == [] and leases(store) == []
    tell(api, deleted, "RUNNING")
    api("DELETE", "/task_runs/{id}", id=deleted)
    assert renew(store, "machine:1") == 0 and leases(store) == []


def test_the_task_runs_of_flows_and_of_silent_clients_have_no_leases(api, store):
    flow_run = api.flow_run(state="RUNNING")
    assert tell(api, uuid4(), "RUNNING", flow_run_id=flow_run.id).headers == {}
    assert tell(api, uuid4(), "RUNNING", caller=SILENT).headers == {}
    assert leases(store) == [] and sweep(store, 2 * LEASE) == []


def test_what_a_process_did_after_all_replaces_the_guess(api, store, outside):
    assert sweep(store, LEASE + SOON) == [outside]
    tell(api, outside, "COMPLETED", after=SOON)
    assert state_of(api, outside).is_completed()


def test_a_run_that_goes_on_after_all_is_held_again(api, store, outside):
    assert sweep(store, LEASE + SOON) == [outside]
    tell(api, outside, "RUNNING", "Retrying", after=SOON)
    assert state_of(api, outside).is_running()
    assert sweep(store, LEASE + SOON) == [outside]
    assert state_of(api, outside).is_crashed()


def claimed(api, flow_run_id=None, caller=OWNER):
    """A background run that a task worker has taken."""
    waiting = {"type": "SCHEDULED", "state_details": {"deferred": True}}
    id = uuid4()
    run = api.task_run(flow_run_id, key="t", state=waiting, id=str(id), dynamic_key=str(id))
    taken = {"state": {"type": "PENDING", "state_details": {"deferred": True}}}
    return run.id, api("POST", "/task_runs/{id}/set_state", taken, id=run.id, caller=caller)


def test_a_background_run_ends_with_the_worker_that_has_taken_it(api, store):
    waiting = api.task_run(None, state={"type": "SCHEDULED", "state_details": {"deferred": True}})
    run_id, answer = claimed(api)
    claimed(api, caller=SILENT)
    assert answer.headers == {"X-Prefect-Run-Lease": "60"}
    assert sweep(store, LEASE + SOON) == [run_id]
    assert state_of(api, run_id).is_crashed() and state_of(api, waiting.id).is_scheduled()


def test_a_background_run_that_is_put_back_waits_for_another_worker(api, store):
    run_id, _ = claimed(api)
    api.set_state("task_run", run_id, "SCHEDULED", force=True)
    assert leases(store) == [] and sweep(store, 2 * LEASE) == []
    assert state_of(api, run_id).is_scheduled()


def test_a_background_run_of_a_flow_ends_together_with_what_it_has_called(api, store):
    flow_run = api.flow_run(state="RUNNING")
    run_id, _ = claimed(api, flow_run.id)
    calls = {"__parents__": [{"input_type": "task_run", "id": str(run_id)}]}
    nested = api.task_run(flow_run.id, key="nested", state="RUNNING", task_inputs=calls)
    calls = {"__parents__": [{"input_type": "task_run", "id": str(nested.id)}]}
    innermost = api.task_run(flow_run.id, key="innermost", task_inputs=calls)
    beside = api.task_run(flow_run.id, key="beside", state="RUNNING")
    assert sweep(store, LEASE + SOON) == [run_id]
    found = [state_of(api, id).type.value for id in (run_id, nested.id, innermost.id, beside.id)]
    assert found == ["CRASHED", "CRASHED", "CRASHED", "RUNNING"]


def test_a_background_run_of_a_flow_that_is_over_is_let_go_of_by_the_next_renewal(api, store):
    flow_run = api.flow_run(state="RUNNING")
    run_id, _ = claimed(api, flow_run.id)
    assert renew(store, "machine:1") == 1
    tell(api, run_id, "COMPLETED", flow_run_id=flow_run.id, after=SOON)
    assert state_of(api, run_id).is_completed()
    assert renew(store, "machine:1") == 0 and leases(store) == []


def test_many_that_sweep_renew_and_tell_at_once_are_not_in_each_others_way(api, store):
    runs = [uuid4() for _ in range(30)]
    for run_id in runs:
        tell(api, run_id, "RUNNING")

    def work(number):
        if number % 3 == 0:
            return sweep(store, 2 * LEASE)
        if number % 3 == 1:
            renew(store, "machine:1")
        else:
            tell(api, runs[number % 30], "RUNNING", "Retrying", after=number * SOON)
        return []

    with ThreadPoolExecutor(4) as pool:
        ended = [id for found in pool.map(work, range(24)) for id in found]
    assert set(ended) <= set(runs)
    sweep(store, 3 * LEASE)
    assert {state_of(api, id).type.value for id in runs} == {"CRASHED"} and leases(store) == []
