"""`prefect global-concurrency-limit`: how many slots any code can take of a name."""

import json
from pathlib import Path
from typing import Any

import click
from pydantic_core import to_jsonable_python

from prefect.cli import _output, _params, _times
from prefect.cli._api import compose, connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.exceptions import ObjectAlreadyExists

global_concurrency_limit = command_group("global-concurrency-limit", "Limit anything by name.")


@global_concurrency_limit.command("ls")
@_params.output()
def ls(as_json: bool) -> None:
    """List the limits by name."""
    with connect() as client:
        limits = sorted(read_pages(client.read_global_concurrency_limits), key=lambda item: item.name)
    if as_json:
        _output.print_json(limits)
        return
    if not limits:
        _output.echo("No global concurrency limits found.")
        return
    rows = [
        (
            str(item.id),
            item.name,
            "yes" if item.active else "no",
            str(item.limit),
            str(item.active_slots),
            f"{item.slot_decay_per_second:g}",
            _times.relative(item.created) if item.created else "-",
            _times.relative(item.updated) if item.updated else "-",
        )
        for item in limits
    ]
    columns = [
        ("ID", {"style": "cyan"}),
        ("Name", {"style": "green"}),
        "Active",
        "Limit",
        "Active Slots",
        "Slot Decay Per Second",
        "Created",
        "Updated",
    ]
    _output.print_table("Global Concurrency Limits", columns, rows)


@global_concurrency_limit.command("inspect")
@_params.argument("name", "--name", "Name of the limit.")
@_params.output()
@_params.option(
    "--file",
    "-f",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the JSON to this file; needs --output json.",
)
def inspect(name: str, as_json: bool, file: Path | None) -> None:
    """Show a limit."""
    if file is not None and not as_json:
        _output.fail("--file needs --output json.")
    with connect() as client:
        found = _read(client, name)
    if file is not None:
        _write(file, json.dumps(to_jsonable_python(found), indent=2, ensure_ascii=False) + "\n")
        _output.success(f"Wrote global concurrency limit {name!r} to {file}.")
    elif as_json:
        _output.print_json(found)
    else:
        show(found)


@global_concurrency_limit.command("create")
@_params.argument("name", "--name", "Name of the limit.")
@_params.option("--limit", "-l", type=int, required=True, help="How many slots there are.")
@_params.switch("--disable", default=None, help="Let everybody pass for now.")
@_params.option("--active-slots", type=int, default=0, show_default=True, help="How many slots are taken at the start.")
@_params.option(
    "--slot-decay-per-second",
    type=float,
    default=0.0,
    show_default=True,
    help="How many taken slots become free each second.",
)
def create(name: str, limit: int, disable: bool | None, active_slots: int, slot_decay_per_second: float) -> None:
    """Create a limit."""
    wanted = compose(
        GlobalConcurrencyLimitCreate,
        name=name,
        limit=limit,
        active=not disable,
        active_slots=active_slots,
        slot_decay_per_second=slot_decay_per_second,
    )
    with connect() as client:
        try:
            id = client.create_global_concurrency_limit(wanted)
        except ObjectAlreadyExists:
            _output.fail(f"Global concurrency limit {name!r} already exists. Change it with `prefect gcl update`.")
    _output.success(
        f"Created global concurrency limit {name!r} with id '{id}'. See it with `prefect gcl inspect {name}`."
    )


@global_concurrency_limit.command("update")
@_params.argument("name", "--name", "Name of the limit.")
@_params.switch("--enable", default=None, help="Enforce the limit.")
@_params.switch("--disable", default=None, help="Let everybody pass for now.")
@_params.option("--limit", "-l", type=int, help="How many slots there are.")
@_params.option("--active-slots", type=int, help="How many slots are taken.")
@_params.option("--slot-decay-per-second", type=float, help="How many taken slots become free each second.")
def update(name: str, enable: bool | None, disable: bool | None, **numbers: Any) -> None:
    """Change a limit."""
    changes = {field: value for field, value in numbers.items() if value is not None}
    choices = {active for active in (enable, None if disable is None else not disable) if active is not None}
    if len(choices) > 1:
        _output.fail(f"Global concurrency limit {name!r} cannot be enabled and disabled at the same time.")
    if choices:
        changes["active"] = choices.pop()
    if not changes:
        _output.fail("Nothing to change: give at least one option. See `prefect gcl update --help`.")
    _update(name, changes)
    _output.success(f"Updated global concurrency limit {name!r}.")


@global_concurrency_limit.command("enable")
@_params.argument("name", "--name", "Name of the limit.")
def enable(name: str) -> None:
    """Enforce a limit that is disabled."""
    _switch(name, True, "enabled")


@global_concurrency_limit.command("disable")
@_params.argument("name", "--name", "Name of the limit.")
def disable(name: str) -> None:
    """Let everybody pass a limit for now."""
    _switch(name, False, "disabled")


@global_concurrency_limit.command("delete")
@_params.argument("name", "--name", "Name of the limit.")
def delete(name: str) -> None:
    """Delete a limit."""
    with connect() as client:
        _read(client, name)
        _output.confirm_or_abort(f"Delete global concurrency limit {name!r}?")
        with missing_is(_not_found(name)):
            client.delete_global_concurrency_limit_by_name(name)
    _output.success(f"Deleted global concurrency limit {name!r}.")


def _read(client: SyncPrefectClient, name: str) -> GlobalConcurrencyLimitResponse:
    with missing_is(_not_found(name)):
        return client.read_global_concurrency_limit_by_name(name)


def _update(name: str, changes: dict[str, Any]) -> None:
    wanted = compose(GlobalConcurrencyLimitUpdate, **changes)
    with connect() as client, missing_is(_not_found(name)):
        client.update_global_concurrency_limit(name, wanted)


def _switch(name: str, active: bool, word: str) -> None:
    with connect() as client:
        if _read(client, name).active == active:
            _output.fail(f"Global concurrency limit {name!r} is already {word}.")
    _update(name, {"active": active})
    _output.success(f"{word.capitalize()} global concurrency limit {name!r}.")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        _output.fail(f"Cannot write {str(file)!r}: {error.strerror}.")


def _not_found(name: str) -> str:
    return f"Global concurrency limit {name!r} not found."
