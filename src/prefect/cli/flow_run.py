"""`prefect flow-run`: see and control flow runs."""

from collections.abc import Iterable
from uuid import UUID

import click

from prefect.cli import _links, _output, _params, _run_states
from prefect.cli._api import PAGE_SIZE, connect, missing_is
from prefect.cli._commands import command_group
from prefect.cli._run_logs import print_logs, select_logs
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter, LogFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort

flow_run = command_group("flow-run", "See and control flow runs.")


@flow_run.command("ls")
@_params.repeatable("--flow-name", help="Only runs of this flow. May be given several times.")
@_params.option("--limit", type=click.IntRange(min=0), default=15, show_default=True, help="List at most so many.")
@_params.repeatable("--state", help="Only runs in a state of this name. May be given several times.")
@_params.repeatable("--state-type", help="Only runs in a state of this type. May be given several times.")
@_params.output()
def ls(
    flow_name: tuple[str, ...], limit: int, state: tuple[str, ...], state_type: tuple[str, ...], as_json: bool
) -> None:
    """List flow runs, the newest first."""
    conditions = _run_states.state_conditions(state, state_type)
    chosen = FlowRunFilter.model_validate(conditions) if conditions else None
    flows = FlowFilter.model_validate({"name": {"any_": list(flow_name)}}) if flow_name else None
    with connect() as client:
        runs = _run_states.read_newest(
            client.read_flow_runs, limit, FlowRunSort, flow_filter=flows, flow_run_filter=chosen
        )
        names = {} if as_json else _flow_names(client, runs)
    if as_json:
        _output.print_json(runs)
        return
    if not runs:
        _output.echo("No flow runs found.")
        return
    rows = [
        (
            str(run.id),
            names.get(run.flow_id, "-"),
            run.name,
            _run_states.state_cell(run.state),
            _run_states.when(run.state),
        )
        for run in runs
    ]
    columns = [
        _run_states.id_column(),
        ("Flow", {"style": "blue"}),
        ("Name", {"style": "green"}),
        _run_states.state_column(),
        "When",
    ]
    _output.print_table("Flow Runs", columns, rows)


@flow_run.command("inspect")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID)
@_params.switch("--web", help="Open the flow run in the web interface instead.")
@_params.output()
def inspect(id: UUID, web: bool, as_json: bool) -> None:
    """Show a flow run."""
    with connect() as client:
        run = _read(client, id)
    if web:
        _links.open_page(f"runs/flow-run/{id}", f"flow run '{id}'")
    elif as_json:
        _output.print_json(run)
    else:
        show(run)


@flow_run.command("delete")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID)
def delete(id: UUID) -> None:
    """Delete a flow run."""
    with connect() as client:
        run = _read(client, id)
        _output.confirm_or_abort(f"Delete flow run {run.name!r} ({id})?")
        with missing_is(_not_found(id)):
            client.delete_flow_run(id)
    _output.success(f"Deleted flow run '{id}'.")


@flow_run.command("cancel")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID)
def cancel(id: UUID) -> None:
    """Cancel a flow run. Whatever executes it ends it."""
    with connect() as client, missing_is(_not_found(id)):
        result = client.set_flow_run_state(id, State(type=StateType.CANCELLING))
    if result.status is SetStateStatus.ABORT:
        reason = getattr(result.details, "reason", None) or "no reason was given"
        _output.fail(f"Flow run '{id}' cannot be cancelled: {reason}")
    _output.success(f"Flow run '{id}' is scheduled for cancellation.")


@flow_run.command("retry")
@_params.argument("id_or_name", "--id-or-name", "Id or name of the flow run.")
@_params.option(
    "--entrypoint", "-e", help="Where the flow is, as path/to/file.py:function. Needed for runs without a deployment."
)
def retry(id_or_name: str, entrypoint: str | None) -> None:
    """Run a finished flow run again.

    A run of a deployment is scheduled, and a worker picks it up. Any other is executed here and now.
    """
    # Imported here because only this command runs flows.
    from prefect.cli._flow_run_retry import retry_flow_run  # noqa: PLC0415

    with connect() as client:
        retry_flow_run(client, id_or_name, entrypoint)


@flow_run.command("execute")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID, required=False)
def execute(id: UUID | None) -> None:
    """Execute a flow run in a process and a folder of its own; what containers are started with.

    Without an id, the run is taken that PREFECT__FLOW_RUN_ID names. The code of its deployment is brought to the folder
    first. How the flow ends is seen in the state of the run, not in the exit code.

    On SIGTERM the run crashes, unless PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR says otherwise: `reschedule` has
    it started anew, and `relinquish` leaves it as it is, for infrastructure that starts it again.
    """
    # Imported here because only this command runs flows.
    from prefect.cli._flow_run_execute import Execution, flow_run_id_of  # noqa: PLC0415

    id = flow_run_id_of(id)
    with connect(is_patient=True) as client:
        run = _read(client, id)
    if run.state is not None and run.state.is_final():
        _output.note(f"Flow run {run.name!r} has ended already, in state {run.state.name!r}.")
        return
    Execution(run).run()


@flow_run.command("logs")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID)
@_params.switch("--head", "-h", help="Print the oldest logs.")
@_params.option(
    "--num-logs",
    "-n",
    type=click.IntRange(min=0),
    help="Print so many: by default 20 with --head or --tail, and all without.",
)
@_params.switch("--reverse", "-r", help="Print the newest first.")
@_params.switch("--tail", "-t", help="Print the newest logs.")
@_params.output()
def logs(id: UUID, head: bool, num_logs: int | None, reverse: bool, tail: bool, as_json: bool) -> None:
    """Print the logs of a flow run and its task runs, the oldest first."""
    chosen = LogFilter.model_validate({"flow_run_id": {"any_": [id]}})
    with connect() as client:
        name = _read(client, id).name
        print_logs(select_logs(client, chosen, head, tail, num_logs, reverse), f"Flow run {name!r}", as_json)


@flow_run.command("watch")
@_params.argument("id", "--id", "Id of the flow run.", type=click.UUID)
@_params.option("--timeout", type=click.IntRange(min=0), help="Give up after so many seconds. Never by default.")
def watch(id: UUID, timeout: int | None) -> None:
    """Follow a flow run until it ends. Fails unless it completes."""
    # Imported here because only this command waits.
    from prefect.cli._flow_run_watch import watch_flow_run  # noqa: PLC0415

    with connect() as client:
        run = _read(client, id)
    if run.state is not None and run.state.is_final():
        final = run.state
        _output.echo(f"Flow run {run.name!r} has finished already, in state {final.name!r}.")
    else:
        with connect(is_patient=True) as client:
            final = watch_flow_run(client, run, timeout)
    if not final.is_completed():
        _output.fail(f"Flow run {run.name!r} did not complete: {final.message or final.name}")


def _read(client: SyncPrefectClient, id: UUID) -> FlowRun:
    with missing_is(_not_found(id)):
        return client.read_flow_run(id)


def _flow_names(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> dict[UUID, str]:
    ids = list({run.flow_id for run in runs})
    pages = (ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE))
    return {
        flow.id: flow.name
        for page in pages
        for flow in client.read_flows(flow_filter=FlowFilter.model_validate({"id": {"any_": page}}), limit=PAGE_SIZE)
    }


def _not_found(id: UUID) -> str:
    return f"Flow run '{id}' not found."
