"""`prefect variable`: small values that flows read by name."""

import json
import re
from typing import Any

import click

from prefect.cli import _output, _params, _times
from prefect.cli._api import compose, connect, missing_is
from prefect.cli._commands import PrefectCommand, command_group
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import Variable

variable = command_group("variable", "Work with variables.")


class _TakesNumbers(PrefectCommand):
    """A command whose arguments may be negative numbers, which look like options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(re.match(r"-[\d.]", argument) for argument in args)
        return super().parse_args(ctx, args)


@variable.command("ls")
@_params.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="List at most so many.")
@_params.output()
def ls(limit: int, as_json: bool) -> None:
    """List variables."""
    with connect() as client:
        variables = client.read_variables(limit=limit)
    if as_json:
        _output.print_json(variables)
        return
    if not variables:
        _output.echo("No variables found.")
        return
    rows = [(item.name, _as_json(item.value), _ago(item.created), _ago(item.updated)) for item in variables]
    _output.print_table("Variables", [("Name", {"style": "blue"}), "Value", "Created", "Updated"], rows)


@variable.command("get")
@_params.argument("name", "--name", "Name of the variable.")
def get(name: str) -> None:
    """Print the value of a variable as JSON."""
    with connect() as client:
        _output.print_json(_read(client, name).value)


@variable.command("inspect")
@_params.argument("name", "--name", "Name of the variable.")
@_params.output()
def inspect(name: str, as_json: bool) -> None:
    """Show a variable."""
    with connect() as client:
        found = _read(client, name)
    if as_json:
        _output.print_json(found)
    else:
        show({**dict(found), "value": _as_json(found.value), "tags": found.tags or "-"})


@variable.command("set", cls=_TakesNumbers)
@_params.argument("name", "--name", "Name of the variable.")
@_params.argument("value", "--value", "Its value: JSON, or text as it is if it is no JSON.")
@_params.switch("--overwrite", help="Give a variable that exists another value.")
@_params.repeatable("--tag", help="A tag for the variable. May be given several times.")
@click.pass_context
def set_(context: click.Context, name: str, value: str, overwrite: bool, tag: tuple[str, ...]) -> None:
    """Create a variable, or give it another value.

    Overwriting keeps the tags, unless there are new ones; --empty-tag removes them.
    """
    fields: dict[str, Any] = {"name": name, "value": _read_value(value)}
    if context.get_parameter_source("tag") is click.core.ParameterSource.COMMANDLINE:
        fields["tags"] = list(tag)
    created = compose(VariableCreate, **fields)
    with connect() as client:
        if client.read_variable_by_name(name) is None:
            client.create_variable(created)
        elif overwrite:
            client.update_variable(VariableUpdate(**fields))
        else:
            _output.fail(f"Variable {name!r} already exists. Use --overwrite to change it.")
    _output.success(f"Set variable {name!r}.")


@variable.command("unset")
@_params.argument("name", "--name", "Name of the variable.")
def unset(name: str) -> None:
    """Delete a variable."""
    with connect() as client, missing_is(f"Variable {name!r} not found."):
        _read(client, name)
        _output.confirm_or_abort(f"Delete variable {name!r}?")
        client.delete_variable_by_name(name)
    _output.success(f"Unset variable {name!r}.")


variable.add_alias("delete", "unset")


def _read(client: SyncPrefectClient, name: str) -> Variable:
    return client.read_variable_by_name(name) or _output.fail(f"Variable {name!r} not found.")


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _ago(instant: Any) -> str:
    return _times.relative(instant) if instant else "-"
