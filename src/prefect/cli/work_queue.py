"""`prefect work-queue`: the queues in which the runs of a work pool wait."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.cli import _output, _params, _session, _work
from prefect.cli._api import compose, connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkQueueUpdate
from prefect.client.schemas.filters import WorkQueueFilter, WorkQueueFilterName
from prefect.client.schemas.objects import DEFAULT_AGENT_WORK_POOL_NAME, WorkQueue
from prefect.exceptions import ObjectAlreadyExists

work_queue = command_group("work-queue", "Work with work queues.")
_NAME = _params.argument("name", "--name", "Name or id of the work queue.")
_POOL = _params.option("--pool", "-p", help="The work pool of the queue; that of the agents if not given.")


@work_queue.command("create")
@_params.argument("name", "--name", "Name of the work queue.")
@_params.option("--limit", "-l", type=int, help="How many runs may go at a time.")
@_POOL
@_params.option("--priority", "-q", type=int, help="Its place; 1 is served first. The last one by default.")
def create(name: str, limit: int | None, pool: str | None, priority: int | None) -> None:
    """Create a work queue."""
    compose(WorkQueueUpdate, concurrency_limit=limit, priority=priority)
    with connect() as client:
        try:
            with missing_is(f"Work pool {pool!r} not found."):
                made = client.create_work_queue(name, concurrency_limit=limit, priority=priority, work_pool_name=pool)
        except ObjectAlreadyExists:
            _output.fail(f"Work queue {name!r} already exists{_in(pool)}.")
    _output.success(f"Created work queue {made.name!r} in work pool {made.work_pool_name!r}.")
    _output.echo(f"\n  id: {made.id}\n  priority: {made.priority}\n  concurrency limit: {made.concurrency_limit}\n")
    _output.echo(f"Start a worker for it: prefect worker start -p {made.work_pool_name} -q {made.name}")


@work_queue.command("ls")
@_params.switch("--verbose", "-v", help="Show when they were asked last, too.")
@_params.option("--match", "-m", help="Only queues whose names start so.")
@_POOL
@_params.output()
def ls(verbose: bool, match: str | None, pool: str | None, as_json: bool) -> None:
    """List the work queues of a pool, or of all."""
    wanted = None if not match else WorkQueueFilter(name=WorkQueueFilterName(startswith_=[match]))
    with connect() as client, missing_is(f"Work pool {pool!r} not found."):
        queues = list(read_pages(client.read_work_queues, work_pool_name=pool, work_queue_filter=wanted))
    if as_json:
        _output.print_json(queues)
        return
    columns: list[Any] = [("Name", {"style": "green"})]
    columns += ["Pool", ("ID", {"style": "cyan"})] if pool is None else [("Priority", {"style": "magenta"})]
    columns += [("Concurrency Limit", {"style": "blue"}), *(["Status", "Last Polled"] if verbose else [])]
    rows = [_row(queue, of_all=pool is None, verbose=verbose) for queue in queues]
    title = "Work Queues" if pool is None else f"Work Queues in Work Pool {pool!r}"
    _output.print_table(title, columns, rows, caption="(**) denotes a paused queue")


def _row(queue: WorkQueue, *, of_all: bool, verbose: bool) -> list[str]:
    place = [queue.work_pool_name or "-", str(queue.id)] if of_all else [str(queue.priority)]
    row = [_work.named(queue.name, queue.is_paused), *place, _work.limit_text(queue.concurrency_limit)]
    if verbose:
        status = "-" if queue.status is None else queue.status.value
        row += [status, "-" if queue.last_polled is None else queue.last_polled.isoformat(" ", "seconds")]
    return row


@work_queue.command("inspect")
@_NAME
@_POOL
@_params.output()
def inspect(name: str, pool: str | None, as_json: bool) -> None:
    """Show a work queue, and whether its runs are taken in time."""
    with connect() as client:
        queue = _read(client, name, pool)
        status = client.read_work_queue_status(queue.id)
    if as_json:
        _output.print_json({**queue.model_dump(mode="json"), "status_details": status.model_dump(mode="json")})
    else:
        show(queue)
        show(status)


@work_queue.command("pause")
@_NAME
@_POOL
def pause(name: str, pool: str | None) -> None:
    """Hand out no runs of a work queue."""
    if pool is None and _session.is_interactive():
        question = f"Pause the work queue {name!r} of the work pool {DEFAULT_AGENT_WORK_POOL_NAME!r}?"
        _output.confirm_or_abort(question)
    _update(name, pool, is_paused=True)
    _output.success(f"Paused work queue {name!r}{_in(pool)}")


@work_queue.command("resume")
@_NAME
@_POOL
def resume(name: str, pool: str | None) -> None:
    """Hand out the runs of a paused work queue again."""
    _update(name, pool, is_paused=False)
    _output.success(f"Resumed work queue {name!r}{_in(pool)}")


@work_queue.command("set-concurrency-limit")
@_NAME
@_params.argument("limit", "--limit", "How many runs may go at a time.", type=int)
@_POOL
def set_concurrency_limit(name: str, limit: int, pool: str | None) -> None:
    """Limit how many runs of a work queue go at a time."""
    _update(name, pool, concurrency_limit=limit)
    _output.success(f"Concurrency limit of {limit} set on work queue {name!r}{_in(pool)}")


@work_queue.command("clear-concurrency-limit")
@_NAME
@_POOL
def clear_concurrency_limit(name: str, pool: str | None) -> None:
    """Let any number of runs of a work queue go at a time."""
    _update(name, pool, concurrency_limit=None)
    _output.success(f"Concurrency limits removed on work queue {name!r}{_in(pool)}")


@work_queue.command("preview")
@_NAME
@_params.option("--hours", "-h", type=int, help="How far to look ahead; one hour by default.")
@_POOL
@_params.output()
def preview(name: str, hours: int | None, pool: str | None, as_json: bool) -> None:
    """Show the runs that wait in a work queue."""
    with connect() as client:
        runs = _work.scheduled_runs(client, hours, queue_id=_read(client, name, pool).id)
    _work.show_preview(runs, as_json, f"work queue {name!r}")


@work_queue.command("slots")
@_NAME
@_POOL
@_params.output()
def slots(name: str, pool: str | None, as_json: bool) -> None:
    """Show which runs hold the slots of a work queue."""
    with connect() as client:
        status = client.read_work_queue_concurrency_status(_read(client, name, pool).id)
    if as_json:
        _output.print_json(status)
        return
    holders = [((), run) for run in status.flow_runs]
    _work.show_slots(f"Work Queue: {name}", status.active_slots, status.concurrency_limit, holders)


@work_queue.command("read-runs")
@_NAME
@_POOL
def read_runs(name: str, pool: str | None) -> None:
    """Show the runs that a worker of a work queue would be told of."""
    with connect() as client:
        queue = _read(client, name, pool)
        runs = client.get_runs_in_work_queue(queue.id, limit=200)
    _output.success(f"Read {len(runs)} runs for work queue {name!r}{_in(queue.work_pool_name)}")
    for run in runs:
        _output.echo(f"{run.id}  {run.name}")


@work_queue.command("delete")
@_NAME
@_POOL
def delete(name: str, pool: str | None) -> None:
    """Delete a work queue."""
    with connect() as client:
        queue = _read(client, name, pool)
        _output.confirm_or_abort(f"Delete work queue {name!r}{_in(pool)}?")
        with missing_is(_not_found(name, pool)):
            client.delete_work_queue_by_id(queue.id)
    _output.success(f"Deleted work queue {name!r}{_in(pool)}")


def _update(name: str, pool: str | None, **changes: Any) -> None:
    compose(WorkQueueUpdate, **changes)
    with connect() as client:
        queue = _read(client, name, pool)
        with missing_is(_not_found(name, pool)):
            client.update_work_queue(queue.id, **changes)


def _read(client: SyncPrefectClient, name: str, pool: str | None) -> WorkQueue:
    with missing_is(_not_found(name, pool)):
        try:
            id = UUID(name)
        except ValueError:
            return client.read_work_queue_by_name(name, work_pool_name=pool)
        return client.read_work_queue(id)


def _not_found(name: str, pool: str | None) -> str:
    return f"Work queue {name!r} not found{_in(pool)}."


def _in(pool: str | None) -> str:
    return f" in work pool {pool!r}" if pool else ""
