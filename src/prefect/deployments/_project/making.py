"""Makes a deployment of an entry: runs its steps, fills its placeholders, and says where workers find its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from prefect._loading.entrypoints import load_flow_from_entrypoint
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments._entrypoints import type_of
from prefect.deployments._options import DeploymentOptions
from prefect.deployments._project.entries import DeploymentEntry, LimitEntry, Project, ProjectError
from prefect.deployments._project.filling import fill_from_steps, fill_from_surroundings, fill_pull_steps
from prefect.deployments._project.scheduling import schedules_of
from prefect.deployments._project.triggering import triggers_of
from prefect.deployments._versions import VersionType
from prefect.deployments.runner import RunnerDeployment
from prefect.deployments.steps.core import StepExecutionError, run_steps
from prefect.exceptions import InvalidNameError, MissingFlowError, ObjectNotFound, ScriptError
from prefect.utilities.templating import find_placeholders

if TYPE_CHECKING:
    from prefect.flows import Flow

_BUILDS_IMAGE = "build_docker_image"
_IN_IMAGE = "/opt/prefect"


@dataclass
class PullSteps:
    """Code that steps of a project fetch: the form in which a deployment takes them."""

    steps: list[dict[str, Any]]
    pull_interval: int | None = None
    destination: Path = field(default_factory=Path.cwd)

    def set_base_path(self, path: Path) -> None:
        """Steps say themselves where they put code."""

    async def pull_code(self) -> None:
        """The code is here: it is the project's folder."""

    def to_pull_step(self) -> list[dict[str, Any]]:
        """The steps."""
        return self.steps


async def fill_entry(entry: DeploymentEntry) -> DeploymentEntry:
    """Fill an entry's placeholders of blocks, variables and the environment; those in its steps stay.

    Raises:
        ProjectError: A block is missing, or what fills a placeholder does not fit there.
    """
    try:
        return _validated(entry, await fill_from_surroundings(entry.said()))
    except (ObjectNotFound, ValueError) as error:
        if isinstance(error, ProjectError):
            raise
        raise ProjectError(f"The placeholders of the deployment {entry.label} cannot be filled: {error}") from error


def load_flow(entrypoint: str) -> Flow[..., Any]:
    """Load the flow of an entry.

    Raises:
        ProjectError: There is none, or its file cannot be loaded.
    """
    try:
        return load_flow_from_entrypoint(entrypoint)
    except (MissingFlowError, ImportError, ValueError, OSError) as error:
        raise ProjectError(f"Cannot load the flow {entrypoint!r}: {error}") from error
    except ScriptError as error:
        raise ProjectError(f"Cannot load the flow {entrypoint!r}: its file fails with {error.user_exc!r}.") from error


async def make_deployment(
    project: Project, entry: DeploymentEntry, flow: Flow[..., Any], tell: Callable[..., None]
) -> RunnerDeployment:
    """Run the steps of an entry that build and push, and make its deployment with what they gave.

    Args:
        project: The file that it is from.
        entry: It has a name, an entrypoint and a work pool, and is filled by `fill_entry`.
        flow: What its entrypoint names.
        tell: Gets what happens, line by line; `style="yellow"` marks warnings.

    Raises:
        ProjectError: A step fails, or a value is not valid.
    """
    outputs = await _run("build", project.build_steps(entry), {}, tell)
    outputs = await _run("push", project.push_steps(entry), outputs, tell)
    section, unknown = fill_from_steps(entry.said(), outputs)
    if unknown:
        names = ", ".join(f"{{{{ {name} }}}}" for name in unknown)
        tell(f"Nothing fills {names} of the deployment {entry.label}: left out.", style="yellow")
    filled = _validated(entry, section)
    steps = project.pull_steps(entry)
    if steps is None:
        steps = default_pull_steps(project.build_steps(entry), filled, tell)
    return _deployment(filled, flow, fill_pull_steps(steps, outputs))


async def _run(
    kind: str, steps: list[dict[str, Any]], outputs: dict[str, Any], tell: Callable[..., None]
) -> dict[str, Any]:
    if not steps:
        return outputs
    tell(f"Running deployment {kind} steps...")
    try:
        return await run_steps(steps, outputs, print_function=tell)
    except (StepExecutionError, ValueError) as error:
        raise ProjectError(str(error)) from error


def _validated(entry: DeploymentEntry, section: Mapping[str, Any]) -> DeploymentEntry:
    try:
        return DeploymentEntry.model_validate(section)
    except ValidationError as error:
        reasons = "; ".join(
            f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ')}, not {each['input']!r}"
            for each in error.errors()
        )
        raise ProjectError(
            f"The deployment {entry.label} is not valid once its placeholders are filled: {reasons}"
        ) from error


