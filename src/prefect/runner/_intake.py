"""Takes the due runs of the deployments that a runner serves, as many as it has room for, and sees each to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect.client._calls.deployments import get_scheduled_flow_runs_for_deployments
from prefect.client._calls.flow_runs import set_flow_run_state
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.logging.loggers import flow_run_logger, get_logger
from prefect.runner._due import Looked
from prefect.runner._served import ServedDeployment
from prefect.runner._station import Station

logger = get_logger("runner")

_SHUNNED_SECONDS = 10.0
"""How long a run is left alone that the API would not let begin, though it is due."""


class Intake:
    """Takes runs.

    Args:
        station: Executes them.
        served: The deployments, by their ids.
        limit: The most runs at a time; None for no limit.
        prefetch: How long before they are due runs are taken.
        has_room: Called when there is room for a run again.
    """

    def __init__(
        self,
        station: Station,
        served: Mapping[UUID, ServedDeployment],
        limit: int | None,
        prefetch: timedelta,
        has_room: Callable[[], None],
    ) -> None:
        self._station = station
        self._served = served
        self._limit = limit
        self._prefetch = prefetch
        self._has_room = has_room
        self._taken: dict[UUID, asyncio.Task[None]] = {}
        self._shunned: dict[UUID, float] = {}
        self._left = 0
        self.last_asked: datetime | None = None
        self.is_closed = False

    @property
    def room(self) -> int | None:
        """How many more runs could begin now; None for any number."""
        return None if self._limit is None else self._limit - len(self._taken)

    async def look(self, wait_seconds: float) -> Looked:
        """Ask for due runs, and take those that there is room for, the earliest first.

        Args:
            wait_seconds: How long the API may wait for runs, if it can.
        """
        room = self.room
        call = get_scheduled_flow_runs_for_deployments(
            list(self._served), datetime.now(timezone.utc) + self._prefetch
        ).waiting(wait_seconds if room != 0 else 0)
        due = await self._station.asking.ask(call)
        self.last_asked = datetime.now(timezone.utc)
        if not due:
            self._left = 0
            return Looked.NOTHING
        now = time.monotonic()
        self._shunned = {id: until for id, until in self._shunned.items() if until > now}
        new = [run for run in due if run.id not in self._taken and run.id not in self._shunned]
        new.sort(key=lambda run: run.next_scheduled_start_time or run.expected_start_time or _FIRST)
        self._tell_of_rest(len(new) - (len(new) if room is None else min(room, len(new))))
        claims = [self._take(run) for run in new[:room]]
        if not claims:
            return Looked.LEFT
        await asyncio.wait(claims)
        return Looked.TAKEN

    def _tell_of_rest(self, left: int) -> None:
        if left and left != self._left:
            logger.info("The limit of %s flow runs at a time is reached; %s more wait.", self._limit, left)
        self._left = left

    async def wait_until_idle(self) -> None:
        """Wait until all runs that were taken have ended."""
        while self._taken:
            await asyncio.wait(list(self._taken.values()))

    def abandon(self) -> None:
        """End the processes of all runs by force, and tell nobody."""
        for task in self._taken.values():
            task.cancel()

    # -- one run -------------------------------------------------------------------------------------------------

    def _take(self, flow_run: FlowRun) -> asyncio.Future[None]:
        """Begin with a run; what is returned is done when it is decided whether it is ours."""
        decided = asyncio.get_running_loop().create_future()
        task = self._taken[flow_run.id] = asyncio.create_task(self._see_to_its_end(flow_run, decided))
        task.add_done_callback(lambda _: self._let_go(flow_run.id, decided))
        return decided

    def _let_go(self, flow_run_id: UUID, decided: asyncio.Future[None]) -> None:
        del self._taken[flow_run_id]
        if not decided.done():
            decided.set_result(None)
        self._has_room()

    async def _see_to_its_end(self, flow_run: FlowRun, decided: asyncio.Future[None]) -> None:
        assert flow_run.deployment_id is not None
        served = self._served[flow_run.deployment_id]
        run_logger = flow_run_logger(flow_run, served.launch.flow)
        try:
            claimed = await self._claim(flow_run)
            if claimed is None:
                self._shunned[flow_run.id] = time.monotonic() + _SHUNNED_SECONDS
                return
            decided.set_result(None)
            if self.is_closed:
                await self._station.reports.give_back(claimed)
                return
            await self._execute(claimed, served)
        except TimeoutError as error:
            run_logger.error("What has become of the flow run could not be told: %s", error)
        except Exception as error:
            run_logger.error("The flow run could not be executed: %s", error, exc_info=error)

    async def _claim(self, flow_run: FlowRun) -> FlowRun | None:
        """Make a run this runner's own; gives the run as it is then, or None if it is somebody else's."""
        call = set_flow_run_state(flow_run.id, State(type=StateType.PENDING)).as_holder()
        try:
            answer = await self._station.insistence.deliver(call, f"claim flow run '{flow_run.id}'")
        except ObjectNotFound:
            return None
        if answer.status is SetStateStatus.ACCEPT and answer.state is not None and answer.state.is_pending():
            return flow_run.model_copy(update={"state": answer.state})
        reason = getattr(answer.details, "reason", None) or "another one has taken it"
        logger.info("Flow run '%s' does not begin here: %s", flow_run.id, reason)
        return None

    async def _execute(self, flow_run: FlowRun, served: ServedDeployment) -> None:
        if served.code is not None:
            try:
                await served.code.bring_up_to_date()
            except Exception as error:  # noqa: BLE001 - whatever the storage raises
                message = f"The code of the flow could not be pulled: {error}"
                await self._station.reports.crash(flow_run, message, served.launch)
                return
        await self._station.execute(flow_run.id, served.launch)


_FIRST = datetime.min.replace(tzinfo=timezone.utc)
