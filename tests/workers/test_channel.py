"""The channel between a worker and its server: heartbeats, the work pool whenever it changes, and clean-ups."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.workers.conftest import Pool
from tests.workers.odd import Odd, Result, complete, end, serve, until
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosedOK

from prefect._recorder._recorder import forget_recorder
from prefect.client.schemas.worker_channel import validate_worker_channel_frame
from prefect.settings import temporary_settings
from prefect.workers._channel import WorkerChannel
from prefect.workers._cleanup import CleanupExecutionResult

PATIENCE = 30.0

# -- with a real server ------------------------------------------------------------------------------------------------


class Telling(Odd):
    """Counts how often it tells over HTTP that it is alive."""

    type = "telling"
    told = 0

    async def sync_with_backend(self) -> None:
        self.told += 1
        await super().sync_with_backend()


def heard_of(pool: Pool) -> datetime:
    (worker,) = pool.workers()
    return datetime.fromisoformat(worker["last_heartbeat_time"].replace("Z", "+00:00"))


async def serve_telling(pool: Pool) -> tuple[Telling, asyncio.Task[None]]:
    worker = Telling(pool.name, name="the worker", heartbeat_interval_seconds=1)
    worker.how = complete
    started = asyncio.Event()
    serving = asyncio.create_task(worker.start(printer=lambda *_: started.set()))
    await asyncio.wait_for(started.wait(), PATIENCE)
    return worker, serving


async def test_heartbeats_go_over_the_channel(pool: Pool):
    worker, serving = await serve_telling(pool)
    before = heard_of(pool)
    await until(lambda: heard_of(pool) > before + timedelta(seconds=1.5), "two heartbeats")
    await end(worker, serving)
    assert worker.told == 1, "afterwards nothing is told over HTTP"


async def test_a_worker_learns_its_id_and_hands_it_to_its_runs(pool: Pool):
    seen: list[Any] = []

    async def look(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        seen.append(configuration.env)
        return await complete(worker, flow_run, configuration, task_status)

    pool.create("odd")
    run_id = pool.run()
    worker, serving = await serve(pool, look)
    await until(lambda: pool.read(run_id)["state_type"] == "COMPLETED", "the run")
    await end(worker, serving)

    (heard,) = pool.workers()
    assert worker.backend_id == UUID(heard["id"])
    assert seen[0]["PREFECT__WORKER_ID"] == heard["id"]


async def test_changes_of_the_pool_are_known_at_once(pool: Pool):
    pool.create("odd", base_job_template={"job_configuration": {"image": "one"}, "variables": {"properties": {}}})
    worker, serving = await serve(pool)
    changed = {"job_configuration": {"image": "two"}, "variables": {"properties": {}}}
    pool.ask("PATCH", f"/work_pools/{pool.name}", {"base_job_template": changed})
    await until(lambda: worker.work_pool.base_job_template == changed, "the change")
    await end(worker, serving)


async def test_without_a_channel_the_worker_tells_over_http(pool: Pool):
    worker, serving = await serve_telling(pool)
    told = worker.told
    pool.ask("DELETE", f"/work_pools/{pool.name}")  # the server ends the channel, for good
    await until(lambda: worker.told > told, "it tells over HTTP")
    await until(lambda: pool.client.get(f"/work_pools/{pool.name}").is_success and pool.workers(), "it is heard of")
    await end(worker, serving)


# -- with a server that a test plays -----------------------------------------------------------------------------------

Play = Callable[["Server"], Any]


class Server:
    """The server's end of a channel."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def hear(self, type: str) -> dict[str, Any]:
        while True:
            frame = json.loads(await asyncio.wait_for(self._connection.recv(), PATIENCE))
            if frame["type"] == type:
                return frame

    async def until_closed(self) -> None:
        await self._connection.wait_closed()

    async def say(self, type: str, payload: dict[str, Any]) -> None:
        frame = {"type": type, "id": str(uuid4()), "sent_at": _now(), "payload": payload}
        validate_worker_channel_frame(frame)
        await self._connection.send(json.dumps(frame))

    async def greet(self, **more: Any) -> dict[str, Any]:
        hello = (await self.hear("worker.hello.v1"))["payload"]
        pool = {"id": str(uuid4()), "name": "the-pool", "type": "odd", "base_job_template": {}, "is_paused": False}
        snapshot = {
            "snapshot_sequence": 1,
            "reason": "initial",
            "work_pool": {**pool, "storage_configuration": {}, "default_queue_id": str(uuid4())},
        }
        capabilities = ["worker_heartbeat.v1", "work_pool_snapshot.v1"]
        ready = {
            "selected_channel_version": "work_pool_worker_channel.v1",
            "worker_id": str(uuid4()),
            "consumer_id": hello["consumer_id"],
            "accepted_capabilities": capabilities,
            "effective_heartbeat_interval_seconds": 1,
            "initial_snapshot": snapshot,
        }
        if hello["handled_cleanup_kinds"]:
            ready["accepted_capabilities"] = [*capabilities, "cleanup_delivery.v1"]
            ready["effective_max_cleanup_concurrency"] = hello["max_cleanup_concurrency"]
        await self.say("worker.ready.v1", {**ready, **more})
        return hello

    async def deliver(self, seconds: float = 60) -> dict[str, Any]:
        ends = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()
        message = {
            "message_id": str(uuid4()),
            "reservation_token": "a token",
            "lease_expires_at": ends,
            "delivery_count": 1,
            "kind": "cancelling_timeout_teardown.v1",
            "target": {"flow_run_id": str(uuid4()), "infrastructure_pid": "thing-1"},
        }
        await self.say("cleanup.message.v1", message)
        return message

    async def answer(self, frame: dict[str, Any], operation: str, status: str, **more: Any) -> None:
        result = {
            "request_frame_id": frame["id"],
            "message_id": frame["payload"]["message_id"],
            "operation": operation,
            "status": status,
            **more,
        }
        await self.say("cleanup.operation_result.v1", result)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


