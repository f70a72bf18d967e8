"""Emits the events of the steps that fetch the code of a flow run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from prefect._internal.urls import strip_auth_from_urls_in_text
from prefect.events.utilities import emit_event

_SECRET_INPUTS = ("access_token", "password", "token")
_HIDDEN = "********"


def emit_step_event(
    outcome: Literal["executed", "failed"],
    index: int,
    name: str,
    inputs: dict[str, Any],
    flow_run: Any | None,
    deployment: Any | None,
) -> None:
    """Emit the event of one step.

    Args:
        outcome: How it ended.
        index: Its place among the steps, from 0.
        name: The full name of its function.
        inputs: As they are written, with their templates.
        flow_run: The run that it was for; without one there is no event.
        deployment: The deployment that has the step.
    """
    if flow_run is None:
        return
    related = []
    if deployment is not None:
        related = [
            {"prefect.resource.id": f"prefect.deployment.{deployment.id}", "prefect.resource.role": "deployment"}
        ]
    emit_event(
        event=f"prefect.flow-run.pull-step.{outcome}",
        resource={"prefect.resource.id": f"prefect.flow-run.{flow_run.id}"},
        related=related,
        payload={
            "index": index,
            "qualified_name": name,
            "step_name": name.rpartition(".")[2],
            "id": inputs.get("id"),
            "inputs": _without_secrets(inputs),
        },
    )


def _without_secrets(value: Any, name: str | None = None) -> Any:
    """The inputs as they may be shown: templates name secrets, but some write them out."""
    if isinstance(value, Mapping):
        return {key: _without_secrets(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, str):
        return value
    if name in _SECRET_INPUTS and "{{" not in value:
        return _HIDDEN
    return strip_auth_from_urls_in_text(value)
