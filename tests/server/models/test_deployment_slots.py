"""The slots of a deployment's limit, as its runs take, keep and leave them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import StateType
from prefect.server.models.concurrency_leases import run_once as repossess
from prefect.server.models.flow_run_transitions import set_flow_run_state
from prefect.server.orchestration.policies import LATE_FLOW_POLICY
from prefect.server.routes import Caller

NEW, OLD, UNKNOWN = Caller(client_version=(3, 8, 8)), Caller(client_version=(3, 4, 10)), Caller()


class Limited:
    """A deployment of which one run may go at once."""

    def __init__(self, api, **fields):
        self.api = api
        self.deployment = api.deployment(concurrency_limit=1, **fields)

    def run(self, **fields):
        return self.api("POST", "/deployments/{id}/create_flow_run", fields, id=self.deployment.id).body.id

    def move(self, run_id, type, caller=NEW, **state):
        """Propose a state; what was answered, and the state that the run is in."""
        body = {"state": {"type": type, **state}}
        result = self.api("POST", "/flow_runs/{id}/set_state", body, id=run_id, caller=caller).body
        return result.status.value, None if result.state is None else result.state.name

    @property
    def taken(self):
        name = f"deployment:{self.deployment.id}"
        return self.api("GET", "/v2/concurrency_limits/{id_or_name}", id_or_name=name).body.active_slots

    def lease(self, run_id):
        return self.api.read("flow_run", run_id).state.state_details.deployment_concurrency_lease_id


@pytest.fixture
def limited(api):
    return Limited(api)


def test_a_run_waits_while_another_one_has_the_slot(limited):
    first, second = limited.run(), limited.run()
    assert limited.move(first, "PENDING") == ("ACCEPT", "Pending")
    before = datetime.now(timezone.utc)
    assert limited.move(second, "PENDING") == ("REJECT", "AwaitingConcurrencySlot")
    waits = limited.api.read("flow_run", second).next_scheduled_start_time - before
    assert timedelta(seconds=29) < waits < timedelta(seconds=40)
    assert limited.taken == 1
    for state in ("RUNNING", "COMPLETED"):
        assert limited.move(first, state)[0] == "ACCEPT"
    assert limited.taken == 0
    assert limited.move(second, "PENDING") == ("ACCEPT", "Pending")


def test_a_run_is_cancelled_where_runs_shall_not_wait(api):
    limited = Limited(api, concurrency_options={"collision_strategy": "CANCEL_NEW"})
    first, second = limited.run(), limited.run()
    limited.move(first, "PENDING")
    assert limited.move(second, "PENDING") == ("REJECT", "Cancelled")
    assert api.read("flow_run", second).state.message


def test_the_lease_is_carried_on_by_every_state(limited):
    run = limited.run()
    limited.move(run, "PENDING")
    lease = limited.lease(run)
    assert lease is not None
    for state in ("RUNNING", "CANCELLING", "CANCELLED"):
        limited.move(run, state, state_details={"deployment_concurrency_lease_id": None})
        assert limited.lease(run) == lease


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED", "PAUSED", "SCHEDULED"])
def test_leaving_the_slot_frees_it(limited, end):
    run = limited.run()
    limited.move(run, "PENDING")
    limited.move(run, "RUNNING")
    assert limited.taken == 1
    limited.move(run, end)
    assert limited.taken == 0


def test_a_run_that_tries_again_keeps_the_slot(limited):
    run = limited.run(empirical_policy={"retries": 1, "retry_delay": 0})
    limited.move(run, "PENDING")
    limited.move(run, "RUNNING")
    assert limited.move(run, "FAILED") == ("REJECT", "AwaitingRetry")
    assert limited.taken == 1
    limited.move(run, "RUNNING")
    limited.move(run, "FAILED")
    assert limited.taken == 0


def test_a_forced_end_frees_the_slot_too(limited):
    run = limited.run()
    limited.move(run, "PENDING")
    limited.api.set_state("flow_run", run, "CANCELLED", force=True)
    assert limited.taken == 0


def test_a_deleted_run_leaves_its_slot(limited):
    run = limited.run()
    limited.move(run, "PENDING")
    limited.api("DELETE", "/flow_runs/{id}", id=run)
    assert limited.taken == 0


def test_a_rejected_submission_takes_no_second_slot(limited):
    run = limited.run()
    limited.move(run, "PENDING")
    assert limited.move(run, "PENDING")[0] == "ABORT"
    assert limited.move(run, "PENDING", name="Submitting") == ("ACCEPT", "Submitting")
    assert limited.taken == 1


def test_a_limit_of_nothing_stops_runs(api):
    shared = api("POST", "/v2/concurrency_limits/", {"name": "shared", "limit": 0}).body
    deployment = api.deployment(global_concurrency_limit_id=str(shared.id))
    run = api("POST", "/deployments/{id}/create_flow_run", {}, id=deployment.id).body
    assert api.set_state("flow_run", run.id, "PENDING").status.value == "ABORT"


def test_an_inactive_limit_and_no_limit_stop_nothing(api):
    limited = Limited(api)
    name = f"deployment:{limited.deployment.id}"
    api("PATCH", "/v2/concurrency_limits/{id_or_name}", {"active": False}, id_or_name=name)
    assert [limited.move(limited.run(), "PENDING")[0] for _ in range(2)] == ["ACCEPT", "ACCEPT"]
    api("PATCH", "/deployments/{id}", {"concurrency_limit": None}, id=limited.deployment.id)
    assert limited.move(limited.run(), "PENDING") == ("ACCEPT", "Pending")


def test_a_run_of_a_deployment_that_is_gone_is_not_submitted(limited):
    run = limited.run()
    limited.api.set_state("flow_run", run, "RUNNING", force=True)
    limited.api("DELETE", "/deployments/{id}", id=limited.deployment.id)
    limited.move(run, "SCHEDULED")
    assert limited.move(run, "PENDING")[0] == "ABORT"


def expire(store, after):
    """Let the repossessor take back what has run out by then."""
    at = datetime.now(timezone.utc) + after
    return store.write(lambda tx: repossess(tx, at))


def test_the_slot_of_a_run_that_does_not_start_in_time_comes_free(api, store):
    limited = Limited(api, concurrency_options={"collision_strategy": "ENQUEUE", "grace_period_seconds": 60})
    slow, other = limited.run(), limited.run()
    limited.move(slow, "PENDING")
    assert expire(store, timedelta(seconds=50)) == 0
    assert expire(store, timedelta(seconds=70)) == 1
    assert limited.move(other, "PENDING")[0] == "ACCEPT"
    assert limited.move(slow, "RUNNING") == ("REJECT", "Cancelled")
    assert limited.taken == 1


def test_a_run_that_lost_its_slot_takes_a_free_one(limited, store):
    run = limited.run()
    limited.move(run, "PENDING")
    lost = limited.lease(run)
    expire(store, timedelta(hours=1))
    assert limited.move(run, "RUNNING") == ("ACCEPT", "Running")
    assert limited.lease(run) not in (None, lost)
    assert limited.taken == 1


@pytest.mark.parametrize("caller, is_taken_back", [(NEW, True), (OLD, False), (UNKNOWN, False)])
def test_only_who_renews_leases_loses_them(limited, store, caller, is_taken_back):
    run = limited.run()
    limited.move(run, "PENDING", caller)
    limited.move(run, "RUNNING", caller)
    assert (expire(store, timedelta(hours=1)) == 1) is is_taken_back
    limited.move(run, "COMPLETED", caller)
    assert limited.taken == 0


def test_workers_that_take_slots_themselves_are_given_none(limited):
    for _ in range(2):
        assert limited.move(limited.run(), "PENDING", Caller(client_version=(3, 0, 1)))[0] == "ACCEPT"
    assert limited.taken == 0


@pytest.mark.parametrize("strategy, expected", [("ENQUEUE", "Late"), ("CANCEL_NEW", "Cancelled")])
def test_a_late_run_is_cancelled_where_runs_shall_not_wait(api, store, strategy, expected):
    limited = Limited(api, concurrency_options={"collision_strategy": strategy})
    limited.move(limited.run(), "PENDING")
    late = StateCreate(type=StateType.SCHEDULED, name="Late")
    run = limited.run()
    store.write(lambda tx: set_flow_run_state(tx, run, late, policy=LATE_FLOW_POLICY))
    assert api.read("flow_run", run).state.name == expected


def test_of_many_runs_at_once_as_many_go_as_there_are_slots(api):
    deployment = api.deployment(concurrency_limit=3)
    runs = [api("POST", "/deployments/{id}/create_flow_run", {}, id=deployment.id).body.id for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        names = Counter(pool.map(lambda id: api.set_state("flow_run", id, "PENDING").state.name, runs))
    assert names == {"Pending": 3, "AwaitingConcurrencySlot": 13}
