"""Limits in a database of the test's own, and the events that slots cause."""

from types import SimpleNamespace

import pytest

from prefect.client._calls import concurrency_limits as calls
from prefect.client._calls._call import Call
from prefect.client._send import send
from prefect.concurrency import _policy


@pytest.fixture(autouse=True)
def in_own_database(home):
    """No limit of one test is seen by another."""


@pytest.fixture
def limit():
    """Makes limits, and tells how many of their slots are taken."""

    def create(name: str, slots: int, **fields) -> None:
        send(Call("POST", "/v2/concurrency_limits/", body={"name": name, "limit": slots, **fields}))

    def taken(name: str) -> int:
        return send(calls.read_global_concurrency_limit_by_name(name)).active_slots

    return SimpleNamespace(create=create, taken=taken)


@pytest.fixture
def events(monkeypatch):
    """The events that were emitted."""
    seen = []

    def emit(name, resource, related, follows):
        event = SimpleNamespace(event=name, resource=resource, related=related, follows=follows)
        seen.append(event)
        return event

    monkeypatch.setattr(_policy, "emit_event", emit)
    return seen
