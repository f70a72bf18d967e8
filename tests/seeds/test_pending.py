"""The examples that wait for parts that are not there yet; each fails here when it begins to work."""

import pytest
from tests.seeds._running import Shell, deployment_named, load, snippet

from prefect import flow

DOCKER = "an image has to be built, which needs Docker"


def waits_for(reason: str):
    return pytest.mark.xfail(strict=True, reason=reason)


# -- deployments -------------------------------------------------------------------------------------------------------


@waits_for(DOCKER)
def test_a_flow_is_deployed_from_a_repository_as_an_image(shell: Shell):
    shell.script("deploy_from_source")
    assert deployment_named("my-flow/prod").job_variables["image"] == "ghcr.io/alicedev/flows:latest"


@waits_for(DOCKER)
def test_a_deployment_has_variables_for_its_container(home):
    @flow
    def my_flow(): ...

    load("containerised_worker", my_flow=my_flow)
    assert deployment_named("my-flow/prod").job_variables["image_pull_policy"] == "Always"


@waits_for(DOCKER)
def test_a_flow_is_deployed_to_a_docker_pool(shell: Shell):
    shell.script("deploy_to_docker_pool")
    assert sorted(deployment_named("ml-training-pipeline/ml-training-docker").tags) == ["ml", "training"]


@waits_for("serve takes no timezone, as in release 3.8.8")
def test_a_flow_is_served_on_a_cron_an_interval_and_an_rrule(shell: Shell):
    # Each call of serve stays; as printed, the next one is reached when the one before ends.
    with shell.started(f"python {snippet('schedules')}", "weekday-morning-job"):
        schedule = deployment_named("scheduled-job/weekday-morning-job").schedules[0].schedule
    assert (schedule.cron, schedule.timezone) == ("0 9 * * MON-FRI", "America/New_York")
    source = snippet("schedules").read_text(encoding="utf-8")
    first, interval, rrule = (source.index(f"# {kind}") for kind in ("Cron", "Interval", "RRule"))
    for since, until, name in ((interval, rrule, "frequent-job"), (rrule, len(source), "monthly-report")):
        (shell.folder / "serves.py").write_text(source[:first] + source[since:until], encoding="utf-8")
        with shell.started("python serves.py", name):
            assert deployment_named(f"scheduled-job/{name}").schedules


@waits_for("read_logs of the client takes a filter of logs alone, as in release 3.8.8")
async def test_the_client_prints_the_logs_of_a_flow_run(home, capsys):
    @flow(name="listed")
    async def listed():
        pass

    run_id = (await listed(return_state=True)).state_details.flow_run_id
    await load("rest_client").get_flow_run_logs(str(run_id))
    assert "for flow 'listed'\n" in capsys.readouterr().out


# -- blocks ------------------------------------------------------------------------------------------------------------


@waits_for("needs the package prefect-aws")
def test_credentials_and_buckets_are_blocks(home):
    load("blocks", flow=flow)


@waits_for("needs the package prefect-sqlalchemy")
def test_a_database_connection_is_a_block(home):
    load("database_blocks")


@waits_for("prefect.filesystems has no S3 block, as in release 3.8.8: prefect-aws has one")
def test_results_are_stored_in_a_bucket(home):
    load("result_storage")


@waits_for("needs the packages prefect-dask and prefect-ray")
def test_task_runners_are_chosen_by_flow(home):
    runners = load("task_runner_selection")
    assert type(runners.f3.task_runner).__name__ == "DaskTaskRunner"
