"""Serves a flow that the command line names."""

from prefect.cli import _output
from prefect.cli._schedules import schedule_of
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import InvalidNameError, MissingFlowError, ScriptError
from prefect.flows import load_flow_from_entrypoint, serve
from prefect.runner._session import APIGivenUp


def serve_entrypoint(
    entrypoint: str,
    *,
    name: str,
    description: str | None,
    version: str | None,
    tag: tuple[str, ...],
    cron: str | None,
    interval: int | None,
    anchor_date: str | None,
    rrule: str | None,
    timezone: str | None,
    pause_on_shutdown: bool,
    limit: int | None,
    global_limit: int | None,
) -> None:
    """Serve the flow of an entrypoint. The other arguments are the options of `prefect flow serve`."""
    schedule = schedule_of(interval, anchor_date, rrule, cron, True, timezone)
    try:
        deployment = RunnerDeployment.from_entrypoint(
            entrypoint,
            name,
            schedules=None if schedule is None else [schedule],
            description=description,
            version=version,
            tags=list(tag),
            concurrency_limit=global_limit,
        )
        # What does not load here could be deployed, but its runs, which are executed here too, would all crash.
        load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    except (MissingFlowError, ScriptError, ImportError, OSError) as error:
        _output.fail(f"Cannot load a flow from {entrypoint!r}: {error}")
    except InvalidNameError as error:
        _output.fail(str(error))
    try:
        serve(deployment, pause_on_shutdown=pause_on_shutdown, limit=limit)
    except (DeploymentApplyError, APIGivenUp) as error:
        _output.fail(str(error))
