"""The websocket of workers: heartbeats come in, and the work pool goes out whenever it has changed.

The protocol is that of `prefect.client.schemas.worker_channel`. Infrastructure to clean up is not delivered: the
capability is rejected, and whoever speaks of a message of it is told that there is none.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError
from starlette.websockets import WebSocket

from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.client.schemas.worker_channel import (
    REQUIRED_WORKER_CHANNEL_CAPABILITIES,
    WORKER_CHANNEL_CLOSE_POLICIES,
    CleanupAckFrame,
    CleanupOperationResultFrame,
    CleanupOperationResultPayload,
    CleanupReleaseFrame,
    CleanupRenewFrame,
    ResolvedWorkQueue,
    WorkerChannelApplicationFrameAdapter,
    WorkerChannelCloseReason,
    WorkerChannelFrame,
    WorkerChannelProtocolError,
    WorkerHeartbeatFrame,
    WorkerHelloFrame,
    WorkerHelloPayload,
    WorkerReadyFrame,
    WorkerReadyPayload,
    WorkPoolSnapshot,
    WorkPoolSnapshotFrame,
    WorkPoolSnapshotPayload,
    select_worker_channel_version,
)
from prefect.logging import get_logger
from prefect.server.api._alarm import Alarm
from prefect.server.database.errors import StorageError
from prefect.server.database.notifications import WORK_POOLS
from prefect.server.database.store import Store, Transaction
from prefect.server.models.errors import ApiError, Conflict, NotFound
from prefect.server.models.work_pools import create_work_pool, is_reserved, read_work_pool, update_work_pool
from prefect.server.models.work_queues import require_queue_by_name
from prefect.server.models.workers import record_heartbeat

logger = get_logger("server.api")

_ROUTE = re.compile(r"^/work_pools/(?P<pool>[^/]+)/workers/connect$")
_TELLING = ("base_job_template", "concurrency_limit", "is_paused", "storage_configuration")
"""What a worker is told of when it changes."""
_SETTLE_SECONDS = 0.05
"""Changes that come within this time are told of at once."""
_CLEANUP_FRAMES = {CleanupAckFrame: "ack", CleanupReleaseFrame: "release", CleanupRenewFrame: "renew"}

Reason = WorkerChannelCloseReason
Run = Callable[[Callable[[], Any]], Coroutine[Any, Any, Any]]


def pool_of_channel(path: str) -> str | None:
    """The name of the work pool whose channel stands at a path below the root of the API; None if none does."""
    match = _ROUTE.match(path)
    return None if match is None else match["pool"]


async def close_channel(socket: WebSocket, reason: WorkerChannelCloseReason) -> None:
    """End a channel as the protocol says."""
    await socket.close(WORKER_CHANNEL_CLOSE_POLICIES[reason].websocket_code, reason.value)


async def serve_worker(socket: WebSocket, pool_name: str, store: Store, run: Run) -> None:
    """Serve the channel of one worker, until it goes or does something wrong.

    Args:
        socket: It is accepted already, and may use the API.
        pool_name: The work pool.
        store: Where it is.
        run: Runs a function in a worker thread.

    Raises:
        WebSocketDisconnect: The worker has gone.
    """
    try:
        await _Channel(socket, pool_name, store, run).serve()
    except WorkerChannelProtocolError as error:
        logger.info("The channel of a worker of the work pool %r is closed: %s", pool_name, error)
        await close_channel(socket, error.close_reason)
    except StorageError as error:
        logger.warning("The channel of a worker of the work pool %r is closed: %s", pool_name, error)
        await close_channel(socket, Reason.TRANSIENT_SERVER_ERROR)


class _Channel:
    def __init__(self, socket: WebSocket, pool_name: str, store: Store, run: Run) -> None:
        self._socket, self._pool_name, self._store, self._run = socket, pool_name, store, run
        self._sequence = 1
        self._told: WorkPool

    async def serve(self) -> None:
        hello = await self._read_frame()
        if not isinstance(hello, WorkerHelloFrame):
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, "The first frame must be worker.hello.v1.")
        self._hello = hello.payload
        version = select_worker_channel_version(self._hello.supported_channel_versions)
        alarm = Alarm(self._store, WORK_POOLS)  # before the pool is read: what changes afterwards is heard of
        reading: asyncio.Future[WorkerChannelFrame] | None = None
        try:
            worker_id, queues = await self._run(lambda: self._store.write(self._join))
            await self._send(WorkerReadyFrame, "worker.ready.v1", self._ready(version, worker_id, queues))
            while True:
                reading = reading or asyncio.ensure_future(self._read_frame())
                await alarm.wait_beside(reading, None)
                if reading.done():
                    frame, reading = reading.result(), None
                    await self._answer(frame)
                else:
                    await asyncio.sleep(_SETTLE_SECONDS)
                    alarm.reset()
                    await self._tell_of_changes("work_pool_updated")
        finally:
            alarm.close()
            if reading is not None:
                reading.cancel()

    # -- hello -------------------------------------------------------------------------------------------------------

    def _join(self, tx: Transaction) -> tuple[UUID, list[ResolvedWorkQueue]]:
        hello = self._hello
        try:
            if is_reserved(self._pool_name):
                raise _refused(f"The name {self._pool_name!r} is reserved.")
            self._told = _pool(tx, self._pool_name, hello)
            found = [require_queue_by_name(tx, self._pool_name, name) for name in hello.work_queue_names]
            worker_id = record_heartbeat(tx, self._pool_name, hello.worker_name, hello.heartbeat_interval_seconds)
        except NotFound as error:
            raise _refused(str(error.detail)) from error
        except (ApiError, ValidationError) as error:
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, str(error)) from error
        self._told = read_work_pool(tx, self._pool_name)  # the first heartbeat may have made it ready
        return worker_id, [ResolvedWorkQueue(id=queue["id"], name=queue["name"]) for queue in found]

    def _ready(self, version: Any, worker_id: UUID, queues: list[ResolvedWorkQueue]) -> WorkerReadyPayload:
        hello, accepted = self._hello, sorted(REQUIRED_WORKER_CHANNEL_CAPABILITIES)
        return WorkerReadyPayload(
            selected_channel_version=version,
            worker_id=worker_id,
            consumer_id=hello.consumer_id,
            accepted_capabilities=accepted,  # type: ignore[arg-type]
            rejected_capabilities=sorted(set(hello.requested_capabilities).difference(accepted)),
            effective_heartbeat_interval_seconds=hello.heartbeat_interval_seconds,
            resolved_work_queues=queues,
            initial_snapshot=self._snapshot("initial"),
        )

    # -- afterwards --------------------------------------------------------------------------------------------------

    async def _answer(self, frame: WorkerChannelFrame) -> None:
        if isinstance(frame, WorkerHeartbeatFrame):
            await self._take_heartbeat(frame)
        elif isinstance(frame, (CleanupAckFrame, CleanupReleaseFrame, CleanupRenewFrame)):
            result = CleanupOperationResultPayload(
                request_frame_id=frame.id,
                message_id=frame.payload.message_id,
                operation=_CLEANUP_FRAMES[type(frame)],  # type: ignore[arg-type]
                status="not_found",
                reason="cleanup_not_delivered",
                detail="This server delivers no infrastructure to clean up.",
            )
            await self._send(CleanupOperationResultFrame, "cleanup.operation_result.v1", result)
        else:
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, f"A worker sends no {frame.type} here.")

    async def _take_heartbeat(self, frame: WorkerHeartbeatFrame) -> None:
        beat = frame.payload
        if (beat.consumer_id, beat.worker_name) != (self._hello.consumer_id, self._hello.worker_name):
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, "The heartbeat is of another worker.")

        def store_heartbeat(tx: Transaction) -> None:
            if read_work_pool(tx, self._pool_name).id != self._told.id:
                raise _refused(f"The work pool {self._pool_name!r} was deleted.")
            record_heartbeat(tx, self._pool_name, beat.worker_name, beat.heartbeat_interval_seconds)

        try:
            await self._run(lambda: self._store.write(store_heartbeat))
        except NotFound as error:
            raise _refused(str(error.detail)) from error
        except ApiError as error:
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, str(error)) from error
        except StorageError as error:
            raise WorkerChannelProtocolError(Reason.HEARTBEAT_PERSISTENCE_FAILED, str(error)) from error
        await self._tell_of_changes("heartbeat_reconciliation")

    async def _tell_of_changes(self, reason: str) -> None:
        try:
            pool = await self._run(lambda: self._store.read(lambda tx: read_work_pool(tx, self._pool_name)))
        except NotFound as error:
            raise _refused(str(error.detail)) from error
        if pool.id != self._told.id:
            raise _refused(f"The work pool {self._pool_name!r} was deleted, and another one made.")
        if any(getattr(pool, name) != getattr(self._told, name) for name in _TELLING):
            self._told = pool
            self._sequence += 1
            await self._send(WorkPoolSnapshotFrame, "work_pool.snapshot.v1", self._snapshot(reason))

    def _snapshot(self, reason: str) -> WorkPoolSnapshotPayload:
        pool = WorkPoolSnapshot.model_validate(self._told.model_dump())
        return WorkPoolSnapshotPayload(snapshot_sequence=self._sequence, reason=reason, work_pool=pool)

    # -- frames ------------------------------------------------------------------------------------------------------

    async def _read_frame(self) -> WorkerChannelFrame:
        try:
            return WorkerChannelApplicationFrameAdapter.validate_json(await self._socket.receive_text())
        except (ValidationError, KeyError) as error:  # KeyError: bytes where text is due
            raise WorkerChannelProtocolError(Reason.PROTOCOL_ERROR, f"This is no frame: {error}") from error

    async def _send(self, kind: Callable[..., WorkerChannelFrame], type: str, payload: Any) -> None:
        frame = kind(type=type, id=uuid4(), sent_at=datetime.now(timezone.utc), payload=payload)
        await self._socket.send_text(frame.model_dump_json())


def _refused(message: str) -> WorkerChannelProtocolError:
    return WorkerChannelProtocolError(Reason.AUTHORIZATION_FAILED, message)


def _pool(tx: Transaction, name: str, hello: WorkerHelloPayload) -> WorkPool:
    """The pool that a worker wants to serve, made if it is not there and may be; an empty job template is filled."""
    template = hello.default_base_job_template
    try:
        pool = read_work_pool(tx, name)
    except NotFound:
        if not hello.create_pool_if_not_found:
            raise
        try:
            return create_work_pool(tx, WorkPoolCreate(name=name, type=hello.worker_type, base_job_template=template))
        except Conflict:  # another worker was faster
            return read_work_pool(tx, name)
    if template and not pool.base_job_template:
        update_work_pool(tx, name, WorkPoolUpdate(base_job_template=template))
    return pool
