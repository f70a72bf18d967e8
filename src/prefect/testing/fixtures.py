"""Fixtures for tests of code that logs and emits events: import them into a `conftest.py`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from prefect.events.clients import AssertingEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import temporary_settings


@pytest.fixture(autouse=True)
def add_prefect_loggers_to_caplog(caplog: pytest.LogCaptureFixture) -> Generator[None, None, None]:
    """Let `caplog` see what prefect logs, also where its loggers do not propagate."""
    logger = logging.getLogger("prefect")
    propagates, logger.propagate = logger.propagate, True
    try:
        yield
    finally:
        logger.propagate = propagates


def is_port_in_use(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def enable_ephemeral_server() -> Generator[None, None, None]:
    """Use the core in this process, whatever API the settings name."""
    with temporary_settings({"server.ephemeral.enabled": True}, restore_defaults=["api.url"]):
        yield


@pytest.fixture
def asserting_events_worker() -> Generator[EventsWorker, None, None]:
    """The sender of events, keeping them in `AssertingEventsClient.last.events` instead of sending them."""
    with ExitStack() as scope:
        EventsWorker.set_client_override(AssertingEventsClient)
        scope.callback(AssertingEventsClient.reset)
        scope.callback(EventsWorker.set_client_override, None)
        worker = EventsWorker.instance()
        worker._client = None  # each test has a client of its own
        yield worker


@pytest.fixture
def reset_worker_events(asserting_events_worker: EventsWorker) -> Generator[None, None, None]:
    """Forget the events that came before the test."""
    yield
    client = asserting_events_worker._client
    if isinstance(client, AssertingEventsClient):
        client.events = []


__all__ = [
    "add_prefect_loggers_to_caplog",
    "asserting_events_worker",
    "enable_ephemeral_server",
    "is_port_in_use",
    "reset_worker_events",
]
