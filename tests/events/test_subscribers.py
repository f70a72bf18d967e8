from uuid import uuid4

import pytest

from prefect.client.schemas.objects import Log
from prefect.events.schemas.events import Event, Resource
from prefect.events.subscribers import FlowRunSubscriber

RUN = uuid4()


def event(state: str, run=RUN) -> Event:
    labels = {"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.state-type": state.upper()}
    return Event(event=f"prefect.flow-run.{state}", resource=Resource(labels))


def log(message: str) -> Log:
    return Log(name="n", level=20, message=message, timestamp=event("Running").occurred, flow_run_id=RUN)


async def test_events_and_logs_of_the_run_come_until_both_streams_end(Api):
    async with Api().serve() as api:
        api.batches, api.log_batches = [[event("Running")]], [[log("hello")]]
        async with FlowRunSubscriber(RUN) as subscriber:
            items = [item async for item in subscriber]
        assert sorted(getattr(item, "message", None) or item.event for item in items) == [
            "hello",
            "prefect.flow-run.Running",
        ]
        asked = [sent["filter"] for sent in api.filters]
        assert {"any_": [str(RUN)]} in [each.get("flow_run_id") for each in asked]
        assert [f"prefect.flow-run.{RUN}"] in [(each.get("any_resource") or {}).get("id") for each in asked]


async def test_the_stream_ends_some_time_after_the_run(Api):
    async with Api().serve() as api:
        api.batches, api.log_batches, api.stay_open = [[event("Completed")]], [[log("last words")]], True
        async with FlowRunSubscriber(RUN, straggler_timeout=0.2) as subscriber:
            assert len([item async for item in subscriber]) == 2


async def test_the_end_of_another_run_is_not_the_end(Api):
    async with Api().serve() as api:
        api.batches, api.log_batches = [[event("Failed", run=uuid4()), event("Running")]], [[]]
        async with FlowRunSubscriber(RUN, straggler_timeout=0) as subscriber:
            assert len([item async for item in subscriber]) == 2


async def test_a_stream_that_fails_for_good_fails_the_iteration(Api):
    async with Api().serve() as api:
        api.batches, api.log_batches, api.close_codes = [[]], [[]], [1006, 1006]
        async with FlowRunSubscriber(RUN, reconnection_attempts=0) as subscriber:
            with pytest.raises(Exception, match="close"):
                _ = [item async for item in subscriber]
