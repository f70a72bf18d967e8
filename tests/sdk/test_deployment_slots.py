"""A run keeps the slot of its deployment's limit while it goes on, and crashes when it has lost it."""

from __future__ import annotations

import asyncio
import time

import pytest

from prefect import flow
from prefect.client._send import embedded_database
from prefect.client.orchestration import get_client
from prefect.concurrency import _leases
from prefect.flow_engine import run_flow
from prefect.server.database.store import open_store
from prefect.settings import get_current_settings
from prefect.states import Pending

PATIENCE_SECONDS = 20


@pytest.fixture
def renews_often(monkeypatch):
    """Renew leases many times a second."""
    monkeypatch.setattr(_leases, "_RENEW_AFTER", 0.0003)
    monkeypatch.setattr(_leases, "_PAUSE_SECONDS", 0.01)


@pytest.fixture
def submitted(renews_often):
    """Submits a run of a deployment of which one run may go at once; gives the run and its lease."""

    def submit(flow):
        with get_client(sync_client=True) as client:
            deployment_id = client.create_deployment(client.create_flow(flow), "limited", concurrency_limit=1)
            run = client.create_flow_run_from_deployment(deployment_id)
            state = client.set_flow_run_state(run.id, Pending()).state
            return client.read_flow_run(run.id), state.state_details.deployment_concurrency_lease_id

    return submit


def expiration(lease_id):
    """When the lease ends; None when it is gone."""
    store = open_store(embedded_database(get_current_settings()))
    row = store.read(lambda tx: tx.fetch_one("SELECT expiration FROM concurrency_lease WHERE id = ?", (lease_id,)))
    return None if row is None else row["expiration"]


def take_away(lease_id):
    with get_client(sync_client=True) as client:
        client.release_concurrency_slots_with_lease(lease_id)


def is_renewed(lease_id):
    before, deadline = expiration(lease_id), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if expiration(lease_id) > before:
            return True
        time.sleep(0.01)
    return False


def test_the_lease_is_renewed_while_the_flow_runs_and_ends_with_it(submitted):
    @flow
    def long():
        return is_renewed(lease_id)

    run, lease_id = submitted(long)
    assert run_flow(long, flow_run=run) is True
    assert expiration(lease_id) is None


def test_a_flow_that_lost_its_slot_is_stopped_and_crashes(submitted):
    @flow
    def lost():
        take_away(lease_id)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.01)

    run, lease_id = submitted(lost)
    state = run_flow(lost, flow_run=run, return_type="state")
    assert state.is_crashed()
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run.id).state.is_crashed()


def test_an_async_flow_that_lost_its_slot_is_stopped_and_crashes(submitted):
    @flow
    async def lost():
        take_away(lease_id)
        await asyncio.sleep(PATIENCE_SECONDS)

    run, lease_id = submitted(lost)
    asyncio.run(run_flow(lost, flow_run=run, return_type="state"))
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run.id).state.is_crashed()
