"""Runners: take the due runs of deployments, and execute each in a process of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import signal
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID, uuid4

import anyio
import anyio.abc
from typing_extensions import Self

from prefect._compat.dispatch import async_dispatch
from prefect._loading.shipping import pack_bundle
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.client.schemas.objects import FlowRun
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.runner._launch import Launch
from prefect.runner._served import Catalogue
from prefect.runner._session import Session
from prefect.runner._station import Station
from prefect.runner._supervisor import Supervisor
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.annotations import NotSet
from prefect.utilities.processutils import command_from_string

if TYPE_CHECKING:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.client.types.flexible_schedule_list import FlexibleScheduleList
    from prefect.deployments.runner import RunnerDeployment
    from prefect.events.schemas.automations import TriggerTypes
    from prefect.events.schemas.deployment_triggers import DeploymentTriggerTypes
    from prefect.flows import Flow
    from prefect.runner.server import BackgroundServer
    from prefect.schedules import Schedule

logger = get_logger("runner")


class ProcessMapEntry(TypedDict):
    """A flow run and the number of its process."""

    flow_run: FlowRun
    pid: int


class Runner:
    """Executes flow runs in processes of their own: those of its deployments when they are due, and others on demand.

    Args:
        name: Names the runner in logs and events. A name that ends in `.py` becomes the name of the file.
        query_seconds: Seconds between two looks for due runs. Default: the setting `runner.poll_frequency`.
        prefetch_seconds: How many seconds before they are due runs are taken; they begin on time.
        heartbeat_seconds: How often runs tell that they are alive. Default: the setting `flows.heartbeat_frequency`.
        limit: The most runs at a time; None for no limit. Default: the setting `runner.process_limit`.
        pause_on_shutdown: Pause the schedules of the deployments when the runner stops.
        webserver: Answer health checks over HTTP.

    Raises:
        ValueError: The name contains a slash or a percent sign, or the limit is below 1.
    """

    def __init__(
        self,
        name: str | None = None,
        query_seconds: float | None = None,
        prefetch_seconds: float = 10,
        heartbeat_seconds: float | None = None,
        limit: int | type[NotSet] | None = NotSet,
        pause_on_shutdown: bool = True,
        webserver: bool = False,
    ) -> None:
        settings = get_current_settings()
        self.name: str = _checked_name(name)
        self.query_seconds: float = query_seconds or settings.runner.poll_frequency
        self.prefetch_seconds = prefetch_seconds
        self.heartbeat_seconds = heartbeat_seconds
        self.limit: int | None = settings.runner.process_limit if limit is NotSet else limit  # type: ignore[assignment]
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"The limit of a runner must be at least 1, not {self.limit!r}; None means no limit.")
        self.pause_on_shutdown = pause_on_shutdown
        self.webserver = webserver
        self.started = False
        self.stopping = False
        self._last_polled: datetime | None = None
        self._catalogue = Catalogue()
        self._session: Session | None = None
        self._station: Station | None = None
        self._users = 0

    @property
    def last_polled(self) -> datetime | None:
        """When the runner has last been told what is due; None before that."""
        return self._session.last_asked if self._session is not None else self._last_polled

    @last_polled.setter
    def last_polled(self, value: datetime | None) -> None:
        self._last_polled = value

    @property
    def run_count(self) -> int:
        """How many runs are being executed."""
        return 0 if self._station is None else len(self._station.under_way)

    def has_slots_available(self) -> bool:
        """Whether another run could begin now."""
        return self._session is None or self._session.intake.room != 0

    # -- deployments ---------------------------------------------------------------------------------------------

    async def aadd_flow(
        self,
        flow: Flow[..., Any],
        name: str | None = None,
        interval: Iterable[int | float | timedelta] | int | float | timedelta | None = None,
        cron: Iterable[str] | str | None = None,
        rrule: Iterable[str] | str | None = None,
        paused: bool | None = None,
        schedule: Schedule | None = None,
        schedules: FlexibleScheduleList | None = None,
        concurrency_limit: int | ConcurrencyLimitConfig | None = None,
        parameters: dict[str, Any] | None = None,
        triggers: list[DeploymentTriggerTypes | TriggerTypes] | None = None,
        description: str | None = None,
        tags: list[str] | None = None,
        version: str | None = None,
        enforce_parameter_schema: bool = True,
        entrypoint_type: EntrypointType = EntrypointType.FILE_PATH,
    ) -> UUID:
        """`add_flow` for async code."""
        options = locals()
        del options["self"]
        return await run_plan_async(self._add_flow_plan(**options))

    @async_dispatch(aadd_flow, forwards=True)
    def add_flow(self, *args: Any, **kwargs: Any) -> UUID:
        """Make a deployment of a flow, and execute its runs once the runner is started.

        Args:
            flow: The flow. Its runs are runs of this very object, unless it was loaded from elsewhere.
            name: The name of the deployment; that of the runner by default.

        The other arguments are those of `Flow.to_deployment`.

        Returns:
            The id of the deployment.

        Raises:
            DeploymentApplyError: The API refuses the deployment; the message says why.
        """
        return run_plan(self._add_flow_plan(*args, **kwargs))

    def _add_flow_plan(self, flow: Flow[..., Any], name: str | None = None, **options: Any) -> Plan[UUID]:
        deployment = flow.to_deployment(name or self.name, **options, _sync=True)
        return (yield from self._add_plan(deployment, flow))

    async def aadd_deployment(self, deployment: RunnerDeployment) -> UUID:
        """`add_deployment` for async code."""
        return await run_plan_async(self._add_plan(deployment, None))

    @async_dispatch(aadd_deployment)
    def add_deployment(self, deployment: RunnerDeployment) -> UUID:
        """Store a deployment in the API, and execute its runs once the runner is started.

        Returns:
            The id of the deployment.

        Raises:
            DeploymentApplyError: The API refuses it; the message says why.
        """
        return run_plan(self._add_plan(deployment, None))

    def _add_plan(self, deployment: RunnerDeployment, flow: Flow[..., Any] | None) -> Plan[UUID]:
        id: UUID = yield Pair(partial(deployment.apply, _sync=True), deployment.aapply)
        # A run that outlives its runner could not be cancelled, and would go beside those that the next one starts.
        self._catalogue.add(id, deployment, flow, Launch(heartbeat_seconds=self.heartbeat_seconds, is_bound=True))
        return id

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self, run_once: bool = False, webserver: bool | None = None) -> None:
        """Execute the runs of the deployments as they fall due, until the runner is stopped.

        When it stops, by `stop`, Ctrl-C or SIGTERM, the runs under way are cancelled. A second signal ends their processes at
        once.

        Args:
            run_once: Take the runs that are due now, wait for their ends, and return.
            webserver: Answer health checks over HTTP; by default as the runner was made, or as the settings say.

        Raises:
            RuntimeError: The runner has been started already.
            KeyboardInterrupt: It was stopped by Ctrl-C; everything is in order.
            SystemExit: It was stopped by SIGTERM, with code 0; everything is in order.
        """
        if self._session is not None:
            raise RuntimeError(f"The runner {self.name!r} has been started already.")
        ensure_logging_setup()
        served = self._catalogue.by_id
        if not get_current_settings().api.url and any(each.has_schedules for each in served.values()):
            logger.warning(
                "There is no server that would create the runs of schedules: start one with `prefect server start`."
            )
        async with self:
            assert self._station is not None
            session = Session(
                self._station,
                served,
                self._catalogue.codes,
                limit=self.limit,
                prefetch=timedelta(seconds=self.prefetch_seconds),
                interval_seconds=self.query_seconds,
                pauses=self.pause_on_shutdown,
            )
            answering = self._start_webserver(webserver)
            self._session, self.stopping = session, False
            try:
                await session.serve(run_once)
            finally:
                if answering is not None:
                    answering.stop()
                self._last_polled, self._session = session.last_asked, None

    def _start_webserver(self, wanted: bool | None) -> BackgroundServer | None:
        if not (wanted if wanted is not None else self.webserver or get_current_settings().runner.server.enable):
            return None
        from prefect.runner.server import BackgroundServer  # noqa: PLC0415 - few runners have a web server

        return BackgroundServer(self)

    async def astop(self) -> None:
        """`stop` for async code."""
        self._stop()

    @async_dispatch(astop)
    def stop(self) -> None:
        """Begin to stop: no more runs begin, and those under way are cancelled. `start` returns when all is in order.

        May be called from any thread.

        Raises:
            RuntimeError: The runner has not been started.
        """
        self._stop()

    def _stop(self, signal_number: int | None = None) -> None:
        if self._session is None:
            raise RuntimeError(f"The runner {self.name!r} has not been started: there is nothing to stop.")
        self.stopping = True
        self._session.stop(signal_number)

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        """Stop, as on SIGTERM: `start` ends the process with exit code 0 when all is in order. A signal handler.

        Raises:
            SystemExit: The runner has not been started, so that there is nothing to put in order.
        """
        if self._session is None:
            raise SystemExit(0)
        self._stop(signal.SIGTERM)

    async def __aenter__(self) -> Self:
        ensure_logging_setup()
        self._users += 1
        if self._station is None:
            self._station = await Station(self.name, self.query_seconds, self._when_blind).__aenter__()
            self.started = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0 and self._station is not None:
            station, self._station = self._station, None
            self.started = False
            await station.__aexit__()

    def _when_blind(self) -> None:
        """Deal with not being able to hear that runs are to be cancelled."""
        if get_current_settings().runner.crash_on_cancellation_failure:
            logger.error("Ending all flow runs, as the wish to cancel them could not be heard.")
            self._tell_all(Supervisor.give_up)
            if self._session is not None:
                self._stop()

    def _tell_all(self, wish: Callable[[Supervisor], None]) -> None:
        """Tell the supervisors of all runs, from any thread and from signal handlers."""
        station = self._station
        if station is not None:
            station.loop.call_soon_threadsafe(lambda: [wish(supervisor) for supervisor in station.under_way])

    # -- executing runs ------------------------------------------------------------------------------------------

    async def execute_flow_run(
        self,
        flow_run_id: UUID,
        entrypoint: str | None = None,
        command: str | None = None,
        cwd: Path | str | None = None,
        env: dict[str, str | None] | None = None,
        task_status: anyio.abc.TaskStatus[int] = anyio.TASK_STATUS_IGNORED,
        stream_output: bool = True,
    ) -> anyio.abc.Process | None:
        """Execute one flow run in a process of its own, and wait for its end. The limit of the runner does not matter.

        The process is ended when the run is cancelled. A run whose process ends without having ended the run is crashed.

        Args:
            flow_run_id: The run.
            entrypoint: Where the flow is, if not where its deployment says.
            command: What to start, in place of the engine of this release.
            cwd: Where the process runs.
            env: Additions to its environment; None removes a variable.
            task_status: Told the number of the process when it has started.
            stream_output: Whether its output goes where that of this process goes; else it is dropped.

        Returns:
            The process, with its exit code. None if the run was to be cancelled before it had one.

        Raises:
            OSError: The process cannot be started; the run has crashed.
            ObjectNotFound: There is no such run.
        """
        launch = Launch(
            command=command_from_string(command) if command else None,
            cwd=cwd,
            env=env or {},
            entrypoint=entrypoint,
            heartbeat_seconds=self.heartbeat_seconds,
            stream_output=stream_output,
        )
        async with self:
            assert self._station is not None
            process = await self._station.execute(flow_run_id, launch, task_status.started)
        return None if process is None else process.process

    async def execute_bundle(
        self,
        bundle: Mapping[str, Any],
        cwd: Path | str | None = None,
        env: dict[str, str | None] | None = None,
    ) -> None:
        """Execute a flow run whose flow has been packed into a bundle (see `prefect.bundles`), and wait for its end.

        Args:
            bundle: The bundle.
            cwd: Where the process runs.
            env: Additions to its environment; None removes a variable.

        Raises:
            OSError: The process cannot be started; the run has crashed.
            ObjectNotFound: There is no such run.
        """
        launch = Launch(
            cwd=cwd, env=env or {}, heartbeat_seconds=self.heartbeat_seconds, packed_flow=pack_bundle(bundle)
        )
        async with self:
            assert self._station is not None
            await self._station.execute(UUID(str(bundle["flow_run"]["id"])), launch)

    def execute_in_background(
        self, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """Call a function in the loop of the runner, from any thread; a sync function is called in a thread of its own.

        Raises:
            RuntimeError: The runner is not at work.
        """
        if self._station is None:
            raise RuntimeError("The runner is not at work: start it, or use it with `async with`.")

        async def call() -> Any:
            if inspect.iscoroutinefunction(func):
                return await func(*args, **kwargs)
            return await asyncio.to_thread(func, *args, **kwargs)

        return asyncio.run_coroutine_threadsafe(call(), self._station.loop)

    # -- ending runs ---------------------------------------------------------------------------------------------

    async def cancel_all(self) -> None:
        """Cancel the runs that are being executed, and wait until their processes have ended."""
        if self._station is not None:
            for supervisor in self._station.under_way:
                supervisor.shut_down()
            await self._station.wait_until_idle()

    def reschedule_current_flow_runs(self) -> None:
        """End the processes of the runs that are being executed, and have the runs started anew elsewhere.

        Returns at once, and may be called in a signal handler; `execute_flow_run` returns when it is done.
        """
        self._tell_all(Supervisor.reschedule)

    def relinquish_current_flow_runs(self) -> None:
        """End the processes of the runs that are being executed, and leave the runs as they are. Returns at once too."""
        self._tell_all(Supervisor.relinquish)

    def terminate_current_flow_runs(self) -> None:
        """End the processes of the runs that are being executed, which crashes the runs. Returns at once too."""
        self._tell_all(Supervisor.terminate)


def _checked_name(name: str | None) -> str:
    if name is None:
        return f"runner-{uuid4()}"
    if "/" in name or "%" in name:
        raise ValueError(f"The name of a runner cannot contain '/' or '%', as {name!r} does. Choose another one.")
    return Path(name).stem if name.endswith(".py") else name


__all__ = ["Runner"]
