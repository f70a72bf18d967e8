"""`prefect deployment`: see, run and delete deployments."""

from typing import Any
from uuid import UUID

import click

from prefect.cli import _output, _params
from prefect.cli._api import connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._deployments import flow_names, read_deployment
from prefect.cli._run_states import id_column
from prefect.cli._show import show
from prefect.cli.deployment_schedule import schedule
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.sorting import DeploymentSort
from prefect.exceptions import ObjectNotFound

deployment = command_group("deployment", "Work with deployments.")
deployment.add_command(schedule)

_PAUSED = " (**)"


@deployment.command("ls")
@_params.argument("flow_name", "--flow_name", "Only deployments of these flows.", required=False, many=True)
@_params.switch("--by-created", help="Sort by the time of creation, the newest first, instead of by name.")
@_params.output()
def ls(flow_name: tuple[str, ...], by_created: bool, as_json: bool) -> None:
    """List deployments."""
    flows = FlowFilter.model_validate({"name": {"any_": list(flow_name)}}) if flow_name else None
    sort = DeploymentSort.CREATED_DESC if by_created else DeploymentSort.NAME_ASC
    with connect() as client:
        found = list(read_pages(client.read_deployments, flow_filter=flows, sort=sort))
        names = {} if as_json else flow_names(client, found)
    if as_json:
        _output.print_json(found)
        return
    if not found:
        _output.echo("No deployments found.")
        return
    rows = [
        (
            f"{names.get(each.flow_id, '-')}/{each.name}{_PAUSED if each.paused else ''}",
            str(each.id),
            each.work_pool_name or "",
        )
        for each in found
    ]
    if not by_created:
        rows.sort()
    caption = "(**) denotes a paused deployment" if any(each.paused for each in found) else ""
    _output.print_table("Deployments", [("Name", {"style": "blue"}), id_column(), "Work Pool"], rows, caption)


@deployment.command("inspect")
@_params.argument("name", "--name", "The deployment, as <flow name>/<deployment name>.")
@_params.output()
def inspect(name: str, as_json: bool) -> None:
    """Show a deployment."""
    with connect() as client:
        found = read_deployment(client, name)
        details = found.model_dump(mode="json", exclude={"concurrency_limit"})
        details["concurrency_limit"] = None
        details["flow_name"] = name.partition("/")[0]
        details["automations"] = [each.model_dump(mode="json") for each in _automations(client, found.id)]
    if as_json:
        _output.print_json(details)
    else:
        show({key: value for key, value in details.items() if value not in (None, [], {}, "")})


def _automations(client: Any, deployment_id: UUID) -> list[Any]:
    # A server that knows no automations has none of this deployment either.
    try:
        return client.read_resource_related_automations(f"prefect.deployment.{deployment_id}")
    except ObjectNotFound:
        return []


@deployment.command("delete")
@_params.argument("name", "--name", "The deployment, as <flow name>/<deployment name>.", required=False)
@_params.option("--id", type=click.UUID, help="Id of the deployment.")
@_params.switch("--all", help="Delete all deployments.")
def delete(name: str | None, id: UUID | None, all: bool) -> None:
    """Delete a deployment, or all of them."""
    if all and (name is not None or id is not None):
        _output.fail("Give the name or the id of a deployment, or --all, but not both.")
    if not all and name is None and id is None:
        _output.fail("Must provide a deployment name or id, or --all.")
    with connect() as client:
        if not all:
            found = read_deployment(client, name, id)
            _output.confirm_or_abort(f"Delete deployment {name or str(id)!r}?")
            with missing_is(f"Deployment {name or str(id)!r} not found."):
                client.delete_deployment(found.id)
            _output.success(f"Deleted deployment {name or str(id)!r}.")
            return
        every = list(read_pages(client.read_deployments))
        if not every:
            _output.echo("No deployments found.")
            return
        _output.confirm_or_abort(f"Delete all {len(every)} deployments?")
        for each in every:
            client.delete_deployment(each.id)
        _output.success(f"Deleted {len(every)} deployment{'' if len(every) == 1 else 's'}.")


@deployment.command("run")
@_params.argument("name", "--name", "The deployment, as <flow name>/<deployment name>.", required=False)
@_params.option("--id", help="Id of the deployment.")
@_params.repeatable("--job-variable", "-jv", help="A job variable, as key=value. May be given several times.")
@_params.repeatable("--param", "-p", help="A parameter, as key=value; the value is read as JSON, else it is text.")
@_params.option("--params", help="Parameters as a JSON object; - reads them from stdin.")
@_params.option("--start-in", help='How long to wait, such as "5 minutes".')
@_params.option("--start-at", help='When to start, such as "tomorrow 9am".')
@_params.repeatable("--tag", help="A tag of the run. May be given several times.")
@_params.switch("--watch", help="Follow the run until it ends. Fails unless it completes.")
@_params.option("--watch-interval", type=click.IntRange(min=1), help="Look so many seconds apart.")
@_params.option("--watch-timeout", type=click.IntRange(min=0), help="Give up after so many seconds.")
@_params.option("--flow-run-name", help="Name of the run; {parameter} stands for the value of a parameter.")
def run(name: str | None, id: str | None, **options: Any) -> None:
    """Create a run of a deployment. A worker or a served flow executes it."""
    # Imported here because only this command needs it.
    from prefect.cli._deployment_run import RunOptions, run_deployment  # noqa: PLC0415

    if (name is None) == (id is None):
        _output.fail("Give either the name of a deployment or its --id.")
    with connect() as client:
        found = read_deployment(client, name, None if id is None else _as_uuid(id))
        run_deployment(client, found, name or str(found.id), RunOptions(**options))


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        _output.fail(f"Deployment {text!r} not found: that is no id. Give a UUID, or the name in place of --id.")
