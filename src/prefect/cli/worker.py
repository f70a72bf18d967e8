"""`prefect worker`: start workers, which take runs from work pools."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import httpx

from prefect.cli import _output, _params, _session, _work
from prefect.cli._api import connect, read_pages
from prefect.cli._commands import command_group
from prefect.cli._stopping import run_until_told
from prefect.cli._worker_types import find_worker_class, install_policy
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.workers.base import BaseWorker

worker = command_group("worker", "Start workers.")
_FALLBACK = "process"


@worker.command("start")
@_params.option("--name", "-n", help="Tells workers of a pool apart; made up by default.")
@_params.option("--pool", "-p", help="The work pool to serve.")
@_params.repeatable("--work-queue", "-q", help="Serve only this queue of it. May be given several times.")
@_params.option("--type", "-t", "type_", help="The type of the worker; that of the pool by default.")
@_params.option("--prefetch-seconds", type=click.IntRange(min=0), help="How long before its start a run may be taken.")
@_params.switch("--run-once", help="Take the runs that are due now, wait for them, and end.")
@_params.option("--limit", "-l", type=click.IntRange(min=1), help="Run at most so many at a time.")
@_params.switch("--with-healthcheck", help="Answer at /health whether the worker still asks for runs.")
@install_policy()
@_params.option("--base-job-template", help="A JSON file with the template of a pool that is made.")
@_params.switch("--create-pool-if-not-found", default=True, help="Make the pool if it is not there.")
def start(
    name: str | None,
    pool: str | None,
    work_queue: tuple[str, ...],
    type_: str | None,
    prefetch_seconds: int | None,
    run_once: bool,
    limit: int | None,
    with_healthcheck: bool,
    install_policy: str,
    base_job_template: str | None,
    create_pool_if_not_found: bool,
) -> None:
    """Serve a work pool: take runs from it, and start each in infrastructure of the worker's type.

    The worker runs until it is told to end. At the first Ctrl-C or SIGTERM it takes no more runs and waits for those
    that go; at the second, a process worker ends their processes, and others leave them alone.
    """
    if not get_current_settings().api.url:
        _output.fail(
            "A worker takes its runs from a server, and PREFECT_API_URL is not set. Start one with `prefect server start`, "
            "and set the URL with `prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`."
        )
    template = None if base_job_template is None else _work.read_template(base_job_template)
    pool_name = pool or _asked_pool()
    type_, packages = _look_around(pool_name, work_queue, type_)
    worker_class = find_worker_class(type_, packages, install_policy)
    try:
        made = worker_class(
            work_pool_name=pool_name,
            work_queues=list(work_queue),
            name=name,
            prefetch_seconds=prefetch_seconds,
            create_pool_if_not_found=create_pool_if_not_found,
            limit=limit,
            base_job_template=template,
        )
    except ValueError as error:
        _output.fail(str(error))
    _serve(made, run_once=run_once, with_healthcheck=with_healthcheck)


def _serve(made: BaseWorker[Any, Any, Any], **options: bool) -> None:
    def tell(times: int) -> bool:
        made._stop()
        going = len(made._submitting_flow_run_ids)
        if times == 1 and going:
            _output.note(
                f"Worker {made.name!r} takes no more runs, and waits for {going} to end. Once more to end now."
            )
        elif times == 2 and made._end_runs():
            _output.note(f"Worker {made.name!r} ends the {going} run(s) that go. Once more to leave without waiting.")
        return made.is_setup and (times == 1 or (times == 2 and made._end_runs()))

    from prefect.workers._loop import WorkPoolMissing  # noqa: PLC0415 - help is shown without what workers need

    try:
        has_ended = asyncio.run(run_until_told(made.start(printer=_output.echo, **options), tell))
    except WorkPoolMissing as error:
        _output.fail(str(error))
    if not has_ended:
        _output.fail(f"Worker {made.name!r} was interrupted.")


# -- what to serve ---------------------------------------------------------------------------------------------------


def _asked_pool() -> str:
    if not _session.is_interactive():
        _output.fail("Missing required option '--pool' / '-p': name the work pool to serve.")
    with connect() as client:
        pools = [pool.name for pool in read_pages(client.read_work_pools)]
    if not pools:
        _output.fail("There are no work pools. Make one with `prefect work-pool create`.")
    default = get_current_settings().deployments.default_work_pool_name
    return click.prompt("Work pool to serve", type=click.Choice(pools), default=default if default in pools else None)


def _look_around(
    pool_name: str, queues: Sequence[str], type_: str | None
) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    """The type of worker to start, and by package the types that the API knows; tells what is odd about the pool."""
    try:
        with connect() as client:
            packages = client.read_worker_metadata()
            try:
                pool = client.read_work_pool(pool_name)
            except ObjectNotFound:
                if type_ is None:
                    _output.note(
                        f"Work pool {pool_name!r} does not exist and no worker type was provided. Starting a process "
                        "worker..."
                    )
                return type_ or _FALLBACK, packages
            _tell_what_is_paused(client, pool, queues)
    except httpx.TransportError as error:
        if type_ is None:
            _output.fail(
                f"Unable to reach the Prefect API to determine the type of work pool {pool_name!r}: {error} Provide a worker "
                "type with '--type' to start a worker while the API is unavailable."
            )
        _output.note(f"The API does not answer yet: {error}")
        return type_, {}
    return type_ or _type_of(pool), packages


def _tell_what_is_paused(client: SyncPrefectClient, pool: WorkPool, queues: Sequence[str]) -> None:
    if pool.is_paused:
        _output.note(
            f"The work pool {pool.name!r} is currently paused. This worker will not execute any flow runs until the work "
            "pool is unpaused."
        )
    if not queues:
        return
    found = {queue.name: queue for queue in read_pages(client.read_work_queues, work_pool_name=pool.name)}
    for missing in (name for name in queues if name not in found):
        _output.note(
            f"The work pool {pool.name!r} has no work queue {missing!r}; it has {', '.join(map(repr, sorted(found)))}. "
            f"This worker takes runs from it once it is there: `prefect work-queue create {missing} --pool {pool.name}`."
        )
    if any(found[name].is_paused for name in queues if name in found):
        _output.note(
            f"Specified work queue(s) in the work pool {pool.name!r} are currently paused. This worker will not execute any "
            "flow runs until the work queues are unpaused."
        )


def _type_of(pool: WorkPool) -> str:
    _output.echo(f"Discovered type {pool.type!r} for work pool {pool.name!r}.")
    if pool.is_push_pool or pool.is_managed_pool:
        _output.fail(
            f"Workers are not required for work pools of type {pool.type!r}: the cloud product runs what they hold. A "
            "self-hosted server does not; use a pool of another type there."
        )
    if pool.type == "prefect-agent":
        _output.fail(
            f"The work pool {pool.name!r} is of type 'prefect-agent', for agents of earlier versions. Make one for workers "
            "with `prefect work-pool create`."
        )
    return pool.type
