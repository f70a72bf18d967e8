"""Hears that flow runs are to be cancelled, or were: from the stream of events, or by asking while there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.client._calls.flow_runs import read_flow_runs
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import State
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.logging.loggers import get_logger
from prefect.runner._asking import Asking
from prefect.settings import get_current_settings

logger = get_logger("runner")

_EVENTS = ["prefect.flow-run.Cancelling", "prefect.flow-run.Cancelled"]
"""The second comes without the first where the API knew of no process that was to be ended before."""
_RESOURCE = "prefect.flow-run."
_EMBEDDED_POLL_SECONDS = 0.5
"""Without a server, looking at the runs costs next to nothing."""
_AT_ONCE = 200
_TOLERATED_FAILURES = 3
_STATES = ["CANCELLING", "CANCELLED"]


def asks_for_cancellation(state: State | None) -> bool:
    """Whether a state is the wish that the run be cancelled; older clients express it by a name."""
    return state is not None and (state.is_cancelling() or (state.is_cancelled() and state.name == "Cancelling"))


class CancellationWatch:
    """Watches runs for the wish to cancel them, in the background, as long as there are any.

    Args:
        asking: Sends requests.
        poll_seconds: How often to ask while the stream of events is broken.
        when_blind: Called when asking fails too, again and again.
    """

    def __init__(self, asking: Asking, poll_seconds: float, when_blind: Callable[[], None]) -> None:
        self._asking = asking
        self._poll_seconds = poll_seconds
        self._when_blind = when_blind
        self._watched: dict[UUID, Callable[[], None]] = {}
        self._observing: asyncio.Task[None] | None = None
        self._failures = 0

    @contextmanager
    def watching(self, flow_run_id: UUID, wanted: Callable[[], None]) -> Iterator[None]:
        """Call a function when a run is to be cancelled, or was, while in this block; perhaps several times, and late."""
        self._watched[flow_run_id] = wanted
        if self._observing is None or self._observing.done():
            self._observing = asyncio.create_task(self._observe())
        try:
            yield
        finally:
            self._watched.pop(flow_run_id, None)
            if not self._watched and self._observing is not None:
                self._observing.cancel()
                self._observing = None

    async def _observe(self) -> None:
        if not get_current_settings().api.url:
            while True:
                await self._ask()
                await asyncio.sleep(_EMBEDDED_POLL_SECONDS)
        while True:
            try:
                await self._follow_events()
            except Exception as error:  # noqa: BLE001 - whatever breaks the stream, asking takes its place
                logger.debug("The stream of events is broken: %s", error)
            await self._ask()
            await asyncio.sleep(self._poll_seconds)

    async def _follow_events(self) -> None:
        chosen = EventFilter(event=EventNameFilter(name=_EVENTS))
        async with get_events_subscriber(filter=chosen, reconnection_attempts=0) as events:
            # What was wished before the stream was there.
            await self._ask()
            async for event in events:
                try:
                    self._notice(UUID(event.resource.id.removeprefix(_RESOURCE)))
                except ValueError:
                    logger.debug("The event %s names no flow run: %s", event.id, event.resource.id)

    def _notice(self, flow_run_id: UUID) -> None:
        wanted = self._watched.get(flow_run_id)
        if wanted is not None:
            wanted()

    async def _ask(self) -> None:
        watched = list(self._watched)
        try:
            for start in range(0, len(watched), _AT_ONCE):
                ids = {"any_": watched[start : start + _AT_ONCE]}
                chosen = FlowRunFilter.model_validate({"id": ids, "state": {"type": {"any_": _STATES}}})
                for run in await self._asking.ask(read_flow_runs(flow_run_filter=chosen, limit=_AT_ONCE)):
                    self._notice(run.id)
        except Exception as error:  # noqa: BLE001 - an API that is away is asked again
            self._failures += 1
            if self._failures == _TOLERATED_FAILURES:
                logger.warning("Whether flow runs are to be cancelled cannot be found out at present: %s", error)
                self._when_blind()
        else:
            self._failures = 0