@asynccontextmanager
async def played(play: Play, worker: Odd) -> AsyncIterator[WorkerChannel]:
    """A server on a free port, whose part a test plays, and the channel of a worker to it."""
    played: list[Any] = []

    async def handle(connection: ServerConnection) -> None:
        assert json.loads(await connection.recv())["type"] == "auth"
        await connection.send('{"type": "auth_success"}')
        try:
            await play(Server(connection))
        except ConnectionClosedOK:
            return  # the worker has ended
        except Exception as error:
            played.append(error)
            raise

    async with listen(handle, "127.0.0.1", 0, subprotocols=["prefect"]) as listening:  # type: ignore[list-item]
        port = listening.sockets[0].getsockname()[1]
        with temporary_settings({"api.url": f"http://127.0.0.1:{port}/api"}):
            channel = WorkerChannel(worker)
            opening = asyncio.create_task(channel.keep_open())
            try:
                yield channel
            finally:
                opening.cancel()
                await asyncio.wait({opening})
                await asyncio.to_thread(forget_recorder, f"http://127.0.0.1:{port}/api", 0)
    assert not played, played


class Cleaner:
    """Cleans up as a test tells it to."""

    cleanup_kind = "cancelling_timeout_teardown.v1"

    def __init__(self, how: Callable[[Any], Any]) -> None:
        self.how = how

    async def cleanup(self, message: Any) -> CleanupExecutionResult | None:
        return await self.how(message)


def make_cleaning_worker(how: Callable[[Any], Any]) -> Odd:
    class Cleaning(Odd):
        type = f"cleaning-{uuid4()}"
        cleanup_handlers = (Cleaner(how),)  # type: ignore[assignment]
        cleanup_max_concurrency = 2

    return Cleaning("the-pool", name="the worker", heartbeat_interval_seconds=7)


async def test_a_worker_says_who_it_is_and_what_it_can():
    heard: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def play(server: Server) -> None:
        heard.set_result(await server.greet())
        await server.hear("worker.heartbeat.v1")

    worker = Odd("the-pool", name="the worker", heartbeat_interval_seconds=7)
    async with played(play, worker) as channel:
        await asyncio.wait_for(channel.was_tried.wait(), PATIENCE)
        hello = await heard
        assert channel.is_open
    assert (hello["worker_name"], hello["worker_type"], hello["heartbeat_interval_seconds"]) == ("the worker", "odd", 7)
    assert set(hello["requested_capabilities"]) == {"worker_heartbeat.v1", "work_pool_snapshot.v1"}
    assert worker._work_pool is not None and worker._work_pool.name == "the-pool"


