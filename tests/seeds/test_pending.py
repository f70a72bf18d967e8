"""The examples that wait for parts that are not there yet; each fails here when it begins to work."""

import inspect

import pytest
from tests.sdk._reading import flow_run_of
from tests.seeds._running import Shell, load, snippet
from tests.seeds.test_reference import printed_parameters

import prefect
from prefect import flow
from prefect.client.orchestration import get_client

DEPLOYMENTS = "there are no deployments yet"
SERVING = "flows cannot be served yet"
DOCKER = "an image has to be built, which needs Docker"


def waits_for(reason: str):
    return pytest.mark.xfail(strict=True, reason=reason)


def deployment_named(name: str):
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(name)


def put(shell: Shell, name: str, target: str) -> None:
    (shell.folder / target).write_text(snippet(name).read_text(encoding="utf-8"), encoding="utf-8")


# -- deployments -------------------------------------------------------------------------------------------------------


@waits_for(DEPLOYMENTS)
def test_a_flow_is_deployed_with_a_cron_schedule(shell: Shell):
    put(shell, "etl_with_retries_and_caching", "user_sync.py")
    assert shell.bash("prefect work-pool create --type process default-process-pool").code == 0
    shell.script("deployment_with_cron")
    deployment = deployment_named("user-sync/hourly-sync")
    assert deployment.schedules[0].schedule.cron == "0 * * * *"
    assert sorted(deployment.tags) == ["alice-team", "etl"]
    assert deployment.parameters["table"] == "users"


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


@waits_for(DEPLOYMENTS)
def test_a_deployment_limits_its_runs(shell: Shell):
    assert shell.bash("prefect work-pool create --type process default").code == 0
    shell.script("concurrency_limits")
    deployment = deployment_named("rate-limited-pipeline/rate-limited-deployment")
    assert deployment.global_concurrency_limit.limit == 3


@waits_for(SERVING)
def test_a_served_flow_has_its_schedule(shell: Shell):
    with shell.started(f"python {snippet('serve_etl')}", "daily-etl"):
        deployment = deployment_named("etl-pipeline/daily-etl")
    assert deployment.schedules[0].schedule.cron == "0 8 * * *"
    assert deployment.parameters == {"source": "production-api", "destination": "data-warehouse"}


@waits_for(SERVING)
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


@waits_for(SERVING)
def test_several_flows_are_served_by_one_process(shell: Shell):
    with shell.started(f"python {snippet('serve_several')}", "monitoring-flow"):
        with get_client(sync_client=True) as client:
            deployments = client.read_deployments()
    assert len(deployments) == 2
    assert sorted(deployments[0].tags) == ["data", "production"]


@waits_for(SERVING)
@pytest.mark.parametrize("function", ["serve", "aserve"])
def test_printed_parameters_of_serve_are_accepted(function):

    parameters = inspect.signature(getattr(prefect, function)).parameters
    accepts_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    assert accepts_any or set(printed_parameters("serve_signatures", function)) <= set(parameters)


@waits_for(DEPLOYMENTS)
def test_deployments_are_run_from_a_program(shell: Shell):
    with shell.started(f"python {snippet('serve_etl')}", "daily-etl"):
        ran = shell.script("run_deployment")
    assert ran.output.startswith("Flow run ID: ")


def test_the_client_lists_flows_with_their_deployments(shell: Shell):
    @flow(name="listed")
    def listed():
        pass

    run = flow_run_of(listed(return_state=True))
    assert shell.script("rest_client").output == f"Flow: listed (ID: {run.flow_id})\n"


@waits_for("read_logs of the client takes a filter of logs alone, as in release 3.8.8")
async def test_the_client_prints_the_logs_of_a_flow_run(home, capsys):
    @flow(name="listed")
    async def listed():
        pass

    run_id = (await listed(return_state=True)).state_details.flow_run_id
    await load("rest_client").get_flow_run_logs(str(run_id))
    assert "for flow 'listed'\n" in capsys.readouterr().out


# -- background tasks --------------------------------------------------------------------------------------------------


def test_background_tasks_run_in_a_task_worker(shell: Shell):
    put(shell, "background_tasks", "signup.py")
    with shell.started("prefect server start", "4200"):
        address = {"PREFECT_API_URL": "http://localhost:4200/api"}
        serve = "python -c 'import signup, prefect; prefect.task_worker.serve(signup.send_welcome_email)'"
        with shell.started(serve, "send_welcome_email", **address) as worker:
            code = "import signup; signup.handle_user_signup({'id': 'u1', 'email': 'ada@example.com'})"
            assert shell.python("-c", code, **address).code == 0
            worker.until("Sending welcome email to ada@example.com")


# -- blocks ------------------------------------------------------------------------------------------------------------


def test_a_secret_is_saved_once_and_loaded_in_a_flow(home):
    from prefect.blocks.system import Secret

    load("secret_block").call_openai()
    assert Secret.load("openai-api-key").get() == "sk-..."


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
