"""What is stored when a deployment is applied, and what stays when it is applied again."""

from __future__ import annotations

import datetime

import pytest
from pydantic import BaseModel
from tests.deployments._flows import etl, plain, takes_anything

from prefect.blocks.core import BlockNotSavedError
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, VersionInfo
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.events import DeploymentEventTrigger, EventTrigger
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron
from prefect.utilities.annotations import freeze

POOL = WorkPoolCreate(
    name="pool",
    type="test",
    base_job_template={
        "job_configuration": {"image": "{{ image }}"},
        "variables": {"type": "object", "properties": {"image": {"type": "string"}, "cpus": {"type": "integer"}}},
    },
)


@pytest.fixture
def pool(client):
    client.create_work_pool(POOL)
    return "pool"


def schedules_of(client, id):
    return [(each.slug, each.active, each.schedule) for each in client.read_deployment(id).schedules]


# -- creating ------------------------------------------------------------------------------------------------------------


def test_a_deployment_is_stored_as_its_flow_says(client):
    stored = client.read_deployment(etl.to_deployment("d").apply())
    assert client.read_flow(stored.flow_id).name == "etl"
    assert (stored.name, stored.version, stored.description) == ("d", "v7", etl.description)
    assert (stored.path, stored.pull_steps, stored.paused, stored.tags) == (".", [], False, [])
    assert stored.entrypoint.endswith("_flows.py:etl")
    assert stored.parameter_openapi_schema == {
        "title": "Parameters",
        "type": "object",
        "properties": {
            "x": {"title": "x", "type": "integer", "default": 1, "position": 0, "description": "How much of it."},
            "names": {
                "title": "names",
                "type": "array",
                "items": {"type": "string"},
                "default": ["a"],
                "position": 1,
            },
        },
    }


def test_all_that_is_given_is_stored(client, pool):
    made = etl.to_deployment(
        "d",
        schedule=Cron("0 9 * * *", timezone="Europe/Berlin", slug="s", parameters={"x": 2}),
        paused=True,
        concurrency_limit=ConcurrencyLimitConfig(limit=2, collision_strategy="CANCEL_NEW"),
        parameters={"x": freeze(5)},
        description="mine",
        tags=["t"],
        version="1.0",
        enforce_parameter_schema=False,
        work_pool_name=pool,
        work_queue_name="fast",
        job_variables={"cpus": 2},
    )
    stored = client.read_deployment(made.apply())
    assert (stored.paused, stored.description, stored.tags, stored.version) == (True, "mine", ["t"], "1.0")
    assert (stored.work_pool_name, stored.work_queue_name, stored.job_variables) == (pool, "fast", {"cpus": 2})
    assert stored.global_concurrency_limit.limit == 2
    assert stored.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert (stored.parameters, stored.enforce_parameter_schema) == ({"x": 5}, False)
    assert stored.parameter_openapi_schema["properties"]["x"]["enum"] == [5]
    [schedule] = stored.schedules
    assert (schedule.slug, schedule.parameters) == ("s", {"x": 2})
    assert schedule.schedule == CronSchedule(cron="0 9 * * *", timezone="Europe/Berlin")


async def test_async_code_awaits_it(client):
    made = await etl.to_deployment("d")
    assert await made.apply() == await made.aapply() == client.read_deployment_by_name("etl/d").id


def test_pool_and_image_may_be_said_when_it_is_applied(client, pool):
    made = etl.to_deployment("d", job_variables={"cpus": 2})
    stored = client.read_deployment(made.apply(work_pool_name=pool, image="registry/etl:1"))
    assert (stored.work_pool_name, stored.job_variables) == (pool, {"cpus": 2, "image": "registry/etl:1"})
    # The deployment that it was made of is as it was.
    assert (made.work_pool_name, made.job_variables) == (None, {"cpus": 2})


def test_schedules_may_be_said_when_it_is_applied(client):
    made = etl.to_deployment("d", cron="0 1 * * *")
    id = made.apply(schedules=[{"schedule": {"cron": "0 2 * * *"}, "active": False}])
    assert schedules_of(client, id) == [(None, False, CronSchedule(cron="0 2 * * *"))]


# -- parameters ----------------------------------------------------------------------------------------------------------


class Size(BaseModel):
    width: int = 1
    height: int = 2


def test_parameters_are_stored_as_json(client):
    at = datetime.datetime(2030, 1, 2, tzinfo=datetime.timezone.utc)
    value = {"model": Size(), "at": at, "items": (1, {2})}
    stored = client.read_deployment(takes_anything.to_deployment("d", parameters={"value": value}).apply())
    assert stored.parameters == {
        "value": {"model": {"width": 1, "height": 2}, "at": "2030-01-02T00:00:00Z", "items": [1, [2]]}
    }


def test_a_saved_block_is_stored_as_a_reference(client):
    secret = Secret(value="hidden")
    reference = {"$ref": {"block_document_id": str(secret.save("key"))}}
    made = takes_anything.to_deployment("d", parameters={"value": [secret, Secret.load("key")]})
    assert client.read_deployment(made.apply()).parameters == {"value": [reference, reference]}


def test_an_unsaved_block_is_refused(client):
    made = takes_anything.to_deployment("d", parameters={"value": Secret(value="hidden")})
    with pytest.raises(BlockNotSavedError, match="'value'.*Save it"):
        made.apply()


def test_a_parameter_that_json_cannot_express_is_named(client):
    with pytest.raises(ValueError, match="'value' cannot be stored"):
        takes_anything.to_deployment("d", parameters={"value": object()}).apply()
    with pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("takes-anything/d")


# -- applying again ------------------------------------------------------------------------------------------------------


