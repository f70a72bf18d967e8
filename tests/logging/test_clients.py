import json
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from uuid import uuid4

import pytest

from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import Log
from prefect.logging import clients
from prefect.logging.clients import get_logs_subscriber, logs_out_socket_from_api_url
from prefect.settings import temporary_settings


def a_log(message: str) -> Log:
    return Log(name="n", level=20, message=message, timestamp=datetime.now(timezone.utc))


@asynccontextmanager
async def an_api(batches, asked):
    """An API whose log socket gives one batch a connection; what it is asked for is added to `asked`."""
    serve = pytest.importorskip("websockets.asyncio.server").serve

    async def answer(socket):
        asked.append(json.loads(await socket.recv()))
        await socket.send(json.dumps({"type": "auth_success"}))
        asked.append(json.loads(await socket.recv()))
        for log in batches.pop(0):
            await socket.send(json.dumps({"type": "log", "log": log.model_dump(mode="json")}))
        if batches:
            socket.transport.abort()

    async with serve(answer, "127.0.0.1", 0, subprotocols=["prefect"]) as server:
        port = server.sockets[0].getsockname()[1]
        with temporary_settings({"api.url": f"http://127.0.0.1:{port}/api", "api.auth_string": "us:er"}):
            yield


async def test_records_come_in_order_and_once_across_a_broken_connection():
    first, second, asked = a_log("first"), a_log("second"), []
    run = uuid4()
    async with an_api([[first], [first, second]], asked):
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
        async with get_logs_subscriber(filter=wanted) as subscriber:
            assert isinstance(subscriber, clients.PrefectLogsSubscriber)
            assert [log.message async for log in subscriber] == ["first", "second"]
    assert asked[0] == {"type": "auth", "token": "us:er"}
    assert asked[1]["filter"]["flow_run_id"]["any_"] == [str(run)]


def test_the_socket_is_below_the_api():
    assert logs_out_socket_from_api_url("https://x/api") == "wss://x/api/logs/out"


def test_cloud_needs_a_key():
    pytest.importorskip("websockets")
    cloud = {"api.url": "https://cloud.test/api", "cloud.api_url": "https://cloud.test/api"}
    with temporary_settings(cloud), pytest.raises(ValueError, match="PREFECT_API_KEY"):
        get_logs_subscriber()
    with temporary_settings({**cloud, "api.key": "pnu_1"}):
        assert isinstance(get_logs_subscriber(), clients.PrefectCloudLogsSubscriber)


def test_unknown_names_are_not_found():
    with pytest.raises(AttributeError, match="Nonsense"):
        clients.Nonsense  # noqa: B018
