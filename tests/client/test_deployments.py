"""Deployments through the client, on a core in this process."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

HOURLY = IntervalSchedule(interval=timedelta(hours=1))
DAILY = CronSchedule(cron="0 9 * * *", timezone="Europe/Berlin")
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


@pytest.fixture
def client():
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def deployment_id(client):
    return client.create_deployment(client.create_flow_from_name("etl"), "nightly", parameter_openapi_schema=SCHEMA)


def test_a_deployment_is_created_read_changed_and_deleted(client, deployment_id):
    assert client.read_deployment_by_name("etl/nightly").id == deployment_id
    client.update_deployment(deployment_id, DeploymentUpdate(tags=["t"], description="d"))
    changed = client.read_deployment(deployment_id)
    assert (changed.tags, changed.description, changed.parameter_openapi_schema) == (["t"], "d", SCHEMA)
    chosen = DeploymentFilter(name=DeploymentFilterName(any_=["nightly"]))
    assert [each.id for each in client.read_deployments(deployment_filter=chosen)] == [deployment_id]
    client.delete_deployment(deployment_id)
    for missing in (
        lambda: client.read_deployment(deployment_id),
        lambda: client.read_deployment_by_name("etl/nightly"),
    ):
        with pytest.raises(ObjectNotFound):
            missing()


def test_a_deployment_is_paused_and_resumed(client, deployment_id):
    client.pause_deployment(deployment_id)
    assert client.read_deployment(deployment_id).paused
    client.resume_deployment(deployment_id)
    assert not client.read_deployment(deployment_id).paused


def test_schedules_are_added_changed_and_deleted(client, deployment_id):
    slugged = DeploymentScheduleCreate(schedule=DAILY, slug="daily", parameters={"x": 1})
    created = client.create_deployment_schedules(deployment_id, [slugged, (HOURLY, False)])
    assert [(each.schedule, each.active, each.slug) for each in created] == [
        (DAILY, True, "daily"),
        (HOURLY, False, None),
    ]
    client.update_deployment_schedule(deployment_id, created[1].id, active=True, slug="hourly")
    by_slug = {each.slug: each for each in client.read_deployment_schedules(deployment_id)}
    assert (by_slug["hourly"].active, by_slug["hourly"].schedule) == (True, HOURLY)
    client.delete_deployment_schedule(deployment_id, created[0].id)
    assert [each.slug for each in client.read_deployment_schedules(deployment_id)] == ["hourly"]


def test_a_run_is_created_and_handed_to_a_runner(client, deployment_id):
    run = client.create_flow_run_from_deployment(deployment_id, parameters={"x": 1}, idempotency_key="k", tags=["t"])
    again = client.create_flow_run_from_deployment(deployment_id, parameters={"x": 2}, idempotency_key="k")
    assert (again.id, again.parameters, run.tags) == (run.id, {"x": 1}, ["t"])
    now = datetime.now(timezone.utc)
    assert [each.id for each in client.get_scheduled_flow_runs_for_deployments([deployment_id], now)] == [run.id]
    with pytest.raises(PrefectHTTPStatusError) as refused:
        client.create_flow_run_from_deployment(deployment_id, parameters={"x": "a"})
    assert refused.value.response.status_code == 409


async def test_the_async_client_does_the_same(client, deployment_id):
    async with get_client() as asynchronous:
        run = await asynchronous.create_flow_run_from_deployment(deployment_id, parameters={"x": 1})
        assert (await asynchronous.read_flow_run(run.id)).deployment_id == deployment_id
