"""Deployments made in Python: what a flow is deployed with, and how that is stored in the API.

```python
etl.to_deployment("nightly", cron="0 2 * * *").apply()
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator
from typing_extensions import Self

from prefect._code_storage.places import RunnerStorage
from prefect._compat.dispatch import async_dispatch
from prefect._loading.entrypoints import load_flow_from_entrypoint
from prefect._plans import Plan, run_plan, run_plan_async
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyOptions, VersionInfo
from prefect.deployments import _applying, _entrypoints, _pulling
from prefect.deployments._applying import DeploymentApplyError
from prefect.deployments._deploying import adeploy, deploy
from prefect.deployments._options import DeploymentOptions, arguments_of, options_among, split_limit
from prefect.deployments._parameters import apply_frozen
from prefect.deployments._versions import VersionType
from prefect.deployments.schedules import construct_schedules, normalize_to_deployment_schedule
from prefect.events.schemas.automations import TriggerTypes
from prefect.events.schemas.deployment_triggers import DeploymentTriggerTypes
from prefect.exceptions import InvalidNameError
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.callables import ParameterSchema

if TYPE_CHECKING:
    from prefect.client.types.flexible_schedule_list import FlexibleScheduleList
    from prefect.flows import Flow
    from prefect.schedules import Schedule

_BANNED_CHARACTERS = re.compile(r"[/%&><]")

__all__ = ["DeploymentApplyError", "RunnerDeployment", "adeploy", "deploy"]


class RunnerDeployment(BaseModel):
    """A deployment to be: made of a flow by `from_flow`, `from_entrypoint` or `from_storage`, stored by `apply`.

    Attributes:
        name: Names the deployment among those of its flow. Of a name that ends in `.py`, the last part is taken without that.
        flow_name: The name of the flow.
        description: For people.
        version: A free label, kept with each run; by default the commit, or what the flow says.
        version_type: Where the version is from; by default found out from a CI system's variables, or from git.
        tags: Tags of the deployment's runs.
        schedules: When it runs.
        concurrency_limit: How many of its runs may go at once.
        concurrency_options: What becomes of runs above that limit.
        paused: Whether its schedules rest.
        parameters: Arguments of its runs, unless those have their own.
        entrypoint: Where the flow is, as `path/to/file.py:flow` or `package.module.flow`.
        triggers: What starts runs of it; stored as automations that belong to the deployment.
        enforce_parameter_schema: Whether the API refuses arguments that the flow would not take.
        storage: Where the code is pulled from before a run.
        work_pool_name: The work pool whose workers run it; none if the process that serves it does.
        work_queue_name: A queue of that pool.
        job_variables: Values for the work pool's job template.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, validate_assignment=True)

    name: str
    flow_name: str | None = None
    description: str | None = None
    version: str | None = None
    version_type: VersionType | None = None
    tags: list[str] = Field(default_factory=list)
    schedules: list[DeploymentScheduleCreate | DeploymentScheduleUpdate] | None = None
    concurrency_limit: int | None = None
    concurrency_options: ConcurrencyOptions | None = None
    paused: bool | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    entrypoint: str | None = None
    triggers: list[DeploymentTriggerTypes | TriggerTypes] = Field(default_factory=list)
    enforce_parameter_schema: bool = True
    storage: RunnerStorage | None = None
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)

    _sla: Any = PrivateAttr(default=None)
    _entrypoint_type: EntrypointType = PrivateAttr(default=EntrypointType.FILE_PATH)
    _path: str | None = PrivateAttr(default=None)
    _parameter_openapi_schema: ParameterSchema | None = PrivateAttr(default=None)
    _version_from_flow: bool = PrivateAttr(default=False)

    @field_validator("name")
    @classmethod
    def _take_stem_of_file(cls, value: str) -> str:
        return Path(value).stem if value.endswith(".py") else value

    @field_validator("schedules", mode="before")
    @classmethod
    def _accept_any_form(cls, value: Any) -> Any:
        return value if value is None else normalize_to_deployment_schedule(value)

    def model_post_init(self, context: Any, /) -> None:
        if self.paused is None:
            # Said even where the user did not: who deploys again wants the schedules to work.
            self.paused = False
        for number, trigger in enumerate(self.triggers, start=1):
            if not getattr(trigger, "name", None):
                # Plain triggers have no name of their own, and are named with their deployment's id.
                if "name" in type(trigger).model_fields:
                    setattr(trigger, "name", f"{self.name}__automation_{number}")  # noqa: B010 - one of many types

    @property
    def full_name(self) -> str:
        """The flow's name and this one's, with a slash between."""
        return f"{self.flow_name}/{self.name}"

    @property
    def entrypoint_type(self) -> EntrypointType:
        """Whether the flow is found by its file or by its module."""
        return self._entrypoint_type

    # -- storing -----------------------------------------------------------------------------------------------------

    async def aapply(
        self,
        schedules: list[dict[str, Any]] | None = None,
        work_pool_name: str | None = None,
        image: str | None = None,
        version_info: VersionInfo | None = None,
    ) -> UUID:
        """`apply` for async code."""
        return await run_plan_async(_applying.apply_plan(self, schedules, work_pool_name, image, version_info))

    @async_dispatch(aapply)
    def apply(
        self,
        schedules: list[dict[str, Any]] | None = None,
        work_pool_name: str | None = None,
        image: str | None = None,
        version_info: VersionInfo | None = None,
    ) -> UUID:
        """Store the deployment in the API: create it, or change the one that has its flow and its name.

        Of an existing deployment only that changes which this one says. What is made of a flow says all but its work pool
        and its work queue, unless they are given; stored schedules that have slugs are kept if no others are given.

        Args:
            schedules: Schedules instead of this deployment's own, as dictionaries.
            work_pool_name: A work pool instead of this deployment's own.
            image: The image of its runs; becomes the job variable `image`.
            version_info: The version of the code; by default it is found out.

        Returns:
            The deployment's id.

        Raises:
            ValueError: It has an image, a work queue or job variables, but no work pool.
            DeploymentApplyError: The API refuses it; the message says why.
        """
        return run_plan(_applying.apply_plan(self, schedules, work_pool_name, image, version_info))

    # -- making ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_flow(
        cls,
        flow: Flow[..., Any],
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
        """Make a deployment of a flow whose code is on this machine, or that was loaded `from_source`.

        Args:
            flow: The flow.
            name: The name of the deployment.
            interval: Seconds between two runs, or a `timedelta`; several make several schedules.
            cron: A cron line, or several.
            rrule: A recurrence rule, or several.
            paused: Whether the schedules rest.
            schedule: One schedule: `Cron(…)`, `Interval(…)` or `RRule(…)`.
            schedules: Several schedules.
            concurrency_limit: How many of its runs may go at once.
            parameters: Arguments of its runs; `freeze(value)` makes one that runs cannot change.
            triggers: What starts runs of it.
            description: For people; by default that of the flow.
            tags: Tags of its runs.
            version: A free label; by default the commit, or the flow's version.
            version_type: Where the version is from.
            enforce_parameter_schema: Whether the API refuses arguments that the flow would not take.
            work_pool_name: The work pool whose workers run it.
            work_queue_name: A queue of that pool.
            job_variables: Values for the work pool's job template.
            entrypoint_type: Whether workers find the flow by its file or by its module.

        Raises:
            ValueError: More than one of the kinds of schedules is given, or the flow was defined where no worker finds it.
        """
        options = options_among(locals())
        if flow._storage is not None:
            return cls._of_pulled(flow, name, options)
        return cls._of_flow(
            flow,
            name,
            options,
            entrypoint=_entrypoints.entrypoint_of(flow, entrypoint_type),
            entrypoint_type=entrypoint_type,
            path="." if entrypoint_type is EntrypointType.FILE_PATH else None,
        )

    @classmethod
    def from_entrypoint(
        cls,
        entrypoint: str,
        name: str,
        flow_name: str | None = None,
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
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        _sla: Any = None,
    ) -> RunnerDeployment:
        """Make a deployment of the flow that an entrypoint names, relative to the working directory.

        Args:
            entrypoint: `path/to/file.py:flow` or `package.module.flow`.
            name: The name of the deployment.
            flow_name: By default that of the flow.

        The other arguments are those of `from_flow`.

        Raises:
            MissingFlowError: There is no such flow.
        """
        return cls._of_flow(
            load_flow_from_entrypoint(entrypoint),
            name,
            options_among(locals()),
            entrypoint=entrypoint,
            flow_name=flow_name,
            entrypoint_type=_entrypoints.type_of(entrypoint),
            path=str(Path.cwd()),
        )

    @classmethod
    async def afrom_storage(
        cls,
        storage: RunnerStorage,
        entrypoint: str,
        name: str,
        flow_name: str | None = None,
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
        _sla: Any = None,
    ) -> RunnerDeployment:
        """`from_storage` for async code."""
        return await run_plan_async(cls._from_storage_plan(locals()))

    @classmethod
    @async_dispatch(afrom_storage, forwards=True)
    def from_storage(cls, *args: Any, **kwargs: Any) -> RunnerDeployment:
        """Make a deployment of a flow whose code is elsewhere, and is pulled from there before each run.

        The code is pulled once now, to read the flow.

        Args:
            storage: Where the code is.
            entrypoint: Where the flow is in it, as `path/to/file.py:flow`.
            name: The name of the deployment.
            flow_name: By default that of the flow.

        The other arguments are those of `from_flow`.

        Raises:
            MissingFlowError: There is no such flow.
        """
        return run_plan(cls._from_storage_plan(arguments_of(cls.afrom_storage, args, kwargs)))

    @classmethod
    def _from_storage_plan(cls, given: Mapping[str, Any]) -> Plan[Self]:
        flow = yield from _pulling.pull_flow_plan(given["storage"], given["entrypoint"])
        return cls._of_pulled(flow, given["name"], options_among(given), given["flow_name"])

    @classmethod
    def _of_pulled(
        cls, flow: Flow[..., Any], name: str, options: DeploymentOptions, flow_name: str | None = None
    ) -> Self:
        return cls._of_flow(
            flow,
            name,
            options,
            entrypoint=flow._entrypoint or "",
            flow_name=flow_name,
            entrypoint_type=_entrypoints.type_of(flow._entrypoint or ""),
            path=_pulling.path_of(flow._storage),
            storage=flow._storage,
        )

    @classmethod
    def _of_flow(
        cls,
        flow: Flow[..., Any],
        name: str,
        options: DeploymentOptions,
        *,
        entrypoint: str,
        entrypoint_type: EntrypointType,
        path: str | None,
        flow_name: str | None = None,
        storage: RunnerStorage | None = None,
    ) -> Self:
        schedules = construct_schedules(
            options.get("interval"),
            options.get("cron"),
            options.get("rrule"),
            options.get("schedule"),
            options.get("schedules"),
        )
        limit, limit_options = split_limit(options.get("concurrency_limit"))
        parameters, schema = apply_frozen(options.get("parameters") or {}, flow.parameters)
        # What is left out here keeps its stored value when the deployment is applied again.
        kept = {
            key: value
            for key in ("work_pool_name", "work_queue_name", "version_type")
            if (value := options.get(key)) is not None
        }
        if storage is not None:
            kept["storage"] = storage
        deployment = cls(
            name=_checked_name(name),
            flow_name=flow_name or flow.name,
            description=options.get("description") or flow.description,
            version=options.get("version") or flow.version,
            tags=list(options.get("tags") or ()),
            schedules=schedules,
            concurrency_limit=limit,
            concurrency_options=limit_options,
            paused=options.get("paused"),
            parameters=parameters,
            entrypoint=entrypoint,
            triggers=list(options.get("triggers") or ()),
            enforce_parameter_schema=options.get("enforce_parameter_schema", True),
            job_variables=dict(options.get("job_variables") or {}),
            **kept,
        )
        deployment._sla = options.get("_sla")
        deployment._entrypoint_type = entrypoint_type
        deployment._path = path
        deployment._parameter_openapi_schema = schema
        deployment._version_from_flow = not options.get("version")
        return deployment


def _checked_name(name: str) -> str:
    # A name ending in .py is taken for a path, of which the last part counts.
    if not name.endswith(".py") and _BANNED_CHARACTERS.search(name):
        raise InvalidNameError(
            f"The deployment name {name!r} contains one of the characters / % & > <. Choose a name without."
        )
    return name
