"""`prefect work-pool`: what runs of deployments wait in for workers of one type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from pydantic_core import to_jsonable_python

from prefect.cli import _links, _output, _params, _session, _work
from prefect.cli._api import compose, connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._show import show
from prefect.cli._work_pool_storage import storage
from prefect.cli._worker_types import known_types
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings.profiles import update_current_profile

work_pool = command_group("work-pool", "Work with work pools.")
work_pool.add_command(storage)
_NAME = _params.argument("name", "--name", "Name of the work pool.")


# -- making ----------------------------------------------------------------------------------------------------------


@work_pool.command("create")
@_NAME
@_params.option("--base-job-template", help="A JSON file with the template of the jobs; the type's own by default.")
@_params.switch("--paused", help="Hand out no runs for now.")
@_params.option("--type", "-t", "type_", help="The type of its workers, such as process.")
@_params.switch("--set-as-default", help="Let deployments that name no pool use this one.")
@click.option(
    "--provision-infrastructure/--no-provision-infrastructure",
    "--provision-infra/--no-provision-infra",
    "provision",
    default=False,
    help="Set up the infrastructure of a push pool; only the cloud product has such pools.",
)
@_params.switch("--overwrite", help="Change the pool of that name when there is one.")
def create(
    name: str,
    base_job_template: str | None,
    paused: bool,
    type_: str | None,
    set_as_default: bool,
    provision: bool,
    overwrite: bool,
) -> None:
    """Create a work pool."""
    if not name.strip("'\" "):
        _output.fail("The name of a work pool cannot be empty.")
    if provision:
        _refuse_provisioning(name)
    with connect() as client:
        existing = next(iter(client.read_work_pools(work_pool_filter=_named(name))), None)
        if existing is not None and not overwrite:
            _output.fail(f"Work pool {name!r} already exists. Use --overwrite to update it.")
        types = known_types(client)
        type_ = type_ or (None if existing is None else existing.type) or _asked_type(types)
        template = _work.read_template(base_job_template) if base_job_template else _template_of(types, type_)
        wanted = compose(WorkPoolCreate, name=name, type=type_, base_job_template=template, is_paused=paused)
        try:
            pool = client.create_work_pool(wanted, overwrite=overwrite)
        except ObjectAlreadyExists:
            _output.fail(f"Work pool {name!r} already exists. Use --overwrite to update it.")
    _tell_of(pool, is_new=existing is None)
    if set_as_default:
        update_current_profile({"PREFECT_DEFAULT_WORK_POOL_NAME": name})
        _output.success(f"Set {name!r} as default work pool of the active profile.")


def _asked_type(types: dict[str, dict[str, Any]]) -> str:
    if not _session.is_interactive():
        _output.fail("When not using an interactive terminal, you must supply a `--type` value.")
    for type_, about in types.items():
        _output.echo(f"{type_}: {about['description']}")
    return click.prompt("Type of the workers", type=click.Choice(list(types)))


def _template_of(types: dict[str, dict[str, Any]], type_: str) -> dict[str, Any]:
    return _known(types, type_)["default_base_job_configuration"]


def _known(types: dict[str, dict[str, Any]], type_: str) -> dict[str, Any]:
    if type_ not in types:
        _output.fail(
            f"Unknown work pool type {type_!r}. Please choose from {', '.join(sorted(types))}. "
            "The pool of a type of your own is made by its worker, when that starts."
        )
    return types[type_]


def _tell_of(pool: WorkPool, is_new: bool) -> None:
    _output.success(f"{'Created' if is_new else 'Updated'} work pool {pool.name!r}!")
    facts = [f"UUID: {pool.id}", f"Type: {pool.type}", f"Description: {pool.description}"]
    if pool.status is not None:
        facts.append(f"Status: {pool.status.display_name}")
    address = _links.link(f"work-pools/work-pool/{pool.name}")
    if address:
        facts.append(f"URL: {address}")
    if is_new:
        _output.echo(
            f"\nTo start a worker for this work pool, run:\n\n        prefect worker start --pool {pool.name}\n"
        )
    _output.echo("\n".join(f"└── {fact}" for fact in facts))


# -- reading ---------------------------------------------------------------------------------------------------------


@work_pool.command("ls")
@_params.switch("--verbose", "-v", help="Show the templates of the jobs, too.")
@_params.output()
def ls(verbose: bool, as_json: bool) -> None:
    """List the work pools, the newest first."""
    with connect() as client:
        pools = sorted(read_pages(client.read_work_pools), key=lambda pool: (pool.created is None, pool.created))[::-1]
    if as_json:
        _output.print_json(pools)
        return
    rows = [
        (
            _work.named(pool.name, pool.is_paused),
            pool.type,
            str(pool.id),
            _work.limit_text(pool.concurrency_limit),
            *([json.dumps(pool.base_job_template)] if verbose else []),
        )
        for pool in pools
    ]
    columns: list[Any] = [("Name", {"style": "green"}), ("Type", {"style": "magenta"}), ("ID", {"style": "cyan"})]
    columns += [("Concurrency Limit", {"style": "blue"}), *(["Base Job Template"] if verbose else [])]
    _output.print_table("Work Pools", columns, rows, caption="(**) denotes a paused pool")


@work_pool.command("inspect")
@_NAME
@_params.output()
def inspect(name: str, as_json: bool) -> None:
    """Show a work pool."""
    with connect() as client:
        found = _read(client, name)
    if as_json:
        _output.print_json(found)
    else:
        show(found)


@work_pool.command("preview")
@_params.argument("name", "--name", "Name of the work pool; all pools if not given.", required=False)
@_params.option("--hours", "-h", type=int, help="How far to look ahead; one hour by default.")
@_params.output()
def preview(name: str | None, hours: int | None, as_json: bool) -> None:
    """Show the runs that wait in a work pool."""
    with connect() as client:
        if name is not None:
            _read(client, name)
        runs = _work.scheduled_runs(client, hours, pool_name=name)
    _work.show_preview(runs, as_json, "all work pools" if name is None else f"work pool {name!r}")


@work_pool.command("slots")
@_NAME
@_params.output()
def slots(name: str, as_json: bool) -> None:
    """Show which runs hold the slots of a work pool."""
    with connect() as client, missing_is(_not_found(name)):
        status = client.read_work_pool_concurrency_status(name, flow_run_limit=200)
    if as_json:
        _output.print_json(status)
        return
    holders = [((queue.queue_name,), run) for queue in status.queues for run in queue.flow_runs]
    _work.show_slots(f"Work Pool: {name}", status.active_slots, status.concurrency_limit, holders, ["Queue"])


@work_pool.command("get-default-base-job-template")
@_params.option("--type", "-t", "type_", help="The type of workers, such as process.")
@_params.option("--file", "-f", help="Write the template to this file.")
def get_default_base_job_template(type_: str | None, file: str | None) -> None:
    """Show the template that work pools of a type start with."""
    with connect() as client:
        types = known_types(client)
    template = _template_of(types, type_ or _asked_type(types))
    text = json.dumps(to_jsonable_python(template), indent=2)
    if file is None:
        click.echo(text)
        return
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        _output.fail(f"Cannot write {file!r}: {error.strerror}.")
    _output.success(f"Wrote the base job template of {type_!r} to {file}.")


# -- changing --------------------------------------------------------------------------------------------------------


@work_pool.command("update")
@_NAME
@_params.option("--base-job-template", help="A JSON file with the new template of the jobs.")
@_params.option("--concurrency-limit", type=int, help="How many runs may go at a time.")
@_params.option("--description", help="What the pool is for.")
def update(name: str, base_job_template: str | None, concurrency_limit: int | None, description: str | None) -> None:
    """Change a work pool."""
    changes: dict[str, Any] = {}
    if base_job_template is not None:
        changes["base_job_template"] = _work.read_template(base_job_template)
    if concurrency_limit is not None:
        changes["concurrency_limit"] = concurrency_limit
    if description is not None:
        changes["description"] = description
    if not changes:
        _output.fail("Nothing to change: give at least one option. See `prefect work-pool update --help`.")
    _update(name, **changes)
    _output.success(f"Updated work pool {name!r}")


@work_pool.command("pause")
@_NAME
def pause(name: str) -> None:
    """Hand out no runs of a work pool."""
    _update(name, is_paused=True)
    _output.success(f"Paused work pool {name!r}")


@work_pool.command("resume")
@_NAME
def resume(name: str) -> None:
    """Hand out the runs of a paused work pool again."""
    _update(name, is_paused=False)
    _output.success(f"Resumed work pool {name!r}")


@work_pool.command("set-concurrency-limit")
@_NAME
@_params.argument("concurrency_limit", "--concurrency-limit", "How many runs may go at a time.", type=int)
def set_concurrency_limit(name: str, concurrency_limit: int) -> None:
    """Limit how many runs of a work pool go at a time."""
    _update(name, concurrency_limit=concurrency_limit)
    _output.success(f"Set concurrency limit for work pool {name!r} to {concurrency_limit}")


@work_pool.command("clear-concurrency-limit")
@_NAME
def clear_concurrency_limit(name: str) -> None:
    """Let any number of runs of a work pool go at a time."""
    _update(name, concurrency_limit=None)
    _output.success(f"Cleared concurrency limit for work pool {name!r}")


@work_pool.command("delete")
@_NAME
def delete(name: str) -> None:
    """Delete a work pool with its queues."""
    with connect() as client:
        _read(client, name)
        _output.confirm_or_abort(f"Delete work pool {name!r} with its queues and workers?")
        with missing_is(_not_found(name)):
            client.delete_work_pool(name)
    _output.success(f"Deleted work pool {name!r}")


@work_pool.command("provision-infrastructure")
@_NAME
def provision_infrastructure(name: str) -> None:
    """Set up the infrastructure of a push pool; only the cloud product has such pools."""
    with connect() as client:
        _read(client, name)
    _refuse_provisioning(name)


work_pool.add_alias("provision-infra", "provision-infrastructure")


# -- parts -----------------------------------------------------------------------------------------------------------


def _refuse_provisioning(name: str) -> None:
    _output.fail(
        f"No infrastructure can be set up for work pool {name!r}: only push pools of Prefect Cloud have infrastructure "
        f"that this command provisions. Start a worker instead: prefect worker start --pool {name}"
    )


def _update(name: str, **changes: Any) -> None:
    wanted = compose(WorkPoolUpdate, **changes)
    with connect() as client, missing_is(_not_found(name)):
        client.update_work_pool(name, wanted)


def _read(client: SyncPrefectClient, name: str) -> WorkPool:
    with missing_is(_not_found(name)):
        return client.read_work_pool(name)


def _named(name: str) -> Any:

    return WorkPoolFilter.model_validate({"name": {"any_": [name]}})


def _not_found(name: str) -> str:
    return f"Work pool {name!r} not found."
