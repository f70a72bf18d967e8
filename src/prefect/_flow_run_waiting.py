"""Waits for a flow run that runs elsewhere: an API's events say when to look at it; without them it is looked at now and then.

The run is always read: an event is no more than a reason to do so, and a lost one costs no more than one pause.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

from prefect._asking import ask
from prefect._plans import Pair, Plan, Sleep
from prefect.client._calls.flow_runs import read_flow_run
from prefect.client._send import send_async
from prefect.client.schemas.objects import FlowRun
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings
from prefect.utilities.asyncutils import run_coro_as_sync

_FIRST_PAUSE_SECONDS = 0.05
_EMBEDDED_PAUSE_SECONDS = 0.5
"""Without a server, looking at the run costs next to nothing."""

logger = get_logger("flow_runs")


def wait_plan(flow_run_id: UUID, timeout: float | None, poll_interval: float) -> Plan[FlowRun]:
    """Wait until a flow run is final, or for some seconds.

    Args:
        flow_run_id: The run.
        timeout: Seconds to wait at most; None for no limit.
        poll_interval: Seconds between two looks at the run while no event says to look.

    Returns:
        The run as it was last, final or not.

    Raises:
        ObjectNotFound: There is no such run.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    if get_current_settings().api.url:
        return (yield Pair(_wait_in_background, _wait_with_events, flow_run_id, deadline, poll_interval))
    return (yield from _poll_plan(flow_run_id, deadline, min(poll_interval, _EMBEDDED_PAUSE_SECONDS)))


def _poll_plan(flow_run_id: UUID, deadline: float | None, longest_pause: float) -> Plan[FlowRun]:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        run = yield ask(read_flow_run(flow_run_id))
        left = _seconds_left(deadline)
        if _is_final(run) or left <= 0:
            return run
        yield Sleep(min(pause, left))
        pause = min(pause * 1.5, longest_pause)


def _wait_in_background(*args: Any) -> FlowRun:
    return run_coro_as_sync(_wait_with_events(*args))


async def _wait_with_events(flow_run_id: UUID, deadline: float | None, poll_interval: float) -> FlowRun:
    look = asyncio.Event()
    listener = asyncio.create_task(_listen(flow_run_id, look))
    try:
        while True:
            look.clear()
            run = await send_async(read_flow_run(flow_run_id))
            left = _seconds_left(deadline)
            if _is_final(run) or left <= 0:
                return run
            try:
                await asyncio.wait_for(look.wait(), min(poll_interval, left))
            except (TimeoutError, asyncio.TimeoutError):
                continue
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(flow_run_id: UUID, look: asyncio.Event) -> None:
    """Say when to look at the run: whenever it enters a state."""
    wanted = EventFilter(
        event=EventNameFilter(prefix=["prefect.flow-run."]),
        any_resource=EventAnyResourceFilter(id=[f"prefect.flow-run.{flow_run_id}"]),
    )
    try:
        async with get_events_subscriber(wanted, reconnect_on_clean_close=True) as events:
            # What happened before the connection was there brings no event.
            look.set()
            async for _ in events:
                look.set()
    except Exception as error:  # noqa: BLE001 - without events the run is looked at now and then, which is enough
        logger.debug("Not following the events of flow run %s: %s", flow_run_id, error)


def _is_final(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def _seconds_left(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()
