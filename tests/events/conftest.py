"""A recorder that keeps the events it is given, and the context of a run."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest

from prefect import _current
from prefect._recorder import Recorder
from prefect.events import clients, worker
from prefect.settings import temporary_settings


class KeptEvents:
    """Stands where records leave the process."""

    def __init__(self) -> None:
        self.recorder = Recorder(self)
        self._events: list = []

    def deliver(self, batch) -> None:
        self._events.extend(batch.events)

    def close(self) -> None:
        pass

    def __call__(self) -> list:
        assert self.recorder.flush(timeout=10)
        return list(self._events)


@pytest.fixture
def emitted(monkeypatch):
    """Call it for the events that were sent to the API so far."""
    kept = KeptEvents()
    monkeypatch.setattr(worker, "get_recorder", lambda: kept.recorder)
    monkeypatch.setattr(clients, "get_recorder", lambda: kept.recorder)
    yield kept
    kept.recorder.stop(timeout=10)


@pytest.fixture
def in_flow_run():
    """The context of a deployment's flow run is active."""
    flow_run = SimpleNamespace(
        id=uuid4(),
        name="brave-owl",
        tags=["b", "a"],
        flow_id=uuid4(),
        deployment_id=uuid4(),
        work_queue_id=uuid4(),
        work_queue_name="fast",
        work_pool_id=uuid4(),
        work_pool_name="ovens",
    )
    token = _current.flow_run_context.set(SimpleNamespace(flow_run=flow_run, flow=SimpleNamespace(name="bake")))
    yield flow_run
    _current.flow_run_context.reset(token)


@pytest.fixture
def in_task_run(in_flow_run):
    """The context of a task run of that flow run is active."""
    record = SimpleNamespace(id=uuid4(), name="stir-0", flow_run_id=in_flow_run.id, tags=["c", "a"])
    token = _current.task_run_context.set(SimpleNamespace(record=record, task=SimpleNamespace(name="stir")))
    yield record
    _current.task_run_context.reset(token)


class Api:
    """An API's websockets: knows the handshake, keeps what it gets, gives what it is told to."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.events: list[dict] = []
        self.filters: list[dict] = []
        self.connections = 0
        self.dropped = asyncio.Event()
        self.drop_after: list[int] = []
        """For each connection in turn, after how many events it breaks."""
        self.batches: list[list] = []
        """For each subscription to events in turn, the events that it gives before it ends."""
        self.log_batches: list[list] = []
        """The same for log records."""
        self.close_codes: list[int] = []
        self.stay_open = False
        """Whether subscriptions go on when everything was given."""

    async def __call__(self, socket) -> None:
        self.connections += 1
        hello = json.loads(await socket.recv())
        if hello["token"] != self.token:
            await socket.close(1008, "wrong token")
            return
        await socket.send(json.dumps({"type": "auth_success"}))
        await (self.take_in(socket) if socket.request.path.endswith("/in") else self.give_out(socket))

    async def take_in(self, socket) -> None:
        count = 0
        drop_after = self.drop_after.pop(0) if self.drop_after else None
        async for frame in socket:
            if count == drop_after:
                socket.transport.abort()
                self.dropped.set()
                return
            self.events.append(json.loads(frame))
            count += 1

    async def give_out(self, socket) -> None:
        self.filters.append(json.loads(await socket.recv()))
        kind = "log" if "/logs/" in socket.request.path else "event"
        for item in (self.log_batches if kind == "log" else self.batches).pop(0):
            body = item.model_dump(mode="json")
            if kind == "event":
                body["received"] = body["occurred"]
            await socket.send(json.dumps({"type": kind, kind: body}))
        if self.stay_open:
            await socket.wait_closed()
        code = self.close_codes.pop(0) if self.close_codes else 1000
        if code == 1006:
            socket.transport.abort()
        else:
            await socket.close(code)

    @asynccontextmanager
    async def serve(self, **settings):
        from websockets.asyncio.server import serve

        async with serve(self, "127.0.0.1", 0, subprotocols=["prefect"]) as server:
            port = server.sockets[0].getsockname()[1]
            with temporary_settings({"api.url": f"http://127.0.0.1:{port}/api", **settings}):
                yield self


@pytest.fixture(name="Api")
def api_class():
    """The class of a stand-in for an API's websockets."""
    pytest.importorskip("websockets")
    return Api