def test_applying_again_changes_the_same_deployment(client):
    first = etl.to_deployment("d", tags=["old"], cron="0 9 * * *", parameters={"x": 2}).apply()
    second = etl.to_deployment("d", tags=["new"], paused=True).apply()
    stored = client.read_deployment(first)
    assert (second, stored.tags, stored.paused, stored.parameters, stored.schedules) == (first, ["new"], True, {}, [])


def test_applying_again_makes_the_schedules_work_again(client):
    id = etl.to_deployment("d", cron="0 9 * * *").apply()
    client.pause_deployment(id)
    etl.to_deployment("d", cron="0 9 * * *").apply()
    assert client.read_deployment(id).paused is False


def test_pool_and_queue_stay_where_nothing_is_said_of_them(client, pool):
    id = etl.to_deployment("d", work_pool_name=pool, work_queue_name="fast").apply()
    etl.to_deployment("d", job_variables={"cpus": 3}).apply()
    stored = client.read_deployment(id)
    assert (stored.work_pool_name, stored.work_queue_name, stored.job_variables) == (pool, "fast", {"cpus": 3})


def test_schedules_with_slugs_are_matched_by_them(client):
    id = etl.to_deployment("d", schedules=[Cron("0 1 * * *", slug="a"), Cron("0 2 * * *", slug="b")]).apply()
    ids = {each.slug: each.id for each in client.read_deployment(id).schedules}
    etl.to_deployment("d").apply()
    assert {each.slug: each.id for each in client.read_deployment(id).schedules} == ids
    etl.to_deployment("d", schedules=[{"slug": "a", "active": False}]).apply()
    assert sorted(schedules_of(client, id)) == [
        ("a", False, CronSchedule(cron="0 1 * * *")),
        ("b", True, CronSchedule(cron="0 2 * * *")),
    ]


def test_a_deployment_that_says_little_changes_little(client):
    id = etl.to_deployment("d", tags=["t"], cron="0 9 * * *", parameters={"x": 2}, description="old").apply()
    before = client.read_deployment(id)
    RunnerDeployment(name="d", flow_name="etl", description="new").apply()
    after = client.read_deployment(id)
    ignored = {"updated", "description", "pull_steps", "last_polled", "status"}
    assert after.description == "new"
    assert after.model_dump(exclude=ignored) == before.model_dump(exclude=ignored)


def test_what_was_changed_elsewhere_comes_back(client):
    id = etl.to_deployment("d", tags=["code"]).apply()
    client.update_deployment(id, DeploymentUpdate(tags=["by hand"]))
    etl.to_deployment("d", tags=["code"]).apply()
    assert client.read_deployment(id).tags == ["code"]


# -- triggers ------------------------------------------------------------------------------------------------------------


def automations_of(client, id):
    return client.read_resource_related_automations(f"prefect.deployment.{id}")


def test_triggers_become_automations_that_run_the_deployment(client):
    trigger = DeploymentEventTrigger(expect={"file.came"}, parameters={"x": 3})
    id = etl.to_deployment("d", triggers=[trigger]).apply()
    [automation] = automations_of(client, id)
    assert (automation.name, automation.enabled) == ("d__automation_1", True)
    assert automation.trigger == EventTrigger(expect={"file.came"})
    [action] = automation.actions
    assert (action.type, action.deployment_id, action.parameters) == ("run-deployment", id, {"x": 3})


def test_automations_of_the_deployment_are_replaced_and_others_stay(client):
    other = plain.to_deployment("d", triggers=[DeploymentEventTrigger(expect={"a"})]).apply()
    id = etl.to_deployment("d", triggers=[DeploymentEventTrigger(expect={"a"})]).apply()
    etl.to_deployment("d", triggers=[{"expect": ["b"]}, {"expect": ["c"]}]).apply()
    assert sorted(name for each in automations_of(client, id) for name in each.trigger.expect) == ["b", "c"]
    etl.to_deployment("d").apply()
    assert (automations_of(client, id), len(automations_of(client, other))) == ([], 1)


# -- refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "applied", "named"),
    [
        ({"work_queue_name": "q"}, {}, "work_queue_name"),
        ({"job_variables": {"cpus": 1}}, {}, "job_variables"),
        ({}, {"image": "x:1"}, "job_variables"),
    ],
)
def test_what_only_a_pool_understands_needs_one(client, options, applied, named):
    for _ in ("new", "stored"):
        with pytest.raises(ValueError, match=f"has no work pool, but is given {named}"):
            etl.to_deployment("d", **options).apply(**applied)
        etl.to_deployment("d").apply()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"work_pool_name": "nowhere"}, "[Ww]ork pool .nowhere. not found"),
        ({"parameters": {"x": "many"}}, "'many' is not of type 'integer'"),
        ({"job_variables": {"cpus": "two"}, "work_pool_name": "pool"}, "'cpus'.*'two' is not valid"),
    ],
)
def test_what_the_api_refuses_is_said_with_its_reason(client, pool, options, reason):
    for _ in ("new", "stored"):
        with pytest.raises(DeploymentApplyError, match=f"'etl/d' could not be applied.*{reason}"):
            etl.to_deployment("d", **options).apply()
        etl.to_deployment("d").apply()


def test_a_deployment_without_a_flow_is_refused(client):
    with pytest.raises(ValueError, match="'d' has no flow"):
        RunnerDeployment(name="d").apply()


def test_agreements_that_the_server_does_not_know_are_refused_before_anything_is_stored(client):
    with pytest.raises(ValueError, match="Prefect Cloud"):
        etl.to_deployment("d", _sla=[object()]).apply()
    with pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("etl/d")


def test_a_version_may_be_given_with_what_is_known_of_it(client):
    id = etl.to_deployment("d").apply(version_info=VersionInfo(type="vcs:git", version="abc", branch="main"))
    assert client.read_deployment(id).version == "v7"
