"""What the engine makes of a run that somebody else has created from a deployment."""

from __future__ import annotations

import pytest

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy
from prefect.flow_engine import run_flow
from prefect.states import Pending


@pytest.fixture(autouse=True)
def home(home):
    return home


def submitted(flow):
    """A run of a deployment, as a worker hands it to the engine."""
    with get_client(sync_client=True) as client:
        deployment_id = client.create_deployment(client.create_flow(flow), "d")
        run = client.create_flow_run_from_deployment(deployment_id)
        client.set_flow_run_state(run.id, Pending())
        return client.read_flow_run(run.id)


def test_a_run_is_retried_as_its_flow_says():
    attempts = []

    @flow(retries=2, retry_delay_seconds=0)
    def flaky():
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("again")
        return "done"

    run = submitted(flaky)
    assert run_flow(flaky, flow_run=run) == "done"
    with get_client(sync_client=True) as client:
        stored = client.read_flow_run(run.id)
    assert (stored.run_count, stored.state_name, stored.empirical_policy.retries) == (3, "Completed", 2)


def test_retries_that_were_decided_for_a_run_stay():
    @flow(retries=2, retry_delay_seconds=0)
    def fails():
        raise ValueError("no")

    run = submitted(fails)
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, empirical_policy=FlowRunPolicy(retries=0))
        run = client.read_flow_run(run.id)
        assert run_flow(fails, flow_run=run, return_type="state").is_failed()
        assert client.read_flow_run(run.id).run_count == 1
