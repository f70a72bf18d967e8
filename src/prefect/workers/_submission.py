"""One run on its way from the queue to its infrastructure: claimed, prepared, started, and followed to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio.abc

from prefect._state_values import format_exception
from prefect.client._calls.flow_runs import release_flow_run_lease
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Abort, ObjectNotFound
from prefect.runner._exits import explain_exit
from prefect.states import Cancelled, Pending, Submitting
from prefect.workers import _events
from prefect.workers._proposals import propose

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.workers._job_configuration import BaseJobConfiguration
    from prefect.workers.base import BaseWorker


class Started(anyio.abc.TaskStatus[Any]):
    """Told by a worker's `run` that the infrastructure exists, and what it is called."""

    def __init__(self, worker: BaseWorker[Any, Any, Any], flow_run: FlowRun) -> None:
        self._worker, self._flow_run = worker, flow_run
        self._is_known = asyncio.Event()
        self.is_told = False
        self.identifier: str | None = None

    def started(self, value: Any = None) -> None:
        """Note the name of the infrastructure, by which it can be found again."""
        self.is_told = True
        if value is not None:
            logger = self._worker.get_flow_run_logger(self._flow_run)
            logger.info("Flow run %r submitted to infrastructure", self._flow_run.name)
            self.identifier = str(value)
            self._worker._tasks.start_soon(self._hand_over, self.identifier)
        self._is_known.set()

    def will_not_be(self) -> None:
        """Note that there is, or was, no infrastructure."""
        self._is_known.set()

    async def known(self) -> str | None:
        """The name of the infrastructure, once there is some; None if there will be none."""
        await self._is_known.wait()
        return self.identifier

    async def _hand_over(self, identifier: str) -> None:
        worker, flow_run = self._worker, self._flow_run
        try:
            await worker.client.update_flow_run(flow_run.id, infrastructure_pid=identifier)
            if not worker._infrastructure_ends_with_worker:
                # It comes up whether or not this worker lives on, and answers for the run then.
                await worker.client.send(release_flow_run_lease(flow_run.id))
        except Exception as error:  # noqa: BLE001 - the run goes on without
            logger = worker.get_flow_run_logger(flow_run)
            logger.warning("Could not store the infrastructure %r: %s", identifier, format_exception(error))


