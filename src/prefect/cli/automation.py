"""`prefect automation`: what is done when events happen, or do not happen."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from prefect.cli import _output, _params
from prefect.cli._api import connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import PrefectHTTPStatusError

automation = command_group("automation", "Work with automations.")

_name = _params.argument("name", "--name", "Name of the automation.", required=False)
_id = _params.option("--id", help="Id of the automation, which is needed where several have its name.")
_from_file = _params.option("--from-file", "-f", help="A YAML or JSON file that holds it.")
_from_json = _params.option("--from-json", "-j", help="It, as JSON.")


@automation.command("ls")
def ls() -> None:
    """List automations."""
    with connect() as client:
        automations = sorted(read_pages(client.read_automations), key=lambda item: (item.name.lower(), str(item.id)))
    if not automations:
        _output.echo("No automations found.")
        return
    rows = [
        (
            "\n".join(filter(None, (item.name, str(item.id), item.description))),
            "yes" if item.enabled else "no",
            item.trigger.describe_for_cli(),
            "\n".join(action.describe_for_cli() for action in _actions(item)) or "-",
        )
        for item in automations
    ]
    columns = [("Automation", {"style": "green"}), "Enabled", "Trigger", "Actions"]
    _output.print_table("Automations", columns, rows)


@automation.command("inspect")
@_name
@_id
@_params.switch("--yaml", help="Print YAML.")
@_params.switch("--json", help="Print JSON.")
@_params.option("--output", "-o", help="Print json or yaml.")
def inspect(name: str | None, id: str | None, yaml: bool, json: bool, output: str | None) -> None:
    """Show an automation, or all that have a name."""
    form = _form(yaml, json, output)
    with connect() as client:
        found = _find(client, name, id)
    if form is None:
        for number, item in enumerate(found):
            if number:
                _output.echo()
            show(item)
        return
    # One that is asked for by its id is one; of a name, there may be several.
    values = [item.model_dump(mode="json") for item in found]
    shown = values[0] if id is not None else values
    if form == "json":
        _output.print_json(shown)
    else:
        text = StringIO()
        YAML().dump(shown, text)
        click.echo(text.getvalue(), nl=False)


def _form(yaml: bool, json: bool, output: str | None) -> str | None:
    if output is not None and output.lower() not in ("json", "yaml"):
        _output.fail(f"Output format {output!r} is not supported. Only 'json' and 'yaml' are.")
    wanted = {form for form, is_wanted in (("yaml", yaml), ("json", json)) if is_wanted}
    wanted |= {output.lower()} if output is not None else set()
    if len(wanted) > 1:
        _output.fail("Choose one of --json and --yaml.")
    return wanted.pop() if wanted else None


@automation.command("create")
@_from_file
@_from_json
def create(from_file: str | None, from_json: str | None) -> None:
    """Create one or more automations.

    The file or the JSON holds one automation, a list of them, or an object with such a list as `automations`. All are
    tried; the exit code is 1 when one could not be created.
    """
    described = _many(_read(from_file, from_json))
    failures: list[str] = []
    with connect() as client:
        for number, item in enumerate(described, 1):
            label = item.get("name") if isinstance(item, dict) else None
            try:
                id = client.create_automation(_as_automation(item))
            except (ValidationError, PrefectHTTPStatusError) as error:
                failures.append(f"{label if isinstance(label, str) else number}: {_reason(error)}")
            else:
                _output.success(f"Created automation {label!r} with id '{id}'.")
    if failures:
        _output.fail("\n".join(f"Could not create automation {failure}" for failure in failures))


@automation.command("update")
@_params.option("--id", required=True, help="Id of the automation.")
@_from_file
@_from_json
def update(id: str, from_file: str | None, from_json: str | None) -> None:
    """Replace an automation."""
    described = _read(from_file, from_json)
    with connect() as client:
        found = _find_by_id(client, id)
        try:
            with missing_is(_not_found(id)):
                client.update_automation(found.id, _as_automation(described))
        except (ValidationError, PrefectHTTPStatusError) as error:
            _output.fail(f"Could not update automation '{found.id}': {_reason(error)}")
    _output.success(f"Updated automation '{found.id}'.")


@automation.command("resume")
@_name
@_id
def resume(name: str | None, id: str | None) -> None:
    """Let an automation work again."""
    _each("Resume", "Resumed", name, id, lambda client, found: client.resume_automation(found.id))


@automation.command("pause")
@_name
@_id
def pause(name: str | None, id: str | None) -> None:
    """Let an automation rest."""
    _each("Pause", "Paused", name, id, lambda client, found: client.pause_automation(found.id))


@automation.command("delete")
@_name
@_id
@_params.switch("--all", help="Delete all automations.")
def delete(name: str | None, id: str | None, all: bool) -> None:
    """Delete an automation."""
    if all:
        if name is not None or id is not None:
            _output.fail("Give --all, or which automation to delete, and not both.")
        _delete_all()
        return
    with connect() as client:
        found = _find(client, name, id)
        if len(found) > 1:
            _output.fail(f"{_several(found)} Choose one with --id.")
        _output.confirm_or_abort(f"Delete automation {found[0].name!r}?")
        client.delete_automation(found[0].id)
    _output.success(f"Deleted automation {found[0].name!r} with id '{found[0].id}'.")


automation.add_alias("enable", "resume")
automation.add_alias("disable", "pause")


def _delete_all() -> None:
    with connect() as client:
        found = list(read_pages(client.read_automations))
        if not found:
            _output.echo("There are no automations to delete.")
            return
        _output.confirm_or_abort(f"Delete all {len(found)} automations?")
        for item in found:
            client.delete_automation(item.id)
    _output.success(f"Deleted {len(found)} automations.")


def _each(
    doing: str, done: str, name: str | None, id: str | None, do: Callable[[SyncPrefectClient, Automation], None]
) -> None:
    with connect() as client:
        found = _find(client, name, id)
        if len(found) > 1:
            _output.confirm_or_abort(f"{_several(found)} {doing} all of them?")
        for item in found:
            try:
                do(client, item)
            except PrefectHTTPStatusError as error:
                _output.fail(f"Could not change automation '{item.id}': {_reason(error)}")
            _output.success(f"{done} automation {item.name!r} with id '{item.id}'.")


# -- finding ---------------------------------------------------------------------------------------------------------


def _find(client: SyncPrefectClient, name: str | None, id: str | None) -> list[Automation]:
    """The automation of an id, or all of a name; at least one."""
    if (name is None) == (id is None):
        _output.fail("Give the name of an automation, or its id with --id.")
    if id is not None:
        return [_find_by_id(client, id)]
    assert name is not None
    return client.read_automations_by_name(name=name) or _output.fail(_not_found(name))


def _find_by_id(client: SyncPrefectClient, id: str) -> Automation:
    try:
        known = UUID(id)
    except ValueError:
        _output.fail(f"{id!r} is not the id of an automation: an id is a UUID. See `prefect automation ls`.")
    return client.read_automation(known) or _output.fail(_not_found(id))


def _not_found(key: str) -> str:
    return f"Automation {key!r} not found."


def _several(found: list[Automation]) -> str:
    return f"{len(found)} automations are called {found[0].name!r}: {', '.join(str(item.id) for item in found)}."


def _actions(item: Automation) -> list[Any]:
    return [*item.actions, *item.actions_on_trigger, *item.actions_on_resolve]


# -- reading ---------------------------------------------------------------------------------------------------------


def _read(from_file: str | None, from_json: str | None) -> Any:
    if (from_file is None) == (from_json is None):
        _output.fail("Give either --from-file or --from-json.")
    if from_json is not None:
        try:
            return json.loads(from_json)
        except ValueError as error:
            _output.fail(f"--from-json is not valid JSON: {error}.")
    path = Path(str(from_file))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        _output.fail(f"Cannot read {str(path)!r}: {error.strerror}.")
    except UnicodeError:
        _output.fail(f"Cannot read {str(path)!r}: it is no text in UTF-8.")
    try:
        return json.loads(text) if path.suffix.lower() == ".json" else YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError) as error:
        _output.fail(f"{str(path)!r} is not valid: {error}")


def _many(described: Any) -> list[Any]:
    if isinstance(described, dict) and isinstance(described.get("automations"), list):
        described = described["automations"]
    items = described if isinstance(described, list) else [described]
    return items or _output.fail("There is no automation to create.")


def _as_automation(item: Any) -> AutomationCore:
    return AutomationCore.model_validate(item)


def _reason(error: ValidationError | PrefectHTTPStatusError) -> str:
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False)
    else:
        body = error.response.json()
        problems = body.get("exception_detail") if isinstance(body, dict) else None
        if not problems:
            return str(body.get("detail", error) if isinstance(body, dict) else error)
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'] if part != 'body') or 'it'}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in problems
    )
