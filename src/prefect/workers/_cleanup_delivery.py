"""Cleans up what the API hands to a worker over its channel, and tells what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import anyio
import anyio.abc

from prefect._state_values import format_exception
from prefect.client.schemas.worker_channel import (
    CleanupAckFrame,
    CleanupMessagePayload,
    CleanupOperationPayload,
    CleanupOperationResultPayload,
    CleanupReleaseFrame,
    CleanupReleasePayload,
    CleanupRenewFrame,
    WorkerChannelFrame,
)
from prefect.workers._cleanup import CleanupExecutionResult, WorkerCleanupHandlerRegistry
from prefect.workers._frames import make_frame

_ANSWER_SECONDS = 30.0
_ATTEMPTS = 3
_RENEWED_BEFORE_SECONDS = 5.0
"""So long before a reservation ends it is renewed."""
_LEAST_SECONDS = 0.5

Send = Callable[[WorkerChannelFrame], Awaitable[None]]


class CleanupDelivery:
    """What one connection delivers. A message may come more than once, and to several workers one after the other.

    Args:
        handlers: What cleans up.
        limit: How many messages to deal with at a time; 0 if there will be none.
        send: Sends a frame.
        tasks: Where messages are dealt with.
        logger: Told what goes wrong.
    """

    def __init__(
        self,
        handlers: WorkerCleanupHandlerRegistry,
        limit: int,
        send: Send,
        tasks: anyio.abc.TaskGroup,
        logger: Any,
    ) -> None:
        self._handlers, self._send, self._tasks, self._logger = handlers, send, tasks, logger
        self._limiter = anyio.CapacityLimiter(max(limit, 1))
        self._answers: dict[UUID, asyncio.Future[CleanupOperationResultPayload]] = {}

    def take(self, message: CleanupMessagePayload) -> None:
        """Begin to deal with a message."""
        self._tasks.start_soon(self._deal_with, message)

    def take_answer(self, answer: CleanupOperationResultPayload) -> None:
        """Note what the API makes of what was said."""
        waiting = self._answers.pop(answer.request_frame_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _deal_with(self, message: CleanupMessagePayload) -> None:
        async with self._limiter:
            result = await self._clean_up(message)
        if result is None:
            return  # somebody else does it now
        said = {"message_id": message.message_id, "reservation_token": message.reservation_token}
        for _ in range(_ATTEMPTS):
            if result.operation == "ack":
                answer = await self._ask(make_frame(CleanupAckFrame, CleanupOperationPayload(**said)))
            else:
                payload = CleanupReleasePayload(**said, reason=result.reason or "failed")
                answer = await self._ask(make_frame(CleanupReleaseFrame, payload))
            if answer is not None and answer.status != "error":
                return
        # The reservation ends by itself, and the message comes again.
        self._logger.warning("The API does not take note of the clean-up %s.", message.message_id)

    async def _clean_up(self, message: CleanupMessagePayload) -> CleanupExecutionResult | None:
        """Call the handler, as long as the reservation lasts; None when that is lost."""
        handler = self._handlers.get(message.kind)
        if handler is None:
            return CleanupExecutionResult.release(f"This worker does not clean up {message.kind!r}.")
        result: CleanupExecutionResult | None = None
        async with anyio.create_task_group() as both:
            both.start_soon(self._renew, message, both.cancel_scope)
            try:
                result = await handler.cleanup(message) or CleanupExecutionResult.success()
            except Exception as error:
                self._logger.error("Cleaning up %s failed: %s", message.target, format_exception(error), exc_info=error)
                result = CleanupExecutionResult.release(format_exception(error))
            both.cancel_scope.cancel()
        return result

    async def _renew(self, message: CleanupMessagePayload, scope: anyio.CancelScope) -> None:
        ends_at = message.lease_expires_at
        said = CleanupOperationPayload(message_id=message.message_id, reservation_token=message.reservation_token)
        while True:
            left = (ends_at - datetime.now(timezone.utc)).total_seconds()
            await anyio.sleep(max(left - _RENEWED_BEFORE_SECONDS, left / 2, _LEAST_SECONDS))
            answer = await self._ask(make_frame(CleanupRenewFrame, said))
            if answer is not None and answer.lease_expires_at is not None:
                ends_at = answer.lease_expires_at
            elif answer is not None and answer.status != "error":
                self._logger.info("The clean-up %s is somebody else's now.", message.message_id)
                scope.cancel()
                return

    async def _ask(self, frame: WorkerChannelFrame) -> CleanupOperationResultPayload | None:
        """Say something about a message; gives the answer, or None if none comes."""
        waiting = self._answers[frame.id] = asyncio.get_running_loop().create_future()
        try:
            await self._send(frame)
            with anyio.move_on_after(_ANSWER_SECONDS):
                return await waiting
            return None
        finally:
            self._answers.pop(frame.id, None)