class Submission:
    """One run that a worker starts."""

    def __init__(self, worker: BaseWorker[Any, Any, Any], flow_run: FlowRun) -> None:
        self._worker, self._flow_run = worker, flow_run
        self._deployment: DeploymentResponse | None = None
        self._logger = worker.get_flow_run_logger(flow_run)
        self._started = Started(worker, flow_run)

    async def identifier(self) -> str | None:
        """The name of the infrastructure, once there is some; None if there will be none."""
        return await self._started.known()

    async def perform(self) -> None:
        """See the run through; whatever goes wrong is told to the API, and nothing is raised."""
        try:
            is_ours = False
            try:
                is_ours = await self._claim()
            finally:
                self._worker._note_claim(self._flow_run, is_ours)
            if is_ours:
                await self._execute()
        except Exception as error:
            self._logger.error(
                "Flow run %r could not be dealt with: %s", self._flow_run.name, format_exception(error), exc_info=error
            )
        finally:
            self._started.will_not_be()

    # -- claiming ----------------------------------------------------------------------------------------------------

    async def _claim(self) -> bool:
        """Make the run this worker's, unless another worker was faster or there is nothing to run."""
        flow_run, client = self._flow_run, self._worker.client
        if flow_run.deployment_id is not None:
            try:
                self._deployment = await client.read_deployment(flow_run.deployment_id)
            except ObjectNotFound:
                await self._cancel(f"Deployment {str(flow_run.deployment_id)!r} does not exist any more.")
                return False
        self._logger.info("Worker %r submitting flow run %r", self._worker.name, str(flow_run.id))
        try:
            state = await propose(client, flow_run.id, Pending(), holds=True)
        except Abort as abort:
            self._logger.info("Flow run %r is not run by worker %r: %s", flow_run.name, self._worker.name, abort)
            return False
        except ObjectNotFound:
            self._logger.info("Flow run %r was deleted.", flow_run.name)
            return False
        if not state.is_pending():
            self._logger.info(
                "Flow run %r is not run by worker %r now: the API has put it into the state %r.",
                flow_run.name,
                self._worker.name,
                state.name,
            )
            return False
        self._adopt(state)
        return True

    async def _cancel(self, reason: str) -> None:
        self._logger.info("Flow run %r is cancelled: %s", self._flow_run.name, reason)
        try:
            await propose(self._worker.client, self._flow_run.id, Cancelled(message=reason), force=True)
        except (Abort, ObjectNotFound):
            return  # somebody else has ended or deleted it

    def _adopt(self, state: State) -> None:
        run = self._flow_run
        run.state, run.state_id, run.state_type, run.state_name = state, state.id, state.type, state.name

    # -- running -----------------------------------------------------------------------------------------------------

    async def _execute(self) -> None:
        worker, flow_run = self._worker, self._flow_run
        try:
            configuration = await worker.job_configuration.resolve_for_flow_run(
                flow_run,
                client=worker.client,
                work_pool=worker.work_pool.model_copy(deep=True),  # workers change what they get
                worker_name=worker.name,
                worker_id=worker.backend_id,
                deployment=self._deployment,
            )
            submitted = _events.emit_submitted(worker, configuration)
            await self._label_run()
            if not await self._announce():
                return
            result = await worker.run(flow_run=flow_run, task_status=self._started, configuration=configuration)
        except Exception as error:  # noqa: BLE001 - types of workers may raise anything, and the run has to be told
            await self._report(error)
            return
        if not self._started.is_told:
            self._logger.error(
                "Worker %r did not tell that flow run %r was started, and yet ended without an error.",
                worker.name,
                flow_run.name,
            )
        await self._conclude(configuration, submitted, result)

    async def _label_run(self) -> None:
        """Tell of the worker in the run, which is not worth failing for."""
        worker, flow_run = self._worker, self._flow_run
        labels = {
            "prefect.worker.name": worker.name,
            "prefect.worker.type": worker.type,
            "prefect.work-pool.name": worker.work_pool.name,
            "prefect.work-pool.id": str(worker.work_pool.id),
        }
        try:
            await worker.client.update_flow_run_labels(flow_run.id, labels)
        except Exception as error:  # noqa: BLE001 - as said
            self._logger.warning("Could not label flow run %r: %s", flow_run.name, format_exception(error))

    async def _announce(self) -> bool:
        """Tell that the run is about to be started; returns whether it still may."""
        try:
            state = await propose(self._worker.client, self._flow_run.id, Submitting(), holds=True)
        except (Abort, ObjectNotFound) as error:
            self._logger.info("Flow run %r is not started: %s", self._flow_run.name, error)
            return False
        if state.is_cancelling():
            await self._cancel("The flow run was cancelled before it began.")
            return False
        self._adopt(state)
        return state.is_pending()

    async def _report(self, error: Exception) -> None:
        if self._started.is_told:
            self._logger.error(
                "Flow run %r: its infrastructure could not be followed to its end: %s",
                self._flow_run.name,
                format_exception(error),
                exc_info=error,
            )
            return
        self._logger.error("Failed to submit flow run %r to infrastructure.", str(self._flow_run.id), exc_info=error)
        message = f"Failed to submit flow run to infrastructure: {type(error).__name__}: {error}"
        await self._worker._propose_crashed_state(self._flow_run, message)

    async def _conclude(self, configuration: BaseJobConfiguration, submitted: Any, result: Any) -> None:
        worker = self._worker
        if result.status_code != 0:
            message = f"Flow run infrastructure exited with non-zero status code {result.status_code}: {explain_exit(result.status_code).reason}"
            await worker._propose_crashed_state(self._flow_run, message)
        _events.emit_executed(worker, configuration, submitted, result.identifier, result.status_code)
