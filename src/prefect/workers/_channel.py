"""The websocket between a worker and its work pool: heartbeats go out, and the pool comes in whenever it changes.

A server that has none, or refuses, loses nothing by it: the worker asks over HTTP instead. The protocol is that of
`prefect.client.schemas.worker_channel`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import anyio
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from prefect._socket_urls import socket_url
from prefect._sockets import connect, current_token
from prefect.client.schemas.objects import WorkPool
from prefect.client.schemas.worker_channel import (
    CLEANUP_DELIVERY_CAPABILITY,
    REQUIRED_WORKER_CHANNEL_CAPABILITIES,
    WORK_POOL_WORKER_CHANNEL_ROUTE,
    WORK_POOL_WORKER_CHANNEL_VERSION,
    WORKER_CHANNEL_CLOSE_POLICIES,
    CleanupMessageFrame,
    CleanupOperationResultFrame,
    WorkerChannelFrame,
    WorkerHeartbeatFrame,
    WorkerHeartbeatPayload,
    WorkerHelloFrame,
    WorkerHelloPayload,
    WorkerReadyFrame,
    WorkPoolSnapshotFrame,
    WorkPoolSnapshotPayload,
)
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings
from prefect.workers._cleanup_delivery import CleanupDelivery
from prefect.workers._frames import make_frame, read_frame
from prefect.workers._task_groups import task_group

if TYPE_CHECKING:
    from prefect.workers.base import BaseWorker

logger = get_logger("workers.channel")

_ANSWER_SECONDS = 10.0
_GOODBYE_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_FINAL_CODES = {policy.websocket_code for policy in WORKER_CHANNEL_CLOSE_POLICIES.values() if policy.terminal}


class _OfNoUse(Exception):
    """The server has no channel for this worker, and will not have one."""


class WorkerChannel:
    """The channel of one worker.

    Attributes:
        is_open: Whether heartbeats go this way at the moment.
        was_tried: Set when it has been opened, or could not be, for the first time.
    """

    def __init__(self, worker: BaseWorker[Any, Any, Any]) -> None:
        self._worker = worker
        self._consumer_id = uuid4()
        self._interval_seconds = max(int(worker.heartbeat_interval_seconds), 1)
        self._told = 0
        self.is_open = False
        self.was_tried = asyncio.Event()

    async def keep_open(self) -> None:
        """Open the channel, and open it again when it breaks. Returns when the server wants no channel."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._serve()
            except _OfNoUse as error:
                logger.debug("Going on without a channel: %s", error)
                return
            except Exception as error:  # noqa: BLE001 - whatever breaks the channel, the worker goes on without it
                logger.debug("The channel broke, opening it again in %s s: %s", pause, error)
                if self.is_open:
                    pause = _FIRST_PAUSE_SECONDS
            finally:
                self.is_open = False
                self.was_tried.set()
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _serve(self) -> None:
        try:
            connection = await self._connect()
        except PermissionError as error:
            if isinstance(error.__cause__, ConnectionClosed) and not _is_final(error.__cause__):
                raise ConnectionError(str(error)) from error  # a server that stops, say
            raise _OfNoUse(str(error)) from error
        except InvalidStatus as error:
            if error.response.status_code < 500:
                raise _OfNoUse(str(error)) from error
            raise
        try:
            await self._talk(connection)
        except ConnectionClosed as error:
            if _is_final(error):
                raise _OfNoUse(str(error)) from error
            raise
        except ValidationError as error:
            raise _OfNoUse(f"The server does not keep to the protocol: {error}") from error
        finally:
            with anyio.move_on_after(_GOODBYE_SECONDS, shield=True):
                await connection.close()

    async def _connect(self) -> ClientConnection:
        path = WORK_POOL_WORKER_CHANNEL_ROUTE.format(work_pool_name=quote(self._worker._work_pool_name, safe=""))
        api_url = get_current_settings().api.url
        assert api_url is not None  # a worker without one is not set up
        with anyio.fail_after(_ANSWER_SECONDS):
            return await connect(socket_url(api_url, path), current_token())

    async def _talk(self, connection: ClientConnection) -> None:
        async def send(frame: WorkerChannelFrame) -> None:
            try:
                await connection.send(frame.model_dump_json())
            except ConnectionClosed:
                await anyio.sleep_forever()  # whoever reads hears of it too, and ends this

        await send(make_frame(WorkerHelloFrame, self._hello()))
        with anyio.fail_after(_ANSWER_SECONDS):
            ready = read_frame(await connection.recv())
        if not isinstance(ready, WorkerReadyFrame):
            raise _OfNoUse(f"Expected worker.ready.v1, got {ready.type}.")
        self._told = 0
        self._take_snapshot(ready.payload.initial_snapshot)
        if ready.payload.worker_id is not None and ready.payload.worker_id != self._worker.backend_id:
            self._worker._take_backend_id(ready.payload.worker_id)
        self.is_open = True
        self.was_tried.set()
        async with task_group() as tasks:
            delivery = CleanupDelivery(
                self._worker.cleanup_handler_registry,
                ready.payload.effective_max_cleanup_concurrency,
                send,
                tasks,
                self._worker._logger,
            )
            tasks.start_soon(self._send_heartbeats, send, ready.payload.effective_heartbeat_interval_seconds)
            while True:
                frame = read_frame(await connection.recv())
                if isinstance(frame, WorkPoolSnapshotFrame):
                    self._take_snapshot(frame.payload)
                elif isinstance(frame, CleanupMessageFrame):
                    delivery.take(frame.payload)
                elif isinstance(frame, CleanupOperationResultFrame):
                    delivery.take_answer(frame.payload)

    def _hello(self) -> WorkerHelloPayload:
        worker, capabilities = self._worker, sorted(REQUIRED_WORKER_CHANNEL_CAPABILITIES)
        if worker.handled_cleanup_kinds:
            capabilities.append(CLEANUP_DELIVERY_CAPABILITY)
        return WorkerHelloPayload(
            consumer_id=self._consumer_id,
            worker_name=worker.name,
            worker_type=worker.type,
            heartbeat_interval_seconds=self._interval_seconds,
            supported_channel_versions=[WORK_POOL_WORKER_CHANNEL_VERSION],
            requested_capabilities=list(capabilities),
            # A queue that is missing would be refused, and the worker waits for it.
            work_queue_names=[],
            handled_cleanup_kinds=list(worker.handled_cleanup_kinds),
            max_cleanup_concurrency=worker.max_cleanup_concurrency,
        )

    async def _send_heartbeats(
        self, send: Callable[[WorkerChannelFrame], Awaitable[None]], interval_seconds: int
    ) -> None:
        payload = WorkerHeartbeatPayload(
            consumer_id=self._consumer_id,
            worker_name=self._worker.name,
            heartbeat_interval_seconds=self._interval_seconds,
        )
        while True:
            await anyio.sleep(interval_seconds)
            await send(make_frame(WorkerHeartbeatFrame, payload))

    def _take_snapshot(self, snapshot: WorkPoolSnapshotPayload) -> None:
        if snapshot.snapshot_sequence > self._told:
            self._told = snapshot.snapshot_sequence
            self._worker._work_pool = WorkPool.model_validate(snapshot.work_pool.model_dump())


def _is_final(closed: ConnectionClosed) -> bool:
    return closed.rcvd is not None and closed.rcvd.code in _FINAL_CODES
