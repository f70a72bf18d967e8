"""Tests of flows: functions by themselves, runs in a database of their own.

Run it with `pytest examples/testing_flows.py`, or as a script.
"""

import pytest

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness


@task
def price(amount: int) -> float:
    """The more, the cheaper."""
    if amount < 1:
        raise ValueError("nothing to sell")
    return amount * (0.9 if amount >= 10 else 1.0)


@flow
def order(amount: int) -> str:
    """What is tested here."""
    return f"{price(amount):.2f} €"


@pytest.fixture(autouse=True, scope="session")
def database():
    """All runs of this session are recorded in a database that nobody else sees."""
    with prefect_test_harness():
        yield


def test_the_function_of_a_task_is_a_function():
    assert price.fn(10) == 9.0


def test_a_flow_is_called_like_a_function():
    assert order(2) == "2.00 €"


def test_a_state_tells_how_a_run_ended():
    state = order(0, return_state=True)
    assert state.is_failed()
    assert "nothing to sell" in state.message


def test_runs_are_recorded():
    state = order(3, return_state=True)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
    assert run.parameters == {"amount": 3}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-q", "-p", "no:cacheprovider"]))