@pytest.mark.parametrize(
    ("result", "operation"),
    [(None, "ack"), (CleanupExecutionResult.success(), "ack"), (CleanupExecutionResult.release("not now"), "release")],
)
async def test_what_came_of_a_clean_up_is_told(result: Any, operation: str):
    told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    targets: list[Any] = []

    async def clean(message: Any) -> Any:
        targets.append(message.target)
        return result

    async def play(server: Server) -> None:
        await server.greet()
        message = await server.deliver()
        frame = await server.hear(f"cleanup.{operation}.v1")
        await server.answer(frame, operation, "accepted")
        told.set_result((message, frame["payload"]))
        await server.until_closed()

    async with played(play, make_cleaning_worker(clean)):
        message, payload = await asyncio.wait_for(told, PATIENCE)
    assert payload["message_id"] == message["message_id"]
    assert payload["reservation_token"] == "a token"
    assert payload.get("reason") == (None if operation == "ack" else "not now")
    assert targets[0].infrastructure_pid == "thing-1"


async def test_a_clean_up_that_fails_is_given_back_with_the_reason():
    told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def fail(message: Any) -> Any:
        raise ValueError("the cluster is away")

    async def play(server: Server) -> None:
        await server.greet()
        await server.deliver()
        told.set_result((await server.hear("cleanup.release.v1"))["payload"]["reason"])
        await server.until_closed()

    async with played(play, make_cleaning_worker(fail)):
        assert "the cluster is away" in await asyncio.wait_for(told, PATIENCE)


async def test_a_long_clean_up_renews_its_reservation_and_ends_with_it():
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def take_long(message: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.set_result(None)
            raise

    async def play(server: Server) -> None:
        await server.greet()
        await server.deliver(seconds=1)
        frame = await server.hear("cleanup.renew.v1")
        ends = (datetime.now(timezone.utc) + timedelta(seconds=1)).isoformat()
        await server.answer(frame, "renew", "accepted", lease_expires_at=ends)
        frame = await server.hear("cleanup.renew.v1")
        await server.answer(frame, "renew", "expired", reason="too late")
        await server.until_closed()

    async with played(play, make_cleaning_worker(take_long)):
        await asyncio.wait_for(lost, PATIENCE)


async def test_a_channel_that_is_refused_is_not_tried_again():
    tries = 0

    async def play(server: Server) -> None:
        nonlocal tries
        tries += 1
        await server.hear("worker.hello.v1")
        await server._connection.close(1008, "authorization_failed")

    worker = Odd("the-pool")
    async with played(play, worker) as channel:
        await asyncio.wait_for(channel.was_tried.wait(), PATIENCE)
        assert not channel.is_open
        await asyncio.wait_for(channel.keep_open(), PATIENCE)  # returns at once, as the first one did
    assert tries == 2


async def test_a_channel_that_fails_for_the_moment_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("prefect.workers._channel._FIRST_PAUSE_SECONDS", 0.01)
    opened = asyncio.Event()
    tries = 0

    async def play(server: Server) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await server.hear("worker.hello.v1")
            await server._connection.close(1011, "transient_server_error")
            return
        await server.greet()
        await server.hear("worker.heartbeat.v1")
        opened.set()

    async with played(play, Odd("the-pool")):
        await asyncio.wait_for(opened.wait(), PATIENCE)
    assert tries == 2


def test_a_kind_of_clean_up_has_one_handler():
    from prefect.workers._cleanup import WorkerCleanupHandlerRegistry

    registry = WorkerCleanupHandlerRegistry([Cleaner(lambda _: None)])
    assert registry.handled_cleanup_kinds == ("cancelling_timeout_teardown.v1",)
    with pytest.raises(ValueError, match="already registered for 'cancelling_timeout_teardown.v1'"):
        registry.register(Cleaner(lambda _: None))
    with pytest.raises(ValueError, match="must define `cleanup_kind`"):
        registry.register(object())  # type: ignore[arg-type]
