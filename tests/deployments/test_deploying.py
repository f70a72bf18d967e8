"""Deploying to a work pool: what is asked of the pool, what becomes of the image, and what is printed."""

from __future__ import annotations

import pytest
from tests.deployments._flows import etl, plain
from tests.docker.conftest import docker as docker

import prefect
from prefect import deploy
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import DeploymentApplyError, adeploy
from prefect.docker import DockerImage
from prefect.exceptions import ObjectNotFound
from prefect.settings import temporary_settings
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.dockerutils import BuildError, PushError


def template(**variables):
    properties = {name: {"type": "string"} for name in variables or {"image": ""}}
    return {
        "job_configuration": {name: f"{{{{ {name} }}}}" for name in properties},
        "variables": {"type": "object", "properties": properties},
    }


@pytest.fixture
def pool(client):
    """A pool whose runs have images."""
    client.create_work_pool(WorkPoolCreate(name="containers", type="docker", base_job_template=template()))
    return "containers"


@pytest.fixture
def process_pool(client):
    client.create_work_pool(WorkPoolCreate(name="here", type="process", base_job_template=template(command="")))
    return "here"


def job_variables(client, name):
    return client.read_deployment_by_name(name).job_variables


# -- where workers find the code -----------------------------------------------------------------------------------------


def test_an_image_that_there_is_becomes_a_job_variable(client, pool):
    etl.deploy("d", pool, image="registry.io/team/etl:1", build=False, job_variables={"image": "another"})
    stored = client.read_deployment_by_name("etl/d")
    assert stored.job_variables == {"image": "registry.io/team/etl:1"}
    assert (stored.work_pool_name, stored.path, stored.pull_steps) == (pool, ".", [])
    assert etl.deploy("d", pool, image="team/etl", build=False) == stored.id
    assert job_variables(client, "etl/d") == {"image": "team/etl"}


def test_an_image_may_say_how_it_would_be_built(client, pool):
    etl.deploy("d", pool, image=DockerImage("team/etl", tag="3"), build=False)
    assert job_variables(client, "etl/d") == {"image": "team/etl:3"}


def test_workers_elsewhere_need_the_code(client, pool):
    with pytest.raises(ValueError, match="Either an image or remote storage .*'etl/d'"):
        etl.deploy("d", pool)
    etl.deploy("d", pool, entrypoint_type=EntrypointType.MODULE_PATH)
    assert client.read_deployment_by_name("etl/d").entrypoint == "tests.deployments._flows.etl"


def test_workers_of_a_process_pool_find_the_code_where_it_is(client, process_pool, folder):
    etl.deploy("d", process_pool)
    stored = client.read_deployment_by_name("etl/d")
    assert stored.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}]
    assert (stored.path, stored.entrypoint) == (None, etl.to_deployment("d").entrypoint)


def test_a_pool_without_images_refuses_one(client, process_pool):
    with pytest.raises(ValueError, match="'here' does not support custom Docker images"):
        etl.deploy("d", process_pool, image="team/etl:1", build=False)


# -- the pool ------------------------------------------------------------------------------------------------------------


def test_the_pool_may_be_that_of_the_settings(client, pool):
    with pytest.raises(ValueError, match="No work pool name provided"):
        etl.deploy("d", image="team/etl:1", build=False)
    with temporary_settings({"deployments.default_work_pool_name": pool}):
        etl.deploy("d", image="team/etl:1", build=False)
    assert client.read_deployment_by_name("etl/d").work_pool_name == pool


def test_a_pool_that_there_is_not_is_named(client):
    with pytest.raises(ValueError, match="Could not find work pool 'nowhere'.*prefect work-pool create nowhere"):
        etl.deploy("d", "nowhere", image="team/etl:1", build=False)


# -- several -------------------------------------------------------------------------------------------------------------


def test_several_are_deployed_together(client, pool, capsys):
    ids = deploy(
        etl.to_deployment("a", cron="0 9 * * *"),
        plain.to_deployment("b", tags=["t"]),
        work_pool_name=pool,
        image="team/flows:1",
        build=False,
    )
    assert ids == [client.read_deployment_by_name(name).id for name in ("etl/a", "plain flow/b")]
    assert job_variables(client, "plain flow/b") == {"image": "team/flows:1"}
    printed = capsys.readouterr().out
    assert "Successfully created/updated all deployments!" in printed
    assert "$ prefect worker start --pool 'containers'" in printed
    assert "$ prefect deployment run [DEPLOYMENT_NAME]" in printed


