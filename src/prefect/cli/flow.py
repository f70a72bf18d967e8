"""`prefect flow`: see flows."""

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