def default_pull_steps(
    build: list[dict[str, Any]], entry: DeploymentEntry, tell: Callable[..., None]
) -> list[dict[str, Any]]:
    """The steps of a deployment for which nobody has said where its code is: it is in its image, or where it is here."""
    here = Path.cwd()
    if any(_copies_code(step) for step in build):
        return _working_in(f"{_IN_IMAGE}/{here.name}")
    if (entry.pool.job_variables or {}).get("image"):
        tell(
            f"The code is taken to be in {_IN_IMAGE} of the image, as nothing else is said. If it is elsewhere, say so with a"
            " set_working_directory step below 'pull'.",
            style="yellow",
        )
        return _working_in(_IN_IMAGE)
    tell(
        f"Your Prefect workers will attempt to load your flow from: {here / _file_of(entry.entrypoint or '')}. To see more"
        " options for managing your flow's code, run:\n\n        $ prefect init\n"
    )
    return _working_in(str(here))


def _file_of(entrypoint: str) -> str:
    file, colon, _ = entrypoint.rpartition(":")
    return file if colon else ""


def _working_in(directory: str) -> list[dict[str, Any]]:
    return [{"prefect.deployments.steps.set_working_directory": {"directory": directory}}]


def _copies_code(step: Mapping[str, Any]) -> bool:
    """Whether a step builds an image whose Dockerfile is made for it, which copies the working directory."""
    return any(
        name.rpartition(".")[2] == _BUILDS_IMAGE and isinstance(inputs, Mapping) and inputs.get("dockerfile") == "auto"
        for name, inputs in step.items()
    )


def _deployment(entry: DeploymentEntry, flow: Flow[..., Any], pull: list[dict[str, Any]]) -> RunnerDeployment:
    entrypoint, name, pool = entry.entrypoint or "", entry.name or "", entry.pool
    options = DeploymentOptions(
        schedules=schedules_of(entry) or None,
        paused=_flag("paused", entry.paused, False),
        concurrency_limit=_limit(entry.concurrency_limit),
        parameters=entry.parameters,
        triggers=list(triggers_of(entry.triggers or (), name)),
        description=entry.description,
        tags=entry.tags,
        version=entry.version,
        version_type=_version_type(entry.version_type),
        enforce_parameter_schema=_flag("enforce_parameter_schema", entry.enforce_parameter_schema, True),
        work_pool_name=pool.name,
        work_queue_name=pool.work_queue_name,
        job_variables=pool.job_variables,
    )
    try:
        made = RunnerDeployment._of_flow(
            flow,
            name,
            options,
            entrypoint=entrypoint,
            entrypoint_type=type_of(entrypoint),
            path=None,
            storage=PullSteps(pull),
        )
    except (InvalidNameError, ValueError) as error:
        raise ProjectError(f"The deployment {entry.label} cannot be made: {error}") from error
    # Of what nobody has said, a stored deployment keeps what it has.
    if entry.enforce_parameter_schema is None:
        made.model_fields_set.discard("enforce_parameter_schema")
    if not options.get("schedules"):
        made.model_fields_set.discard("schedules")
    return made


def _flag(name: str, value: bool | str | None, default: bool) -> bool:
    if isinstance(value, str):
        raise ProjectError(f"{name!r} is true or false, not {value!r}.")
    return default if value is None else value


def _limit(given: int | LimitEntry | str | None) -> int | ConcurrencyLimitConfig | None:
    if isinstance(given, str) or (isinstance(given, LimitEntry) and find_placeholders(given.model_dump())):
        raise ProjectError(f"Nothing fills the concurrency limit {given!r}.")
    if not isinstance(given, LimitEntry):
        said: dict[str, Any] = {"limit": given}
    else:
        said = given.model_dump(exclude_none=True)
    if said.get("limit") is None:
        return None
    if not said["limit"] > 0:
        raise ProjectError(f"A concurrency limit is a number above 0, not {said['limit']!r}.")
    if len(said) == 1:
        return said["limit"]
    try:
        return ConcurrencyLimitConfig(**said)
    except ValidationError as error:
        reasons = "; ".join(f"{each['loc'][0]}: {each['msg']}, not {each['input']!r}" for each in error.errors())
        raise ProjectError(f"The concurrency limit is not valid: {reasons}") from error


def _version_type(given: str | None) -> VersionType | None:
    if given is None:
        return None
    try:
        return VersionType(given)
    except ValueError as error:
        known = ", ".join(each.value for each in VersionType)
        raise ProjectError(f"There is no version type {given!r}. Choose one of {known}.") from error