def test_of_several_those_that_are_refused_are_told_of(client, pool, capsys):
    bad, good = etl.to_deployment("bad", parameters={"x": "many"}), plain.to_deployment("good")
    ids = deploy(bad, good, work_pool_name=pool, image="team/flows:1", build=False)
    assert ids == [client.read_deployment_by_name("plain flow/good").id]
    printed = capsys.readouterr().out
    assert "Encountered errors while creating/updating deployments" in printed
    assert "failed" in printed and "applied" in printed and "integer" in printed


def test_one_that_is_refused_raises(client, pool):
    with pytest.raises(DeploymentApplyError, match="'many' is not of type 'integer'"):
        etl.deploy("d", pool, image="team/etl:1", build=False, parameters={"x": "many"})


async def test_async_code_awaits_it(client, pool):
    made = await etl.to_deployment("a")
    options = {"work_pool_name": pool, "image": "team/etl:1", "build": False}
    assert await deploy(made, **options) == await adeploy(made, **options)
    assert await etl.deploy("a", **options) == await etl.adeploy("a", **options)
    with pytest.raises(TypeError, match="await flow.to_deployment"):
        await deploy(etl.to_deployment("a"), **options)


def test_something_else_than_a_deployment_is_refused(client, pool):
    with pytest.raises(TypeError, match="made by `flow.to_deployment"):
        deploy(etl, work_pool_name=pool)


def test_it_is_a_name_of_the_package():
    assert prefect.deploy is prefect.deployments.deploy is deploy


# -- what is printed -----------------------------------------------------------------------------------------------------


def test_what_comes_next_is_printed(client, pool, capsys):
    etl.deploy("d", pool, image="team/etl:1", build=False)
    printed = capsys.readouterr().out
    assert "$ prefect worker start --pool 'containers'" in printed
    assert "$ prefect deployment run 'etl/d'" in printed
    etl.deploy("d", pool, image="team/etl:1", build=False, print_next_steps=False)
    assert "$ prefect" not in capsys.readouterr().out


def test_a_worker_that_there_is_need_not_be_started(client, pool, capsys):
    client.send_worker_heartbeat(pool, "worker", heartbeat_interval_seconds=30)
    etl.deploy("d", pool, image="team/etl:1", build=False)
    printed = capsys.readouterr().out
    assert "worker start" not in printed and "prefect deployment run" in printed


def test_a_process_pool_brings_a_hint_at_serve(client, process_pool, capsys):
    etl.deploy("d", process_pool)
    assert "`.serve`" in capsys.readouterr().out
    etl.deploy("d", process_pool, ignore_warnings=True)
    assert "`.serve`" not in capsys.readouterr().out


# -- building ------------------------------------------------------------------------------------------------------------


def test_an_image_is_built_and_pushed_before_anything_is_stored(client, pool, docker, capsys):
    image = DockerImage("team/etl", tag="3", build_backend="buildx")
    etl.deploy("d", pool, image=image)
    assert [call["arguments"][0] for call in docker.calls] == ["buildx", "push"]
    assert job_variables(client, "etl/d") == {"image": "team/etl:3"}
    printed = capsys.readouterr().out
    assert "Successfully built image 'team/etl:3'" in printed and "Successfully pushed image 'team/etl:3'" in printed


async def test_an_image_is_built_without_blocking_the_event_loop(client, pool, docker):
    await etl.deploy("d", pool, image=DockerImage("team/etl", tag="3", build_backend="buildx"), push=False)
    assert [call["arguments"][0] for call in docker.calls] == ["buildx"]


@pytest.mark.parametrize(("step", "error"), [("build", BuildError), ("push", PushError)])
def test_an_image_that_is_not_there_is_not_deployed(client, pool, docker, step, error):
    docker.refuse(step)
    with pytest.raises(error):
        etl.deploy("d", pool, image=DockerImage("team/etl", tag="3", build_backend="buildx"))
    with pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("etl/d")
