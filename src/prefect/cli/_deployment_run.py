"""Creates a run of a deployment from what the command line says."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from prefect.cli import _links, _output, _times
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Scheduled


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of `prefect deployment run`, as they were given."""

    job_variable: tuple[str, ...]
    param: tuple[str, ...]
    params: str | None
    start_in: str | None
    start_at: str | None
    tag: tuple[str, ...]
    watch: bool
    watch_interval: int | None
    watch_timeout: int | None
    flow_run_name: str | None


def run_deployment(client: SyncPrefectClient, deployment: DeploymentResponse, name: str, options: RunOptions) -> None:
    """Create the run, say what was made, and follow it where that is wanted."""
    if not options.watch and (options.watch_interval is not None or options.watch_timeout is not None):
        _output.fail("--watch-interval and --watch-timeout say how to --watch, which is not given.")
    parameters = _parameters(options)
    _require_known(parameters, deployment)
    job_variables = dict(_pairs(options.job_variable, "--job-variable"))
    start = _start_time(options)
    _output.echo(f"Creating flow run for deployment {name!r}...")
    run = client.create_flow_run_from_deployment(
        deployment.id,
        parameters=parameters,
        state=Scheduled(scheduled_time=start),
        name=_run_name(options.flow_run_name, {**deployment.parameters, **parameters}),
        tags=options.tag,
        job_variables=job_variables,
    )
    _tell(run, parameters, job_variables, start)
    if options.watch:
        _watch(client, run, options)


def _tell(run: FlowRun, parameters: dict[str, Any], job_variables: dict[str, Any], start: datetime) -> None:
    local = start.astimezone()
    wait = (start - datetime.now(timezone.utc)).total_seconds()
    lines = [
        f"UUID: {run.id}",
        f"Parameters: {parameters}",
        f"Job Variables: {job_variables}",
        f"Scheduled start time: {local:%Y-%m-%d %H:%M:%S %Z} ({_times.relative(start) if wait > 1 else 'now'})",
    ]
    if (page := _links.link(f"runs/flow-run/{run.id}")) is not None:
        lines.append(f"URL: {page}")
    _output.success(f"Created flow run {run.name!r}.")
    _output.echo("\n".join(f"└── {line}" for line in lines))


def _watch(client: SyncPrefectClient, run: FlowRun, options: RunOptions) -> None:
    # Imported here because few calls wait.
    from prefect.cli._flow_run_watch import watch_flow_run  # noqa: PLC0415

    final = watch_flow_run(client, run, options.watch_timeout, options.watch_interval)
    if not final.is_completed():
        _output.fail(f"Flow run {run.name!r} did not complete: {final.message or final.name}")


# -- parameters --------------------------------------------------------------------------------------------------------


def _parameters(options: RunOptions) -> dict[str, Any]:
    single = dict(_pairs(options.param, "--param"))
    if options.params is None:
        return single
    text = sys.stdin.read() if options.params == "-" else options.params
    if not text.strip():
        _output.fail("--params is empty. Give a JSON object.")
    try:
        several = json.loads(text)
    except ValueError as error:
        _output.fail(f"--params is not JSON: {error}. Give a JSON object, such as '{{\"x\": 1}}'.")
    if not isinstance(several, dict):
        _output.fail(
            f"--params is {type(several).__name__}, not an object. Give a JSON object, such as '{{\"x\": 1}}'."
        )
    if both := sorted(single.keys() & several.keys()):
        names = ", ".join(map(repr, both))
        _output.note(f"Given by --param and by --params; the value of --param is used: {names}")
    return {**several, **single}


def _pairs(given: Iterable[str], option: str) -> Iterable[tuple[str, Any]]:
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            _output.fail(f"{option} is {text!r}. Give it as key=value.")
        try:
            yield key, json.loads(value)
        except ValueError:
            yield key, value


def _require_known(parameters: dict[str, Any], deployment: DeploymentResponse) -> None:
    schema = deployment.parameter_openapi_schema
    if not schema or "properties" not in schema:
        return
    known = schema["properties"]
    if unknown := sorted(set(parameters) - set(known)):
        available = ", ".join(map(repr, known)) or "none"
        _output.fail(
            f"The deployment has no such parameters: {', '.join(map(repr, unknown))}. It has these: {available}."
        )


def _run_name(template: str | None, parameters: dict[str, Any]) -> str | None:
    if template is None:
        return None
    try:
        return template.format(**parameters)
    except (KeyError, IndexError) as error:
        _output.fail(f"--flow-run-name names the parameter {error}, which the run does not have.")
    except (ValueError, AttributeError) as error:
        _output.fail(f"--flow-run-name {template!r} cannot be filled in: {error}")


# -- times -------------------------------------------------------------------------------------------------------------


def _start_time(options: RunOptions) -> datetime:
    now = datetime.now(timezone.utc)
    if options.start_in is not None and options.start_at is not None:
        _output.fail("Only one of --start-in or --start-at can be set, not both.")
    if options.start_in is None and options.start_at is None:
        return now
    text = f"in {options.start_in}" if options.start_in is not None else str(options.start_at)
    start = _read_time(text)
    if start is None:
        _output.fail(f'Unable to read the start time {text!r}. Write it like "5 minutes" or "tomorrow 9am".')
    return start


def _read_time(text: str) -> datetime | None:
    """An instant in English, in the local time zone unless it names another."""
    # Imported here because it takes longer to load than most commands to run.
    import dateparser  # noqa: PLC0415

    preferences: Any = {"RETURN_AS_TIMEZONE_AWARE": True, "PREFER_DATES_FROM": "future"}
    found = dateparser.parse(text, languages=["en"], settings=preferences)
    return None if found is None else found.astimezone(timezone.utc)
