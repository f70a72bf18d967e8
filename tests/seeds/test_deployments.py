"""The examples that deploy and serve flows from Python."""

import inspect

import pytest
from tests.sdk._reading import flow_run_of
from tests.seeds._running import Shell, deployment_named, put, snippet
from tests.seeds.test_reference import printed_parameters

import prefect
from prefect import flow
from prefect.client.orchestration import get_client


def test_a_flow_is_deployed_with_a_cron_schedule(shell: Shell):
    put(shell, "etl_with_retries_and_caching", "user_sync.py")
    assert shell.bash("prefect work-pool create --type process default-process-pool").code == 0
    shell.script("deployment_with_cron")
    deployment = deployment_named("user-sync/hourly-sync")
    assert deployment.schedules[0].schedule.cron == "0 * * * *"
    assert sorted(deployment.tags) == ["alice-team", "etl"]
    assert deployment.parameters["table"] == "users"


def test_a_deployment_limits_its_runs(shell: Shell):
    assert shell.bash("prefect work-pool create --type process default").code == 0
    shell.script("concurrency_limits")
    deployment = deployment_named("rate-limited-pipeline/rate-limited-deployment")
    assert deployment.global_concurrency_limit.limit == 3


def test_a_served_flow_has_its_schedule(shell: Shell):
    with shell.started(f"python {snippet('serve_etl')}", "daily-etl"):
        deployment = deployment_named("etl-pipeline/daily-etl")
    assert deployment.schedules[0].schedule.cron == "0 8 * * *"
    assert deployment.parameters == {"source": "production-api", "destination": "data-warehouse"}


def test_several_flows_are_served_by_one_process(shell: Shell):
    with shell.started(f"python {snippet('serve_several')}", "monitoring-flow"):
        with get_client(sync_client=True) as client:
            deployments = client.read_deployments()
    assert len(deployments) == 2
    assert sorted(deployments[0].tags) == ["data", "production"]


@pytest.mark.parametrize("function", ["serve", "aserve"])
def test_printed_parameters_of_serve_are_accepted(function):

    parameters = inspect.signature(getattr(prefect, function)).parameters
    accepts_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    assert accepts_any or set(printed_parameters("serve_signatures", function)) <= set(parameters)


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
