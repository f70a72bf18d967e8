"""Workers: processes that take runs from a work pool, and start each in infrastructure of their type.

A type of workers is a subclass of `BaseWorker` that says how a run is started. What all of them do stands in the private
modules beside this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID, uuid4

import anyio
import anyio.abc
from typing_extensions import Self

from prefect._engine.heartbeats import runs_here
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.client.schemas.worker_channel import CleanupKind
from prefect.events.schemas.events import RelatedResource
from prefect.exceptions import Abort, ObjectNotFound
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import PrefectLogAdapter, flow_run_logger, get_worker_logger
from prefect.runner._due import Looked
from prefect.settings import get_current_settings
from prefect.states import Crashed
from prefect.utilities.dispatch import register_base_type
from prefect.utilities.slugify import slugify
from prefect.workers import _backend, _events, _loop
from prefect.workers._cleanup import WorkerCleanupHandler, WorkerCleanupHandlerRegistry
from prefect.workers._job_configuration import BaseJobConfiguration, BaseVariables
from prefect.workers._patience import patiently
from prefect.workers._proposals import propose
from prefect.workers._registry import worker_classes
from prefect.workers._results import BaseWorkerResult
from prefect.workers._submission import Submission
from prefect.workers._task_groups import task_group

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import WorkerFlowRunResponse

__all__ = ["BaseJobConfiguration", "BaseVariables", "BaseWorker", "BaseWorkerResult"]

C = TypeVar("C", bound=BaseJobConfiguration)
V = TypeVar("V", bound=BaseVariables)
R = TypeVar("R", bound=BaseWorkerResult)

_SHUNNED_SECONDS = 10.0
_NOT_SET_UP = "The worker is not set up yet. Use it in `async with worker:`, or call `await worker.start()`."


@register_base_type
class BaseWorker(ABC, Generic[C, V, R]):
    """Takes runs from a work pool, and starts each in infrastructure of its type.

    Subclasses set `type`, `job_configuration` and `job_configuration_variables`, and implement `run`; they are found by
    their type when their package is installed and has an entry point in the group `prefect.collections`.

    Args:
        work_pool_name: The work pool.
        work_queues: The queues of it to serve; all by default.
        name: Tells workers of a pool apart; made of the class and something random by default.
        prefetch_seconds: How many seconds before its start a run may be taken; by the settings unless given.
        create_pool_if_not_found: Make the work pool if it is not there.
        limit: The most runs at a time; None for no limit.
        heartbeat_interval_seconds: Seconds between heartbeats; by the settings unless given.
        base_job_template: The template of a work pool that this worker makes; that of its type by default.

    Raises:
        ValueError: The name holds `/` or `%`.
    """

    type: str
    job_configuration: type[C] = cast("type[C]", BaseJobConfiguration)
    job_configuration_variables: type[V] | None = None
    cleanup_handlers: ClassVar[tuple[WorkerCleanupHandler, ...]] = ()
    cleanup_max_concurrency: ClassVar[int | None] = None

    _infrastructure_ends_with_worker: ClassVar[bool] = False
    _hears_of_cancellations: ClassVar[bool] = False
    """Whether `run` ends the infrastructure by itself when its run is to be cancelled."""
    _documentation_url = ""
    _logo_url = ""
    _description = ""

    def __init__(
        self,
        work_pool_name: str,
        work_queues: list[str] | None = None,
        name: str | None = None,
        prefetch_seconds: float | None = None,
        create_pool_if_not_found: bool = True,
        limit: int | None = None,
        heartbeat_interval_seconds: int | None = None,
        *,
        base_job_template: dict[str, Any] | None = None,
    ) -> None:
        if name and ("/" in name or "%" in name):
            raise ValueError(f"The name of a worker cannot contain '/' or '%', as {name!r} does.")
        settings = get_current_settings().worker
        self.name: str = name or f"{type(self).__name__} {uuid4()}"
        self.backend_id: UUID | None = None
        self.heartbeat_interval_seconds: float = heartbeat_interval_seconds or settings.heartbeat_seconds
        self.is_setup = False
        self._logger: Any = get_worker_logger(self)
        self._work_pool_name = work_pool_name
        self._work_queues: set[str] = set(work_queues or ())
        self._prefetch_seconds: float = settings.prefetch_seconds if prefetch_seconds is None else prefetch_seconds
        self._create_pool_if_not_found = create_pool_if_not_found
        self._base_job_template = base_job_template
        self._limit = limit
        self._cleanup_handlers = WorkerCleanupHandlerRegistry(self.cleanup_handlers)
        self._work_pool: WorkPool | None = None
        self._client: PrefectClient | None = None
        self._limiter: anyio.CapacityLimiter | None = None
        self._runs_task_group: anyio.abc.TaskGroup | None = None
        self._resources = contextlib.AsyncExitStack()
        self._submitting_flow_run_ids: set[UUID] = set()
        self._submissions: dict[UUID, Submission] = {}
        self._shunned: dict[UUID, float] = {}
        self._told_missing: set[str] = set()
        self._last_polled_time = datetime.now(timezone.utc)
        self._run_ended = asyncio.Event()
        self._wake: Callable[[], None] = _loop._nothing
        self._stopping = asyncio.Event()

    # -- what kind of worker this is -----------------------------------------------------------------------------

    @classmethod
    def __dispatch_key__(cls) -> str | None:
        return getattr(cls, "type", None)

    @staticmethod
    def get_worker_class_from_type(type: str) -> type[BaseWorker[Any, Any, Any]] | None:
        """The class of workers of a type, as far as it is installed here."""
        return worker_classes(BaseWorker).get(type)

    @staticmethod
    def get_all_available_worker_types() -> list[str]:
        """The types of workers that are installed here."""
        return list(worker_classes(BaseWorker))

    @classmethod
    def get_default_base_job_template(cls) -> dict[str, Any]:
        """The template that a work pool for this type of workers starts with."""
        variables = (cls.job_configuration_variables or cls.job_configuration).model_json_schema()
        if "$defs" in variables:
            variables["definitions"] = variables.pop("$defs")
        for about_the_class in ("title", "description", "additionalProperties"):
            variables.pop(about_the_class, None)
        return {"job_configuration": cls.job_configuration.json_template(), "variables": variables}

    @classmethod
    def get_description(cls) -> str:
        """What workers of this type do."""
        return cls._description

    @classmethod
    def get_documentation_url(cls) -> str:
        """Where to read about workers of this type."""
        return cls._documentation_url

    @classmethod
    def get_logo_url(cls) -> str:
        """A picture for workers of this type."""
        return cls._logo_url

    @property
    def cleanup_handler_registry(self) -> WorkerCleanupHandlerRegistry:
        """What this worker can clean up when the API asks for it."""
        return self._cleanup_handlers

    @property
    def handled_cleanup_kinds(self) -> tuple[CleanupKind, ...]:
        """The kinds of infrastructure that this worker can clean up."""
        return self._cleanup_handlers.handled_cleanup_kinds

    @property
    def max_cleanup_concurrency(self) -> int:
        """How much of it at a time."""
        return (self.cleanup_max_concurrency or 1) if self._cleanup_handlers else 0

    # -- what it has while it is set up --------------------------------------------------------------------------

    @property
    def client(self) -> PrefectClient:
        """The client of the API.

        Raises:
            RuntimeError: The worker is not set up.
        """
        return self._while_set_up(self._client)

    @property
    def work_pool(self) -> WorkPool:
        """The work pool, as it was when the API told of it last.

        Raises:
            RuntimeError: The worker is not set up.
        """
        return self._while_set_up(self._work_pool)

    @property
    def limiter(self) -> anyio.CapacityLimiter:
        """Counts the runs that go now.

        Raises:
            RuntimeError: The worker is not set up.
        """
        return self._while_set_up(self._limiter)

    @property
    def _tasks(self) -> anyio.abc.TaskGroup:
        return self._while_set_up(self._runs_task_group)

    @staticmethod
    def _while_set_up(thing: Any) -> Any:
        if thing is None:
            raise RuntimeError(_NOT_SET_UP)
        return thing

    def get_name_slug(self) -> str:
        """The name in letters that ids of events may have."""
        return slugify(self.name)

    def get_flow_run_logger(self, flow_run: FlowRun) -> PrefectLogAdapter:
        """The logger for what this worker has to say in the logs of a run."""
        return flow_run_logger(flow_run).getChild(
            "worker",
            extra={
                "worker_name": self.name,
                "work_pool_name": self._work_pool_name,
                "worker_id": str(self.backend_id) if self.backend_id else None,
            },
        )

    def get_status(self) -> dict[str, Any]:
        """The name of the worker, its work pool, and how it is set up."""
        pool = self._work_pool
        return {
            "name": self.name,
            "work_pool": None if pool is None else pool.model_dump(mode="json"),
            "settings": {"prefetch_seconds": self._prefetch_seconds},
        }

    def _take_backend_id(self, id: UUID) -> None:
        self.backend_id = id
        self._logger = get_worker_logger(self)

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(
        self, run_once: bool = False, with_healthcheck: bool = False, printer: Callable[..., None] = print
    ) -> None:
        """Serve the work pool until this is cancelled, or the worker is told to stop.

        Args:
            run_once: Take the runs that are due now, wait for their ends, and return.
            with_healthcheck: Answer at `/health`, where the settings say, whether the worker still asks for runs.
            printer: Told that the worker has started, and that it has stopped.

        Raises:
            ValueError: There is no API URL.
        """
        await _loop.serve(self, run_once=run_once, with_healthcheck=with_healthcheck, printer=printer)

    def _stop(self) -> None:
        """Take no more runs, and end when those that go have ended. To be called in the loop of the worker."""
        self._stopping.set()

    def _end_runs(self) -> bool:
        """Begin to end the runs that go; returns whether their infrastructure will be waited for, or else left alone."""
        return False

    async def _runs_ended(self) -> None:
        while self._submitting_flow_run_ids:
            await self._run_ended.wait()

    async def setup(self) -> None:
        """Prepare the worker for runs; `async with worker` does it.

        Raises:
            ValueError: There is no API URL.
        """
        if not get_current_settings().api.url:
            raise ValueError(
                "`PREFECT_API_URL` must be set to start a Worker: it takes its runs from a server. Start one with `prefect "
                "server start`, and set the URL with `prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`."
            )
        ensure_logging_setup()
        self._logger.debug("Setting up worker %r", self.name)
        self._limiter = anyio.CapacityLimiter(self._limit if self._limit is not None else float("inf"))
        self._client = get_client()
        async with contextlib.AsyncExitStack() as resources:
            resources.enter_context(runs_here())
            await resources.enter_async_context(self._client)
            self._runs_task_group = await resources.enter_async_context(task_group())
            await patiently(self.sync_with_backend, self._logger)
            self._resources = resources.pop_all()
        self.is_setup = True

    async def teardown(self, *exc_info: Any) -> None:
        """Wait for the runs that go; `async with worker` does it. After an error, they are not waited for."""
        self._logger.debug("Tearing down worker %r", self.name)
        self.is_setup = False
        resources, self._resources = self._resources, contextlib.AsyncExitStack()
        await resources.__aexit__(*(exc_info or (None, None, None)))
        self._runs_task_group = self._client = None

    async def __aenter__(self) -> Self:
        await self.setup()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self.teardown(*exc_info)

    async def sync_with_backend(self) -> None:
        """Tell the API that this worker is alive, and read what has changed of its work pool."""
        await _backend.sync(self)

    # -- runs ----------------------------------------------------------------------------------------------------

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Ask for the runs that are due, and begin with as many as there is room for; returns these."""
        return self._submit_scheduled_flow_runs(await self._get_scheduled_flow_runs())

    def is_worker_still_polling(self, query_interval_seconds: float) -> bool:
        """Whether the worker has asked for runs within thirty times the interval at which it should."""
        silence = datetime.now(timezone.utc) - self._last_polled_time
        return silence.total_seconds() <= query_interval_seconds * 30

    async def _look(self, wait_seconds: float) -> Looked:
        """Ask for runs once, and begin with them; the API may wait for one where there is room for it."""
        has_room = self.limiter.available_tokens > 0
        found = await self._get_scheduled_flow_runs(wait_seconds if has_room else 0)
        if self._submit_scheduled_flow_runs(found):
            return Looked.TAKEN
        return Looked.NOTHING if has_room and not found else Looked.LEFT

    async def _get_scheduled_flow_runs(self, wait_seconds: float = 0) -> list[WorkerFlowRunResponse]:
        found = await _backend.read_due_runs(self, wait_seconds) if self._work_pool is not None else []
        self._last_polled_time = datetime.now(timezone.utc)
        return found

    def _submit_scheduled_flow_runs(self, found: list[WorkerFlowRunResponse]) -> list[FlowRun]:
        begun = []
        for flow_run in (response.flow_run for response in found):
            if flow_run.id in self._submitting_flow_run_ids or self._is_shunned(flow_run.id):
                continue
            try:
                self.limiter.acquire_on_behalf_of_nowait(flow_run.id)
            except anyio.WouldBlock:
                self._logger.debug("At most %s runs at a time: the others wait.", self._limit)
                break
            self._submitting_flow_run_ids.add(flow_run.id)
            self._tasks.start_soon(self._submit_run, flow_run)
            begun.append(flow_run)
        return begun

    def _is_shunned(self, flow_run_id: UUID) -> bool:
        """Whether the API has just not let a run begin that it still says is due; asking at once again is of no use."""
        now = time.monotonic()
        self._shunned = {id: until for id, until in self._shunned.items() if until > now}
        return flow_run_id in self._shunned

    def _note_claim(self, flow_run: FlowRun, is_ours: bool) -> None:
        if not is_ours:
            self._shunned[flow_run.id] = time.monotonic() + _SHUNNED_SECONDS
        self._wake()

    async def _submit_run(self, flow_run: FlowRun) -> None:
        submission = self._submissions[flow_run.id] = Submission(self, flow_run)
        try:
            await submission.perform()
        finally:
            del self._submissions[flow_run.id]
            self._submitting_flow_run_ids.discard(flow_run.id)
            self.limiter.release_on_behalf_of(flow_run.id)
            self._run_ended.set()
            self._run_ended = asyncio.Event()
            self._wake()

    @abstractmethod
    async def run(self, flow_run: FlowRun, configuration: C, task_status: anyio.abc.TaskStatus[int] | None = None) -> R:
        """Start a run in infrastructure, and return when that has ended.

        Args:
            flow_run: The run.
            configuration: What the infrastructure is to be like.
            task_status: Its `started` is to be called with the name of the infrastructure, once that is there. An error
                before means that the run could not be started.
        """

    async def _initiate_run(self, flow_run: FlowRun, configuration: C) -> None:
        """Start a run in infrastructure, and do not wait for its end.

        Raises:
            NotImplementedError: This type of workers cannot; `run` is used instead.
        """
        raise NotImplementedError(f"Workers of type {self.type!r} cannot start a run without waiting for its end.")

    async def kill_infrastructure(self, infrastructure_pid: str, configuration: C, grace_seconds: int = 30) -> None:
        """End the infrastructure of a run.

        Args:
            infrastructure_pid: Its name, as `run` has told it.
            configuration: What it was made with.
            grace_seconds: How long it may take to end by itself.

        Raises:
            InfrastructureNotFound: It is gone.
            InfrastructureNotAvailable: It cannot be reached from here.
            NotImplementedError: This type of workers cannot.
        """
        raise NotImplementedError(f"Workers of type {self.type!r} cannot end infrastructure.")

    async def _propose_crashed_state(
        self, flow_run: FlowRun, message: str, client: PrefectClient | None = None
    ) -> None:
        """Mark a run as crashed, unless it has ended by itself."""
        logger = self.get_flow_run_logger(flow_run)
        try:
            state = await propose(client or self.client, flow_run.id, Crashed(message=message))
        except (Abort, ObjectNotFound) as error:
            logger.debug("Flow run %r is not marked as crashed: %s", flow_run.name, error)
            return
        if state.is_crashed():
            logger.info("Reported flow run %r as crashed: %s", flow_run.name, message)

    # -- events --------------------------------------------------------------------------------------------------

    def _event_resource(self) -> dict[str, str]:
        return _events.worker_resource(self)

    def _event_related_resources(
        self, configuration: BaseJobConfiguration | None = None, include_self: bool = False
    ) -> list[RelatedResource]:
        return _events.related_resources(self, configuration, include_self)
