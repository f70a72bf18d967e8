"""Follows one flow run: its events and its log records as they come."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from typing_extensions import Self

from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import TERMINAL_STATES, Log
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter
from prefect.events.schemas.events import Event
from prefect.logging.clients import get_logs_subscriber

__all__ = ["FlowRunSubscriber"]

_TERMINAL = {state_type.value for state_type in TERMINAL_STATES}


class _Ended:
    """Says that one of the two streams has ended; with the error if there was one."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class FlowRunSubscriber:
    """Iterates over the events and the log records of a flow run, in order of arrival, until it has ended.

    Example:
        ```python
        async with FlowRunSubscriber(flow_run.id) as subscriber:
            async for item in subscriber:
                print(item)
        ```
    """

    def __init__(self, flow_run_id: UUID, straggler_timeout: int = 3, reconnection_attempts: int = 10) -> None:
        """Say which run.

        Args:
            flow_run_id: The run.
            straggler_timeout: Seconds to go on for after the run has ended, for what comes late.
            reconnection_attempts: How often to try again after a broken connection.
        """
        self.flow_run_id = flow_run_id
        self.straggler_timeout = straggler_timeout
        self.reconnection_attempts = reconnection_attempts
        self._queue: asyncio.Queue[Log | Event | _Ended] = asyncio.Queue(maxsize=1000)
        self._stack = AsyncExitStack()
        self._readers: list[asyncio.Task[None]] = []
        self._open_streams = 0
        self._ends_at: float | None = None

    async def __aenter__(self) -> Self:
        run = f"prefect.flow-run.{self.flow_run_id}"
        logs = get_logs_subscriber(
            filter=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[self.flow_run_id])),
            reconnection_attempts=self.reconnection_attempts,
        )
        events = get_events_subscriber(
            filter=EventFilter(any_resource=EventAnyResourceFilter(id=[run])),
            reconnection_attempts=self.reconnection_attempts,
        )
        async with AsyncExitStack() as opening:
            streams: list[Any] = [await opening.enter_async_context(stream) for stream in (logs, events)]
            self._stack = opening.pop_all()
        self._readers = [asyncio.create_task(self._read(stream)) for stream in streams]
        self._open_streams = len(streams)
        return self

    async def __aexit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._stack.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Log | Event:
        while self._open_streams or not self._queue.empty():
            try:
                item = await asyncio.wait_for(self._queue.get(), self._seconds_left())
            except (TimeoutError, asyncio.TimeoutError):
                break
            if not isinstance(item, _Ended):
                self._note_the_end(item)
                return item
            self._open_streams -= 1
            if item.error is not None:
                raise item.error
        raise StopAsyncIteration

    def _seconds_left(self) -> float | None:
        if self._ends_at is None:
            return None
        # What is there already is given, however late it is.
        return max(self._ends_at - asyncio.get_running_loop().time(), 0.001)

    def _note_the_end(self, item: Log | Event) -> None:
        if not isinstance(item, Event) or self._ends_at is not None:
            return
        resource = item.resource
        is_run = resource.id == f"prefect.flow-run.{self.flow_run_id}"
        if is_run and resource.get("prefect.state-type") in _TERMINAL:
            self._ends_at = asyncio.get_running_loop().time() + self.straggler_timeout

    async def _read(self, stream: Any) -> None:
        error: BaseException | None = None
        try:
            async for item in stream:
                await self._queue.put(item)
        except Exception as caught:  # noqa: BLE001 - raised again where the items are taken
            error = caught
        await self._queue.put(_Ended(error))
