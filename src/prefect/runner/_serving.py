"""Behind `serve`: makes deployments, says what is served, and executes their runs until it is stopped."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from prefect.runner.runner import Runner
from prefect.settings import get_current_settings
from prefect.utilities.annotations import NotSet
from prefect.utilities.urls import url_for

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.flows import Flow


def serve_flow(flow: Flow[..., Any], name: str | None, options: dict[str, Any]) -> None:
    """Serve one flow; see `Flow.serve`."""
    _refuse_in_loop("Flow.serve", "`await prefect.aserve(flow.to_deployment(...))`")
    says_so = options.pop("print_starting_message")
    limit = options.pop("limit")
    runner = Runner(
        name=_name_of(name) if name else flow.name,
        pause_on_shutdown=options.pop("pause_on_shutdown"),
        limit=NotSet if limit is None else limit,
        webserver=options.pop("webserver"),
    )
    deployment_id = runner.add_flow(
        flow, name=runner.name, concurrency_limit=options.pop("global_limit"), **options, _sync=True
    )
    if says_so:
        _say([(f"{flow.name}/{runner.name}", deployment_id)])
    _run(runner)


def serve(deployments: Sequence[RunnerDeployment | Flow[..., Any]], says_so: bool, options: dict[str, Any]) -> None:
    """Serve deployments; see `prefect.serve`."""
    _refuse_in_loop("serve", "`await aserve(...)`")
    planned = _planned(deployments, options)
    runner = _runner_for(deployments, options)
    served: list[tuple[str, UUID]] = []
    for each in planned:
        deployment = each(_sync=True) if callable(each) else each
        served.append((deployment.full_name, runner.add_deployment(_without_pool(deployment), _sync=True)))
    if says_so:
        _say(served)
    _run(runner)


async def aserve(
    deployments: Sequence[RunnerDeployment | Flow[..., Any]], says_so: bool, options: dict[str, Any]
) -> None:
    """Serve deployments from an event loop; see `prefect.aserve`."""
    planned = _planned(deployments, options)
    runner = _runner_for(deployments, options)
    served: list[tuple[str, UUID]] = []
    for each in planned:
        deployment = await each(_sync=False) if callable(each) else each
        served.append((deployment.full_name, await runner.aadd_deployment(_without_pool(deployment))))
    if says_so:
        _say(served)
    await runner.start()


def _run(runner: Runner) -> None:
    try:
        asyncio.run(runner.start())
    except KeyboardInterrupt:
        return  # that is how serving ends


def _runner_for(deployments: Sequence[Any], options: dict[str, Any]) -> Runner:
    if not deployments:
        raise ValueError(
            "There is nothing to serve: give at least one deployment, such as `my_flow.to_deployment('name')`."
        )
    limit = options.pop("limit")
    return Runner(limit=NotSet if limit is None else limit, **options)


_FOR_FLOWS = ("tags", "parameters", "description", "version", "enforce_parameter_schema")


def _planned(
    given: Sequence[RunnerDeployment | Flow[..., Any]], options: dict[str, Any]
) -> list[RunnerDeployment | Callable[..., Any]]:
    """What is to be served: deployments, and for each flow what makes its deployment."""
    wanted = {name: options.pop(name) for name in _FOR_FLOWS if name in options}
    planned: list[RunnerDeployment | Callable[..., Any]] = []
    for each in given:
        if hasattr(each, "to_deployment"):
            flow = cast("Flow[..., Any]", each)
            planned.append(partial(flow.to_deployment, options.get("name") or flow.name, **wanted))
        elif not hasattr(each, "work_pool_name"):
            raise TypeError(
                f"Cannot serve {each!r}. Expected flows, or deployments such as `my_flow.to_deployment('name')`."
            )
        elif wanted:
            raise TypeError(
                f"{', '.join(wanted)}: `serve` takes these for flows. The deployment {each.name!r} has its own; give them "
                "to `to_deployment`."
            )
        else:
            planned.append(cast("RunnerDeployment", each))
    return planned


def _without_pool(deployment: RunnerDeployment) -> RunnerDeployment:
    if deployment.work_pool_name is None:
        return deployment
    warnings.warn(
        f"The deployment {deployment.full_name!r} has the work pool {deployment.work_pool_name!r}, which is ignored: what is"
        " served needs none. Use `deploy` to have the workers of a pool execute its runs.",
        stacklevel=4,
    )
    own = deployment.model_copy(update={"work_pool_name": None, "work_queue_name": None, "job_variables": {}})
    # As if they had never been said: what is stored is not to be changed either.
    own.model_fields_set.difference_update(("work_pool_name", "work_queue_name", "job_variables"))
    return own


def _name_of(name: str) -> str:
    """A name that is the path of a file, as in `flow.serve(__file__)`, stands for the file's own name."""
    return Path(name).stem if name.endswith(".py") or Path(name).is_file() else name


def _refuse_in_loop(function: str, instead: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"`{function}` blocks, and cannot be called in async code. Use {instead} there.")


def _say(served: Sequence[tuple[str, UUID]]) -> None:
    if len(served) == 1:
        [(name, _)] = served
        flow_name, _, _ = name.partition("/")
        lines = [f"Your flow {flow_name!r} is being served and polling for scheduled runs!", ""]
        lines += [
            "To trigger a run for this flow, use the following command:",
            "",
            f"    $ prefect deployment run {name!r}",
        ]
    else:
        lines = ["Your deployments are being served and polling for scheduled runs!", ""]
        lines += [f"    {name}" for name, _ in served]
        lines += [
            "",
            "To trigger any of them, use the following command:",
            "",
            "    $ prefect deployment run 'FLOW/DEPLOYMENT'",
        ]
    if len(served) == 1 and (page := url_for("deployment", served[0][1])) is not None:
        lines += ["", f"You can also run it in the user interface: {page}"]
    elif (pages := get_current_settings().ui_url) is not None:
        lines += ["", f"You can also run them in the user interface: {pages.rstrip('/')}/deployments"]
    print("\n".join(lines), end="\n\n", flush=True)
