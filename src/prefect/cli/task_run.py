"""`prefect task-run`: see task runs."""

from uuid import UUID

import click

from prefect.cli import _links, _output, _params, _run_states
from prefect.cli._api import connect, missing_is
from prefect.cli._commands import command_group
from prefect.cli._run_logs import print_logs, select_logs
from prefect.cli._show import show
from prefect.client.schemas.filters import LogFilter, TaskRunFilter
from prefect.client.schemas.sorting import TaskRunSort

task_run = command_group("task-run", "See task runs.")


@task_run.command("ls")
@_params.repeatable("--task-run-name", help="Only runs of this name. May be given several times.")
@_params.option("--limit", type=click.IntRange(min=0), default=15, show_default=True, help="List at most so many.")
@_params.repeatable("--state", help="Only runs in a state of this name. May be given several times.")
@_params.repeatable("--state-type", help="Only runs in a state of this type. May be given several times.")
@_params.output()
def ls(
    task_run_name: tuple[str, ...], limit: int, state: tuple[str, ...], state_type: tuple[str, ...], as_json: bool
) -> None:
    """List task runs, the newest first."""
    conditions = _run_states.state_conditions(state, state_type)
    if task_run_name:
        conditions["name"] = {"any_": list(task_run_name)}
    chosen = TaskRunFilter.model_validate(conditions) if conditions else None
    with connect() as client:
        runs = _run_states.read_newest(client.read_task_runs, limit, TaskRunSort, task_run_filter=chosen)
    if as_json:
        _output.print_json(runs)
        return
    if not runs:
        _output.echo("No task runs found.")
        return
    rows = [
        (str(run.id), run.task_key, run.name or "-", _run_states.state_cell(run.state), _run_states.when(run.state))
        for run in runs
    ]
    columns = [
        _run_states.id_column(),
        ("Task", {"style": "blue"}),
        ("Name", {"style": "green"}),
        _run_states.state_column(),
        "When",
    ]
    _output.print_table("Task Runs", columns, rows)


@task_run.command("inspect")
@_params.argument("id", "--id", "Id of the task run.", type=click.UUID)
@_params.switch("--web", help="Open the task run in the web interface instead.")
@_params.output()
def inspect(id: UUID, web: bool, as_json: bool) -> None:
    """Show a task run."""
    with connect() as client, missing_is(f"Task run '{id}' not found."):
        run = client.read_task_run(id)
    if web:
        _links.open_page(f"runs/task-run/{id}", f"task run '{id}'")
    elif as_json:
        _output.print_json(run)
    else:
        show(run)


@task_run.command("logs")
@_params.argument("id", "--id", "Id of the task run.", type=click.UUID)
@_params.switch("--head", "-h", help="Print the oldest logs.")
@_params.option(
    "--num-logs",
    "-n",
    type=click.IntRange(min=0),
    default=20,
    help="Print so many: by default 20, and all without --head or --tail.",
)
@_params.switch("--reverse", "-r", help="Print the newest first.")
@_params.switch("--tail", "-t", help="Print the newest logs.")
@_params.output()
@click.pass_context
def logs(context: click.Context, id: UUID, head: bool, num_logs: int, reverse: bool, tail: bool, as_json: bool) -> None:
    """Print the logs of a task run, the oldest first."""
    is_default = context.get_parameter_source("num_logs") is click.core.ParameterSource.DEFAULT
    chosen = LogFilter.model_validate({"task_run_id": {"any_": [id]}})
    with connect() as client:
        with missing_is(f"Task run '{id}' not found."):
            name = client.read_task_run(id).name
        selected = select_logs(client, chosen, head, tail, None if is_default else num_logs, reverse)
        print_logs(selected, f"Task run {name!r}", as_json)
