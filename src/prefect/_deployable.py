"""The methods by which a flow becomes a deployment, or is made of code that is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from prefect import _upcalls
from prefect._compat.dispatch import async_dispatch
from prefect._plans import run_plan, run_plan_async
from prefect.types.entrypoint import EntrypointType

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path
    from uuid import UUID

    from prefect._code_storage.places import RunnerStorage
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.client.types.flexible_schedule_list import FlexibleScheduleList
    from prefect.deployments._versions import VersionType
    from prefect.deployments.runner import RunnerDeployment
    from prefect.docker.docker_image import DockerImage
    from prefect.events.schemas.automations import TriggerTypes
    from prefect.events.schemas.deployment_triggers import DeploymentTriggerTypes
    from prefect.filesystems import ReadableDeploymentStorage
    from prefect.flows import Flow
    from prefect.schedules import Schedule


class DeployableFlow:
    """What `Flow` can do besides running: be deployed, and be loaded from elsewhere."""

    async def ato_deployment(
        self,
        name: str,
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
        version_type: VersionType | None = None,
        enforce_parameter_schema: bool = True,
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        entrypoint_type: EntrypointType = EntrypointType.FILE_PATH,
        _sla: Any = None,
    ) -> RunnerDeployment:
        """`to_deployment` for async code."""
        options = locals()
        return _of_flows().make_deployment(options.pop("self"), options)

    @async_dispatch(ato_deployment, forwards=True)
    def to_deployment(self, *args: Any, **kwargs: Any) -> RunnerDeployment:
        """Make a deployment of this flow; store it with its `apply()`, or give it to `serve` or `deploy`.

        Args:
            name: The name of the deployment, unique among those of the flow.
            interval: Seconds between two runs, or a `timedelta`; several make several schedules.
            cron: A cron line, or several.
            rrule: A recurrence rule, or several.
            paused: Whether the schedules rest.
            schedule: One schedule: `Cron(…)`, `Interval(…)` or `RRule(…)`.
            schedules: Several schedules.
            concurrency_limit: How many of its runs may go at once; a `ConcurrencyLimitConfig` says what becomes of others.
            parameters: Arguments of its runs; `freeze(value)` makes one that runs cannot change.
            triggers: What starts runs of it; stored as automations that belong to the deployment.
            description: For people; by default that of the flow.
            tags: Tags of its runs.
            version: A free label; by default the commit, or the flow's version.
            version_type: Where the version is from; by default found out from a CI system's variables, or from git.
            enforce_parameter_schema: Whether the API refuses arguments that the flow would not take.
            work_pool_name: The work pool whose workers run it.
            work_queue_name: A queue of that pool.
            job_variables: Values for the work pool's job template.
            entrypoint_type: Whether workers find the flow by its file or by its module.

        Raises:
            ValueError: More than one of the kinds of schedules is given, or the flow was defined interactively.
            InvalidNameError: The name has one of the characters / % & > <.
        """
        work = _of_flows()
        return work.make_deployment(cast(Any, self), work.arguments_of(self.ato_deployment, args, kwargs))

    async def adeploy(
        self,
        name: str,
        work_pool_name: str | None = None,
        image: str | DockerImage | None = None,
        build: bool = True,
        push: bool = True,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        interval: int | float | timedelta | None = None,
        cron: str | None = None,
        rrule: str | None = None,
        paused: bool | None = None,
        schedule: Schedule | None = None,
        schedules: list[Schedule] | None = None,
        concurrency_limit: int | ConcurrencyLimitConfig | None = None,
        triggers: list[DeploymentTriggerTypes | TriggerTypes] | None = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        tags: list[str] | None = None,
        version: str | None = None,
        version_type: VersionType | None = None,
        enforce_parameter_schema: bool = True,
        entrypoint_type: EntrypointType = EntrypointType.FILE_PATH,
        print_next_steps: bool = True,
        ignore_warnings: bool = False,
        _sla: Any = None,
    ) -> UUID:
        """`deploy` for async code."""
        arguments = locals()
        return await run_plan_async(_of_flows().deploy_flow_plan(arguments.pop("self"), arguments))

    @async_dispatch(adeploy, forwards=True)
    def deploy(self, *args: Any, **kwargs: Any) -> UUID:
        """Deploy this flow to a work pool, whose workers will run it.

        Args:
            name: The name of the deployment, unique among those of the flow.
            work_pool_name: The work pool; by default that of the setting `deployments.default_work_pool_name`.
            image: The image of the runs: the name of one, or how it is built. The working directory is copied into it,
                unless the flow was loaded `from_source`.
            build: Whether the image is built now. Otherwise there is one of that name.
            push: Whether the image that was built is pushed to its registry.
            print_next_steps: Print how runs are started.
            ignore_warnings: Print no hint that `serve` may be enough.

        The other arguments are those of `to_deployment`.

        Returns:
            The deployment's id.

        Raises:
            ValueError: There is no such work pool, it takes no images, or its workers would not find the code.
            DeploymentApplyError: The API refuses the deployment.
        """
        work = _of_flows()
        return run_plan(work.deploy_flow_plan(cast(Any, self), work.arguments_of(self.adeploy, args, kwargs)))

    @classmethod
    async def afrom_source(
        cls, source: str | Path | RunnerStorage | ReadableDeploymentStorage, entrypoint: str
    ) -> Flow[..., Any]:
        """`from_source` for async code."""
        return await run_plan_async(_of_flows().load_flow_plan(source, entrypoint))

    @classmethod
    @async_dispatch(afrom_source)
    def from_source(
        cls, source: str | Path | RunnerStorage | ReadableDeploymentStorage, entrypoint: str
    ) -> Flow[..., Any]:
        """Load a flow from where its code is: a repository, a bucket, a directory.

        The code is pulled into a folder that goes away again; local code is loaded where it is. The flow can be called, and
        deployments of it have each run pull the code anew.

        Args:
            source: The URL of a git repository (ending in `.git`) or of another storage (`s3://…`), the path of a
                directory, a storage such as `GitRepository(…)`, or a saved block that has `get_directory`.
            entrypoint: Where the flow is in it, as `path/to/file.py:flow` or `package.module.flow`.

        Raises:
            TypeError: The source is of another type.
            MissingFlowError: There is no such flow.
        """
        return run_plan(_of_flows().load_flow_plan(source, entrypoint))

    def serve(
        self,
        name: str | None = None,
        interval: Iterable[int | float | timedelta] | int | float | timedelta | None = None,
        cron: Iterable[str] | str | None = None,
        rrule: Iterable[str] | str | None = None,
        paused: bool | None = None,
        schedule: Schedule | None = None,
        schedules: FlexibleScheduleList | None = None,
        global_limit: int | ConcurrencyLimitConfig | None = None,
        triggers: list[DeploymentTriggerTypes | TriggerTypes] | None = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        tags: list[str] | None = None,
        version: str | None = None,
        enforce_parameter_schema: bool = True,
        pause_on_shutdown: bool = True,
        print_starting_message: bool = True,
        limit: int | None = None,
        webserver: bool = False,
        entrypoint_type: EntrypointType = EntrypointType.FILE_PATH,
    ) -> None:
        """Make a deployment of this flow and execute its runs, each in a process of its own, until stopped by Ctrl-C.

        Args:
            name: The name of the deployment; that of the flow by default. The path of a file stands for the file's own name.
            global_limit: How many runs of the deployment may go at once, wherever they are executed.
            pause_on_shutdown: Pause the schedules in the end.
            print_starting_message: Say what is served, and how to run it.
            limit: How many runs may go here at once; by default the setting `runner.process_limit`.
            webserver: Answer health checks over HTTP.

        The other arguments are those of `to_deployment`.

        Raises:
            RuntimeError: Called in async code; use `aserve` there.
            DeploymentApplyError: The API refuses the deployment; the message says why.
            SystemExit: Stopped by SIGTERM, with code 0.
        """
        options = locals()
        _upcalls.resolve("serve_flow")(options.pop("self"), options.pop("name"), options)


def _of_flows() -> Any:
    from prefect.deployments import _of_flows  # noqa: PLC0415 - few processes that run flows deploy any

    return _of_flows
