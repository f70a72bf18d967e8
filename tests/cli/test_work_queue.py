"""`prefect work-queue`."""

import json

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.states import Pending


@pytest.fixture
def queue(client: SyncPrefectClient) -> str:
    """A queue in the pool `p`, by name."""
    client.create_work_pool(WorkPoolCreate(name="p", type="process"))
    assert invoke(["work-queue", "create", "q", "-p", "p", "-q", "1"]).exit_code == 0
    return "q"


def call(command: str, *arguments: str):
    return invoke(["work-queue", command, *arguments, "-p", "p"])


def read(client: SyncPrefectClient):
    return client.read_work_queue_by_name("q", "p")


def test_a_queue_is_created(queue: str, client: SyncPrefectClient):
    assert (read(client).priority, read(client).concurrency_limit) == (1, None)
    result = call("create", "q")
    assert (result.exit_code, "'q' already exists in work pool 'p'" in result.stdout) == (1, True)
    assert invoke(["work-queue", "create", "x", "-p", "nope"]) == (1, "Work pool 'nope' not found.\n", "")
    assert call("create", "x", "-q", "0").exit_code == 1
    assert call("create", "x", "-l", "-1").exit_code == 1
    assert invoke(["work-queue", "create", "agents", "-l", "2"]).exit_code == 0
    assert client.read_work_queue_by_name("agents").concurrency_limit == 2


def test_queues_are_listed(queue: str, client: SyncPrefectClient):
    def names(*options: str):
        lines = invoke(["work-queue", "ls", *options]).stdout.splitlines()
        return [line.split("│")[1].strip() for line in lines if line.startswith("│")]

    assert names("-p", "p") == ["q", "default"]
    assert sorted(names()) == ["default", "q"]
    assert names("-m", "Q") == ["q"]
    call("pause", "q")
    assert names("-p", "p", "-v")[0] == "q (**)"
    listed = json.loads(invoke(["work-queues", "ls", "-p", "p", "-o", "json"]).stdout)
    assert [item["priority"] for item in listed] == [1, 2]


def test_a_queue_is_inspected_by_name_or_id(queue: str, client: SyncPrefectClient):
    assert "healthy" in call("inspect", "q").stdout
    by_id = json.loads(invoke(["work-queue", "inspect", str(read(client).id), "-o", "json"]).stdout)
    assert (by_id["name"], by_id["status_details"]["healthy"]) == ("q", False)


def test_a_queue_is_changed(queue: str, client: SyncPrefectClient):
    assert call("pause", "q").exit_code == 0
    assert read(client).is_paused
    assert call("resume", "q").exit_code == 0
    assert not read(client).is_paused
    assert call("set-concurrency-limit", "q", "3").exit_code == 0
    assert read(client).concurrency_limit == 3
    assert call("clear-concurrency-limit", "q").exit_code == 0
    assert read(client).concurrency_limit is None
    assert call("delete", "q").exit_code == 0
    with pytest.raises(ObjectNotFound):
        read(client)
    result = call("delete", "default")
    assert (result.exit_code, "default one of the work pool 'p'" in result.stdout) == (1, True)


def test_the_runs_of_a_queue_are_shown(queue: str, client: SyncPrefectClient):
    assert "No runs found" in call("preview", "q").stdout
    flow_id = client.create_flow_from_name("f")
    deployment_id = client.create_deployment(flow_id, "d", work_pool_name="p", work_queue_name="q")
    run = client.create_flow_run_from_deployment(deployment_id)
    assert str(run.id) in call("preview", "q").stdout
    assert read(client).last_polled is None
    assert str(run.id) in call("read-runs", "q").stdout
    assert "No flow runs occupying slots." in call("slots", "q").stdout
    client.set_flow_run_state(run.id, Pending())
    assert run.name in call("slots", "q").stdout
    assert json.loads(call("slots", "q", "-o", "json").stdout)["active_slots"] == 1


@pytest.mark.parametrize("command", ["inspect", "pause", "resume", "preview", "slots", "read-runs", "delete"])
def test_a_queue_that_is_not_there_is_named(command: str, queue: str):
    assert call(command, "nope") == (1, "Work queue 'nope' not found in work pool 'p'.\n", "")
