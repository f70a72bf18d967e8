import asyncio
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect import get_client
from prefect._recorder import get_recorder
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter, EventOrder
from prefect.events.schemas.events import Event, Resource
from prefect.events.subscribers import FlowRunSubscriber
from prefect.events.utilities import emit_event
from prefect.logging.clients import get_logs_subscriber

OVEN = {"prefect.resource.id": "oven"}


@pytest.fixture(autouse=True)
def in_own_database(home):
    """No event of one test is seen by another."""


async def test_without_a_server_events_of_the_last_minute_and_new_ones_come_in_order():
    old = datetime.now(timezone.utc) - timedelta(minutes=2)
    emit_event("too old", OVEN, occurred=old)
    emit_event("first", OVEN)
    async with get_events_subscriber(filter=EventFilter(event=EventNameFilter(exclude_prefix=["ignored"]))) as events:
        assert (await anext(events)).event == "first"
        emit_event("ignored.one", OVEN)
        emit_event("second", OVEN)
        assert (await anext(events)).event == "second"


async def test_more_than_a_page_of_events_comes_whole_and_once():
    names = [f"n{number:03}" for number in range(120)]
    for name in names:
        emit_event(name, OVEN)
    async with get_events_subscriber() as events:
        assert [(await anext(events)).event for _ in names] == names
        emit_event("last", OVEN)
        assert (await anext(events)).event == "last"


async def test_without_a_server_log_records_come_from_now_on():
    run, recorder = uuid4(), get_recorder()
    long_ago = datetime.now(timezone.utc) - timedelta(seconds=30)
    recorder.log("n", 20, "before", long_ago, run)
    async with get_logs_subscriber(filter=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))) as logs:
        for number in range(250):
            recorder.log("n", 20, str(number), datetime.now(timezone.utc), run)
        recorder.log("n", 20, "another run's", datetime.now(timezone.utc), uuid4())
        assert {(await anext(logs)).message for _ in range(250)} == {str(number) for number in range(250)}


async def test_a_flow_run_is_followed_until_it_has_ended():
    run = uuid4()
    labels = {"prefect.resource.id": f"prefect.flow-run.{run}"}
    async with FlowRunSubscriber(run, straggler_timeout=0.5) as subscriber:
        get_recorder().log("n", 20, "hello", datetime.now(timezone.utc), run)
        ended = Event(
            event="prefect.flow-run.Completed", resource=Resource({**labels, "prefect.state-type": "COMPLETED"})
        )
        get_recorder().event(ended)
        items = await asyncio.wait_for(_all(subscriber), timeout=20)
    assert sorted(getattr(item, "message", None) or item.event for item in items) == [
        "hello",
        "prefect.flow-run.Completed",
    ]


async def _all(items):
    return [item async for item in items]


NAMES = [f"n{number:03}" for number in range(120)]


def test_pages_of_events_are_read_one_after_another_without_a_server():
    for name in NAMES:
        emit_event(name, OVEN)
    with get_client(sync_client=True) as client:
        page = client.read_events(EventFilter(order=EventOrder.ASC))
        assert (len(page.events), page.total) == (50, 120)
        found = [event.event for event in page.events]
        while (following := page.get_next_page_sync(client)) is not None:
            page = following
            found += [event.event for event in page.events]
    assert found == NAMES


async def test_pages_of_events_are_read_one_after_another_in_an_event_loop():
    for name in NAMES:
        emit_event(name, OVEN)
    async with get_client() as client:
        page = await client.read_events(EventFilter(order=EventOrder.ASC))
        found = [event.event for event in page.events]
        while (following := await page.get_next_page(client)) is not None:
            page = following
            found += [event.event for event in page.events]
        response = await client.request("POST", "/events/filter", json={"limit": 1})
        again = await client.request("GET", response.json()["next_page"])
    assert found == NAMES
    assert [each["event"] for each in again.json()["events"]] == ["n118"]
