"""Reads the triggers of a deployment, from its entry or from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from prefect.deployments._project.entries import ProjectError
from prefect.deployments._project.reading import InvalidProjectError, parse_yaml, read_text
from prefect.events.schemas.automations import EventTrigger
from prefect.events.schemas.deployment_triggers import DeploymentTriggerTypes

_TRIGGER: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)


def read_triggers(given: Iterable[str]) -> list[dict[str, Any]]:
    """Triggers as the option takes them, each a JSON object or the name of a file whose `triggers` are a list.

    Raises:
        ProjectError: One is neither.
    """
    return [trigger for each in given for trigger in _read(each)]


def _read(text: str) -> list[dict[str, Any]]:
    try:
        found = _of_file(Path(text)) if text.endswith((".yaml", ".yml", ".json")) else [json.loads(text)]
    except (ValueError, InvalidProjectError) as error:
        raise ProjectError(f"Failed to parse trigger: {text}. Error: {error}") from error
    for each in found:
        if not isinstance(each, dict):
            raise ProjectError(f"Failed to parse trigger: {text}. It is no object, but {each!r}.")
    return found


def _of_file(path: Path) -> list[Any]:
    text = read_text(path)
    if text is None:
        raise ProjectError(f"There is no file {str(path)!r}.")
    content = json.loads(text) if path.suffix == ".json" else parse_yaml(path, text)
    triggers = content.get("triggers") if isinstance(content, dict) else None
    if not isinstance(triggers, list):
        raise ProjectError(f"{str(path)!r} has no list of 'triggers'.")
    return triggers


def triggers_of(given: Iterable[dict[str, Any]], deployment_name: str) -> list[DeploymentTriggerTypes]:
    """The triggers that dictionaries describe; those without a name get one of the deployment's.

    Raises:
        ProjectError: One is not valid, or fires at every event there is.
    """
    return [_made(each, f"{deployment_name}__automation_{number}") for number, each in enumerate(given, start=1)]


def _made(given: dict[str, Any], default_name: str) -> DeploymentTriggerTypes:
    try:
        made = _TRIGGER.validate_python({**given, "name": given.get("name") or default_name})
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, each['loc'][1:])) or 'trigger'}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise ProjectError(f"The trigger {json.dumps(given, default=str)} is not valid: {reasons}") from error
    if isinstance(made, EventTrigger) and not any(given.get(name) for name in ("expect", "match", "match_related")):
        raise ProjectError(
            f"The trigger {json.dumps(given, default=str)} names no events, so each event there is would fire it, also those of"
            " the runs that it starts. Give it `expect`, `match` or `match_related`."
        )
    return made
