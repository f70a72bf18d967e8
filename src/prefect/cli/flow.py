"""`prefect flow`: see and serve flows."""

from typing import Any

import click

from prefect.cli import _output, _params, _times
from prefect.cli._api import connect, read_pages
from prefect.cli._commands import command_group
from prefect.cli._run_states import id_column
from prefect.client.schemas.sorting import FlowSort

flow = command_group("flow", "See and serve flows.")


@flow.command("ls")
@_params.option("--limit", type=click.IntRange(min=0), default=15, show_default=True, help="List at most so many.")
@_params.output()
def ls(limit: int, as_json: bool) -> None:
    """List flows, the newest first."""
    with connect() as client:
        flows = list(read_pages(client.read_flows, limit, sort=FlowSort.CREATED_DESC))
    if as_json:
        _output.print_json(flows)
        return
    if not flows:
        _output.echo("No flows found.")
        return
    rows = [(str(item.id), item.name, _times.relative(item.created) if item.created else "-") for item in flows]
    _output.print_table("Flows", [id_column(), ("Name", {"style": "green"}), "Created"], rows)


@flow.command("serve")
@_params.argument("entrypoint", "--entrypoint", "The flow, as path/to/file.py:flow or package.module.flow.")
@_params.option("--name", "-n", required=True, help="Name of the deployment.")
@_params.option("--description", "-d", help="Describes the deployment; by default as the flow does.")
@_params.option("--version", "-v", help="Version of the deployment.")
@_params.repeatable("--tag", "-t", help="Tag of its runs. May be given several times.")
@_params.option("--cron", help="Run it at the times of this cron line.")
@_params.option("--interval", type=click.IntRange(min=1), help="Run it every so many seconds.")
@_params.option("--anchor-date", help="An instant from which the interval is counted, in ISO 8601.")
@_params.option("--rrule", help="Run it by this recurrence rule (RFC 5545).")
@_params.option("--timezone", help="Time zone of the schedule, such as America/New_York.")
@_params.switch("--pause-on-shutdown", default=True, help="Pause the schedule in the end.")
@_params.option("--limit", type=click.IntRange(min=1), help="Execute at most so many runs at a time here.")
@_params.option("--global-limit", type=click.IntRange(min=1), help="Let at most so many runs go at a time anywhere.")
def serve(entrypoint: str, **options: Any) -> None:
    """Make a deployment of a flow and execute its runs, until Ctrl-C or SIGTERM."""
    # Imported here because only this command executes runs.
    from prefect.cli._flow_serve import serve_entrypoint  # noqa: PLC0415

    serve_entrypoint(entrypoint, **options)
