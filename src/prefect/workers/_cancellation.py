"""Ends the infrastructure of runs that are cancelled before they have begun.

A run that has begun ends by itself: what runs it hears of the wish. One that has not has nobody to hear, unless its
infrastructure comes up after all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio

from prefect._state_values import format_exception
from prefect.client._calls.flow_runs import read_flow_runs
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter, EventRelatedFilter
from prefect.exceptions import (
    Abort,
    InfrastructureNotAvailable,
    InfrastructureNotFound,
    ObjectNotFound,
)
from prefect.settings import get_current_settings
from prefect.states import Cancelled
from prefect.workers._proposals import propose

if TYPE_CHECKING:
    from prefect.workers.base import BaseWorker

_EVENT = "prefect.flow-run.Cancelling"
_RESOURCE = "prefect.flow-run."
_AT_ONCE = 200
_GRACE_SECONDS = 30


class CancellationObserver:
    """Looks after the runs of one work pool that are to be cancelled."""

    def __init__(self, worker: BaseWorker[Any, Any, Any]) -> None:
        self._worker = worker
        self._dealt_with: set[UUID] = set()

    async def observe(self) -> None:
        """Follow the stream of events; while there is none, ask every so often. Does not return."""
        seconds = get_current_settings().worker.cancellation_poll_seconds
        while True:
            try:
                await self._follow_events()
            except Exception as error:  # noqa: BLE001 - whatever breaks the stream, asking takes its place
                self._worker._logger.debug("The stream of events is broken: %s", format_exception(error))
            await self._ask()
            await anyio.sleep(seconds)

    async def _follow_events(self) -> None:
        pool = f"prefect.work-pool.{self._worker.work_pool.id}"
        chosen = EventFilter(event=EventNameFilter(name=[_EVENT]), related=EventRelatedFilter(id=[pool]))
        async with get_events_subscriber(filter=chosen, reconnection_attempts=0) as events:
            await self._ask()  # for what was wished before the stream was there
            async for event in events:
                flow_run_id = UUID(event.resource.id.removeprefix(_RESOURCE))
                try:
                    self._begin(await self._worker.client.read_flow_run(flow_run_id))
                except ObjectNotFound:
                    continue  # it was deleted meanwhile

    async def _ask(self) -> None:
        pool = WorkPoolFilter.model_validate({"name": {"any_": [self._worker._work_pool_name]}})
        chosen = FlowRunFilter.model_validate({"state": {"type": {"any_": ["CANCELLING"]}}})
        call = read_flow_runs(flow_run_filter=chosen, work_pool_filter=pool, limit=_AT_ONCE)
        try:
            for flow_run in await self._worker.client.send(call):
                self._begin(flow_run)
        except Exception as error:  # noqa: BLE001 - an API that is away is asked again
            self._worker._logger.debug("Runs to cancel could not be read: %s", format_exception(error))

    def _begin(self, flow_run: FlowRun) -> None:
        if flow_run.id in self._dealt_with or not self._is_ours(flow_run):
            return
        self._dealt_with.add(flow_run.id)
        self._worker._tasks.start_soon(self._cancel, flow_run)

    def _is_ours(self, flow_run: FlowRun) -> bool:
        """Whether a run is to be cancelled here: it has not begun, and no other worker is just starting it."""
        if flow_run.state is None or not flow_run.state.is_cancelling() or flow_run.start_time is not None:
            return False
        starter = flow_run.labels.get("prefect.worker.name")
        return bool(flow_run.infrastructure_pid) or starter in (None, self._worker.name)

    async def _cancel(self, flow_run: FlowRun) -> None:
        worker, logger = self._worker, self._worker.get_flow_run_logger(flow_run)
        try:
            identifier = flow_run.infrastructure_pid
            submission = worker._submissions.get(flow_run.id)
            if identifier is None and submission is not None:
                identifier = await submission.identifier()
                if identifier is None:
                    return  # it has seen by itself that the run is to be cancelled
            if identifier is not None and not await self._kill(flow_run, identifier):
                return
            message = "The flow run was cancelled before it began."
            await propose(worker.client, flow_run.id, Cancelled(message=message), force=True)
            logger.info("Cancelled flow run %r before it began.", flow_run.name)
        except (Abort, ObjectNotFound) as error:
            logger.debug("Flow run %r needs no cancelling: %s", flow_run.name, error)
        except Exception as error:
            logger.error(
                "Flow run %r could not be cancelled: %s", flow_run.name, format_exception(error), exc_info=error
            )
        finally:
            self._dealt_with.discard(flow_run.id)

    async def _kill(self, flow_run: FlowRun, identifier: str) -> bool:
        """End infrastructure; returns whether it is gone."""
        worker, logger = self._worker, self._worker.get_flow_run_logger(flow_run)
        configuration = await worker.job_configuration.resolve_for_flow_run(
            flow_run,
            client=worker.client,
            work_pool=worker.work_pool.model_copy(deep=True),
            worker_name=worker.name,
            worker_id=worker.backend_id,
        )
        try:
            await worker.kill_infrastructure(identifier, configuration, grace_seconds=_GRACE_SECONDS)
        except InfrastructureNotFound:
            return True
        except (InfrastructureNotAvailable, NotImplementedError) as error:
            logger.warning("The infrastructure %r of flow run %r was not ended: %s", identifier, flow_run.name, error)
            return False
        return True
