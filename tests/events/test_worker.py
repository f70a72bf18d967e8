import queue

import pytest

from prefect.events.clients import AssertingEventsClient, NullEventsClient
from prefect.events.schemas.events import Event, Resource
from prefect.events.utilities import emit_event
from prefect.events.worker import (
    EventsWorker,
    ProcessPoolForwardingEventsClient,
    emit_events_to_cloud,
    should_emit_events,
    should_emit_events_to_ephemeral_server,
    should_emit_events_to_running_server,
)
from prefect.settings import temporary_settings


@pytest.fixture
def override():
    """Ends an override of the client with the test."""
    AssertingEventsClient.reset()
    yield EventsWorker.set_client_override
    EventsWorker.set_client_override(None)
    EventsWorker.reset_instances_for_fork()
    AssertingEventsClient.reset()


def test_there_is_one_worker_a_kind_of_client():
    assert EventsWorker.instance() is EventsWorker.instance()
    assert EventsWorker.instance(NullEventsClient) is not EventsWorker.instance()


def test_an_override_gets_all_events_in_order(override, emitted):
    override(AssertingEventsClient, reason="test")
    for name in "abc":
        emit_event(name, {"prefect.resource.id": "x"})
    (client,) = AssertingEventsClient.all
    assert [event.event for event in client.events] == ["a", "b", "c"]
    assert client.kwargs == {"reason": "test"}
    override(None)
    emit_event("d", {"prefect.resource.id": "x"})
    assert [event.event for event in emitted()] == ["d"]


async def test_an_override_works_in_async_code(override):
    override(AssertingEventsClient)
    emit_event("a", {"prefect.resource.id": "x"})
    assert [event.event for event in AssertingEventsClient.last.events] == ["a"]


def test_a_child_process_forwards_its_events_to_a_queue(override):
    sent = queue.Queue()
    override(ProcessPoolForwardingEventsClient, event_queue=sent, item_type="an event")
    event = emit_event("a", {"prefect.resource.id": "x"})
    assert sent.get_nowait() == ("an event", event)


def test_a_client_that_fails_does_not_fail_the_code_that_emits(override, caplog):
    class Broken(NullEventsClient):
        async def _emit(self, event):
            raise OSError("no network")

    override(Broken)
    assert emit_event("a", {"prefect.resource.id": "x"}) is None
    assert "no network" in caplog.text


async def test_the_active_run_completes_an_event(in_flow_run):
    event = Event(event="a", resource=Resource({"prefect.resource.id": "x"}))
    await EventsWorker.instance().attach_related_resources_from_context(event)
    assert f"prefect.flow-run.{in_flow_run.id}" in [resource.id for resource in event.related]


def test_where_events_go_follows_the_api_url():
    assert should_emit_events() and should_emit_events_to_ephemeral_server()
    assert not should_emit_events_to_running_server() and not emit_events_to_cloud()
    with temporary_settings({"api.url": "http://127.0.0.1:4200/api"}):
        assert should_emit_events() and should_emit_events_to_running_server()
        assert not should_emit_events_to_ephemeral_server() and not emit_events_to_cloud()
    with temporary_settings({"api.url": "https://cloud.test/api/x", "cloud.api_url": "https://cloud.test/api"}):
        assert emit_events_to_cloud()


def test_draining_waits_for_everything(emitted):
    emit_event("a", {"prefect.resource.id": "x"})
    assert EventsWorker.instance().drain() is True
    assert EventsWorker.drain_all(timeout=5) == (set(), set())
    EventsWorker.instance().wait_until_empty()
