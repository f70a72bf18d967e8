"""Deploys to a work pool: builds and pushes the image, stores the deployments, and says what to do next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import _upcalls
from prefect._asking import ask
from prefect._code_storage.places import LocalStorage
from prefect._compat.dispatch import async_dispatch
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.client._calls.work_pools import read_work_pool, read_workers_for_work_pool
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
from prefect.client.schemas.objects import WorkerStatus, WorkPool
from prefect.deployments import _messages
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.docker.docker_image import DockerImage


async def adeploy(
    *deployments: RunnerDeployment,
    work_pool_name: str | None = None,
    image: str | DockerImage | None = None,
    build: bool = True,
    push: bool = True,
    print_next_steps_message: bool = True,
    ignore_warnings: bool = False,
) -> list[UUID]:
    """`deploy` for async code."""
    plan = deploy_plan(deployments, work_pool_name, image, build, push, print_next_steps_message, ignore_warnings)
    return await run_plan_async(plan)


@async_dispatch(adeploy)
def deploy(
    *deployments: RunnerDeployment,
    work_pool_name: str | None = None,
    image: str | DockerImage | None = None,
    build: bool = True,
    push: bool = True,
    print_next_steps_message: bool = True,
    ignore_warnings: bool = False,
) -> list[UUID]:
    """Deploy flows to a work pool, whose workers will run them.

    Args:
        *deployments: Made by `flow.to_deployment(…)`.
        work_pool_name: The work pool; by default that of the setting `deployments.default_work_pool_name`.
        image: The image of the runs: the name of one, or how it is built. The flows are copied into it, unless they were
            loaded `from_source`.
        build: Whether the image is built now. Otherwise there is one of that name.
        push: Whether the image that was built is pushed to its registry.
        print_next_steps_message: Print how runs are started.
        ignore_warnings: Print no hint that `serve` may be enough.

    Returns:
        The ids of the deployments. Of several, those that could not be applied are told of in a table and left out.

    Raises:
        ValueError: There is no such work pool, it takes no images, or its workers would not find the code.
        DeploymentApplyError: The API refuses the only deployment.
    """
    plan = deploy_plan(deployments, work_pool_name, image, build, push, print_next_steps_message, ignore_warnings)
    return run_plan(plan)


def deploy_plan(
    deployments: Sequence[RunnerDeployment],
    work_pool_name: str | None,
    image: str | DockerImage | None,
    build: bool = True,
    push: bool = True,
    print_next_steps: bool = True,
    ignore_warnings: bool = False,
) -> Plan[list[UUID]]:
    """Deploy to a work pool. The arguments are those of `deploy`."""
    _require_deployments(deployments)
    pool = yield from _pool_plan(work_pool_name)
    if image is None:
        deployments = [_with_code(each, pool) for each in deployments]
    if pool.type == "process" and not ignore_warnings:
        _messages.hint_at_serve()
    reference = None
    if image is not None:
        _require_images(pool)
        reference = yield from _image_plan(image, build, push)
    ids = yield from _apply_all_plan(deployments, pool, reference)
    if print_next_steps and ids:
        needs_worker = not (pool.is_push_pool or pool.is_managed_pool) and not (yield from _has_worker_plan(pool))
        _messages.say_what_is_next(deployments, ids, pool.name if needs_worker else None)
    return ids


def _require_deployments(deployments: Sequence[Any]) -> None:
    for each in deployments:
        if hasattr(each, "__await__"):
            each.close()
            raise TypeError(
                "Expected deployments, not coroutines: in async code, await what makes them, as in `await"
                " flow.to_deployment(…)`."
            )
        if not hasattr(each, "apply"):
            raise TypeError(f"Expected a deployment, made by `flow.to_deployment(…)`, not {each!r}.")


def _pool_plan(name: str | None) -> Plan[WorkPool]:
    name = name or get_current_settings().deployments.default_work_pool_name
    if not name:
        raise ValueError(
            "No work pool name provided. Please provide a `work_pool_name` or set the"
            " `PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME` environment variable."
        )
    try:
        return (yield ask(read_work_pool(name)))
    except ObjectNotFound:
        raise ValueError(
            f"Could not find work pool {name!r}. Please create it before deploying this flow: `prefect work-pool create"
            f" {name} --type …`."
        ) from None


def _with_code(deployment: RunnerDeployment, pool: WorkPool) -> RunnerDeployment:
    """The deployment with a place where workers find its flow; there is no image that has it.

    The workers of a process pool are taken to be on this machine, and to find the code where it is now.

    Raises:
        ValueError: They would not find it.
    """
    if deployment.storage is not None or deployment.entrypoint_type is EntrypointType.MODULE_PATH:
        return deployment
    if pool.type == "process":
        return deployment.model_copy(update={"storage": LocalStorage(str(Path.cwd()))})
    raise ValueError(
        f"Either an image or remote storage location must be provided when deploying {deployment.full_name!r} to the work"
        f" pool {pool.name!r}, or its workers have no code to run. Give an `image`; or take the flow from where they find"
        " it: `flow.from_source(source, entrypoint)`."
    )


def _require_images(pool: WorkPool) -> None:
    variables = (pool.base_job_template.get("variables") or {}).get("properties") or {}
    if "image" not in variables and "block" not in variables:
        raise ValueError(
            f"Work pool {pool.name!r} does not support custom Docker images: its job template has no variable `image`. Use"
            " another pool, or give no image and take the flow `from_source(…)`. To run it on this machine, `flow.serve()`"
            " is enough."
        )


# -- the image ---------------------------------------------------------------------------------------------------------


def _image_plan(image: str | DockerImage, build: bool, push: bool) -> Plan[str]:
    if isinstance(image, str):
        if not build:
            # The name of an image that there is.
            return image
        image = _as_image(image)
    if build:
        _messages.say(f"Building image {image.reference}...")
        yield Pair(_call, _call_in_thread, image.build)
        _messages.say_done(f"Successfully built image {image.reference!r}")
        if push:
            _messages.say("Pushing image...")
            yield Pair(_call, _call_in_thread, image.push)
            _messages.say_done(f"Successfully pushed image {image.reference!r}")
    return image.reference


def _as_image(name: str) -> DockerImage:
    return _upcalls.resolve("docker_image")(name)


def _call(function: Callable[[], None]) -> None:
    function()


async def _call_in_thread(function: Callable[[], None]) -> None:
    await asyncio.to_thread(function)


# -- the deployments ---------------------------------------------------------------------------------------------------


def _apply_all_plan(deployments: Sequence[RunnerDeployment], pool: WorkPool, image: str | None) -> Plan[list[UUID]]:
    ids: list[UUID] = []
    outcomes: list[tuple[str, Exception | None]] = []
    for each in deployments:
        try:
            ids.append((yield Pair(_apply, _aapply, each, pool.name, image)))
            outcomes.append((each.full_name, None))
        except Exception as error:
            if len(deployments) == 1:
                raise
            # One that cannot be applied keeps no other from being applied; all are told of together.
            outcomes.append((each.full_name, error))
    _messages.show_outcomes(outcomes)
    return ids


def _apply(deployment: RunnerDeployment, pool: str, image: str | None) -> UUID:
    return deployment.apply(work_pool_name=pool, image=image, _sync=True)


async def _aapply(deployment: RunnerDeployment, pool: str, image: str | None) -> UUID:
    return await deployment.aapply(work_pool_name=pool, image=image)


def _has_worker_plan(pool: WorkPool) -> Plan[bool]:
    online = WorkerFilter(status=WorkerFilterStatus(any_=[WorkerStatus.ONLINE]))
    return bool((yield ask(read_workers_for_work_pool(pool.name, worker_filter=online, limit=1))))
