"""`prefect events`: watch what happens, and tell of something."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

import click
from pydantic import ValidationError

from prefect.cli import _output, _params
from prefect.cli._api import connect
from prefect.cli._commands import command_group
from prefect.client._calls.logs import create_events
from prefect.events.clients import get_events_subscriber
from prefect.events.schemas.events import Event
from prefect.settings import get_current_settings
from prefect.types._datetime import now
from prefect.types._ids import uuid7

events = command_group("events", "Watch and emit events.")

_FIRST_ATTEMPTS = 1
"""How often a server that does not answer is tried again before it was reached once: a person waits."""
_LATER_ATTEMPTS = 600
"""How often afterwards, a second each: a server that is started anew is waited for."""


# -- stream ----------------------------------------------------------------------------------------------------------


@events.command("stream")
@_params.option("--format", "form", default="json", show_default=True, help="Print events as json or as text.")
@_params.option("--output-file", help="Append to this file, and print nothing.")
@_params.switch("--account", help="The events of a whole account of Prefect Cloud.")
@_params.switch("--run-once", help="End after one event.")
def stream(form: str, output_file: str | None, account: bool, run_once: bool) -> None:
    """Show events as they happen, until Ctrl-C.

    One a line; those of the last minute come first.
    """
    formats: dict[str, Callable[[Event], str]] = {
        "json": lambda event: event.model_dump_json(exclude={"received"}),
        "text": _as_text,
    }
    if form.lower() not in formats:
        _output.fail(f"Events cannot be printed as {form!r}. Known formats are: json, text.")
    if account:
        _output.fail(
            "Only Prefect Cloud has accounts, and their events cannot be streamed from here. Leave out --account for the "
            "events of the API that you use."
        )
    with _opened(output_file) as file:
        try:
            asyncio.run(_print_events(formats[form.lower()], file, run_once))
        except KeyboardInterrupt:
            return


def _opened(path: str | None) -> AbstractContextManager[TextIO | None]:
    if path is None:
        return nullcontext(None)
    try:
        return Path(path).expanduser().open("a", encoding="utf-8")
    except OSError as error:
        _output.fail(
            f"Cannot write to {path!r}: {error.strerror or error}. Give --output-file a file that can be made."
        )


async def _print_events(form: Callable[[Event], str], file: TextIO | None, run_once: bool) -> None:
    subscriber: Any = get_events_subscriber(reconnection_attempts=_FIRST_ATTEMPTS, reconnect_on_clean_close=True)
    try:
        async with subscriber:
            subscriber.reconnection_attempts = _LATER_ATTEMPTS
            async for event in subscriber:
                if file is None:
                    click.echo(form(event), color=False)
                else:
                    file.write(form(event) + "\n")
                    file.flush()
                if run_once:
                    return
    except PermissionError as error:
        _output.fail(str(error))
    except BrokenPipeError:
        raise  # whoever read the output has gone
    except _connection_errors() as error:
        url = get_current_settings().api.url
        _output.fail(
            f"Cannot follow the events of {url}: {error or type(error).__name__}. Check that a server runs there."
        )


def _connection_errors() -> tuple[type[BaseException], ...]:
    if not get_current_settings().api.url:
        return ()
    from prefect._sockets import RETRYABLE  # noqa: PLC0415 - websockets load only where there is a server

    return RETRYABLE


def _as_text(event: Event) -> str:
    resource = event.resource
    name = f" ({resource.name})" if resource.name and resource.name != resource.id else ""
    return f"{event.occurred.isoformat()} {event.event} {resource.id}{name}"


# -- emit ------------------------------------------------------------------------------------------------------------


@events.command("emit")
@_params.argument("event", "--event", "Name of what has happened, such as oven.lit.")
@_params.option("--resource", "-r", help="What it has happened to: key=value, or a JSON object of labels.")
@_params.option("--resource-id", help="The same by its id alone: the label prefect.resource.id.")
@_params.option("--related", help="Other resources that it concerns: a JSON list of objects, or one object.")
@_params.option("--payload", "-p", help="More about it: a JSON object.")
def emit(event: str, resource: str | None, resource_id: str | None, related: str | None, payload: str | None) -> None:
    """Store an event."""
    labels = _labels(resource)
    if resource_id is not None:
        labels["prefect.resource.id"] = resource_id
    if not labels.get("prefect.resource.id"):
        _output.fail(
            "What has the event happened to? Give --resource-id ID, or --resource with the label prefect.resource.id."
        )
    others = _json("--related", related, (list, dict), "a list of objects") or []
    values: dict[str, Any] = {
        # Only what is set is sent, and the API asks for both.
        "id": uuid7(),
        "occurred": now(),
        "event": event,
        "resource": labels,
        "related": [others] if isinstance(others, dict) else others,
        "payload": _json("--payload", payload, (dict,), "an object") or {},
    }
    try:
        made = Event(**values)
    except ValidationError as error:
        _output.fail("\n".join(map(_problem, error.errors(include_url=False))))
    with connect() as client:
        client.send(create_events([made]))
    _output.success(f"Emitted event {event!r} with id '{made.id}'.")


def _labels(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if text.lstrip().startswith("{"):
        return _json("--resource", text, (dict,), "an object") or {}
    label, equals, value = text.partition("=")
    if not equals or not label:
        _output.fail(f"--resource {text!r} is neither key=value nor a JSON object.")
    return {label: value}


def _json(option: str, text: str | None, types: tuple[type, ...], expected: str) -> Any:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        _output.fail(f"{option} {text!r} is no JSON: {error}. Expected {expected}.")
    if not isinstance(value, types):
        _output.fail(f"{option} {text!r} is JSON, but not {expected}.")
    return value


def _problem(details: Any) -> str:
    place = ".".join(str(part) for part in details["loc"])
    return f"{place}: {details['msg'].removeprefix('Value error, ').rstrip('.')} (got {details['input']!r})."
