"""The process worker: runs each flow run in a process of its own on the worker's machine."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio
import anyio.abc
from pydantic import Field
from typing_extensions import Self

from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.runner import Runner
from prefect.settings import get_current_settings
from prefect.utilities.processutils import command_to_string
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_STREAM_OUTPUT = "Let the output of the flow run appear in that of the worker."
_WORKING_DIR = "Where the process starts. A temporary folder is made, and removed afterwards, if this is empty."


class ProcessJobConfiguration(BaseJobConfiguration):
    """What the process of a run is to be like."""

    stream_output: bool = Field(default=True, description=_STREAM_OUTPUT)
    working_dir: Path | None = Field(default=None, title="Working Directory", description=_WORKING_DIR)

    def prepare_for_flow_run(
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,
    ) -> None:
        """Complete this configuration for one run. The environment is that of the worker, and what is said here."""
        removed = {name for name, value in self.env.items() if value is None}
        super().prepare_for_flow_run(flow_run, deployment, flow, work_pool, worker_name, worker_id)
        inherited = {name: value for name, value in os.environ.items() if name not in removed}
        self.env = {**inherited, **self.env}

    @staticmethod
    def _base_flow_run_command() -> str:
        return command_to_string([sys.executable, "-m", "prefect.engine"])


class ProcessVariables(BaseVariables):
    """The job variables that deployments may set."""

    stream_output: bool = Field(default=True, description=_STREAM_OUTPUT)
    working_dir: Path | None = Field(default=None, title="Working Directory", description=_WORKING_DIR)


class ProcessWorkerResult(BaseWorkerResult):
    """How the process of a run has ended: its number, and its exit code."""


class ProcessWorker(BaseWorker[ProcessJobConfiguration, ProcessVariables, ProcessWorkerResult]):
    """Runs each flow run in a process of its own on the worker's machine."""

    type = "process"
    job_configuration = ProcessJobConfiguration
    job_configuration_variables: type[ProcessVariables] | None = ProcessVariables

    _infrastructure_ends_with_worker = True
    _hears_of_cancellations = True
    _description = "Runs each flow run in a process of its own on the machine of the worker."
    _display_name = "Process"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runner = Runner(name=self.name, pause_on_shutdown=False, limit=None)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self._runner.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        try:
            await super().__aexit__(*exc_info)
        finally:
            await self._runner.__aexit__(*exc_info)

    def _end_runs(self) -> bool:
        self._runner.terminate_current_flow_runs()
        return True

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Start the process of a run, and return when it has ended.

        A run whose process ends without having ended the run is crashed, and the process of one that is cancelled is ended.

        Args:
            flow_run: The run.
            configuration: What the process is to be like.
            task_status: Told the number of the process.

        Raises:
            OSError: The process cannot be started.
        """
        task_status = task_status or anyio.TASK_STATUS_IGNORED
        with _working_dir(configuration.working_dir) as folder:
            process = await self._runner.execute_flow_run(
                flow_run.id,
                command=configuration.command,
                cwd=folder,
                env=_environment(configuration.env),
                task_status=task_status,
                stream_output=configuration.stream_output,
            )
        if process is None:  # the run was cancelled before it had one
            task_status.started()  # type: ignore[call-arg]  # there is no number
            return ProcessWorkerResult(identifier="", status_code=0)
        code = process.returncode
        return ProcessWorkerResult(identifier=str(process.pid), status_code=0 if code is None else code)


def _working_dir(chosen: Path | None) -> AbstractContextManager[Path | str]:
    if chosen is None:
        return tempfile.TemporaryDirectory(prefix="prefect-", ignore_cleanup_errors=True)
    folder = chosen.expanduser()
    if not folder.is_dir():
        raise NotADirectoryError(f"The working directory {str(chosen)!r} does not exist on the machine of the worker.")
    return nullcontext(folder)


def _environment(env: dict[str, str | None]) -> dict[str, str | None]:
    """What makes the environment of a process that one, where a runner adds this process's own and the settings."""
    added = {*os.environ, *get_current_settings().to_environment_variables(exclude_unset=True)}
    return {**dict.fromkeys(added), **env}
