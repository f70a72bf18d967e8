"""Requests about automations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import Call, Steps, given, id_of, nothing


def create_automation(automation: Any) -> Call[UUID]:
    """Create an automation."""
    return Call("POST", "/automations/", body=_whole(automation), parse=id_of)


def update_automation(automation_id: UUID, automation: Any) -> Call[None]:
    """Replace an automation."""
    return Call(
        "PUT", "/automations/{id}", {"id": automation_id}, body=_whole(automation, "owner_resource"), parse=nothing
    )


def read_automations(
    *, automations: Any = None, sort: Any = None, limit: int | None = None, offset: int = 0
) -> Call[list[Any]]:
    """Read automations."""
    body = given(automations=automations, sort=sort, limit=limit, offset=offset)
    return Call("POST", "/automations/filter", body=body, parse=_automations)


def read_automation(automation_id: UUID) -> Call[Any]:
    """Read an automation; None when there is none."""
    return Call("GET", "/automations/{id}", {"id": automation_id}, parse=_automation, absent=None)


def read_automations_by_name(name: str) -> Call[list[Any]]:
    """Read the automations of a name."""
    return read_automations(automations={"name": {"any_": [name]}})


def find_automation(id_or_name: str | UUID) -> Steps[Any]:
    """Read an automation by its id or its name, which may be written in other case; None when there is none."""
    if isinstance(id_or_name, str):
        name = id_or_name
        try:
            id: UUID | None = UUID(id_or_name)
        except ValueError:
            id = None
    else:
        id, name = id_or_name, str(id_or_name)
    if id is not None:
        found = yield read_automation(id)
        if found is not None:
            return found
    offset, page = 0, 200
    while True:
        automations = yield read_automations(limit=page, offset=offset)
        exact = [each for each in automations if each.name == name]
        alike = [each for each in automations if each.name.lower() == name.lower()]
        if exact or alike:
            return (exact or alike)[0]
        if len(automations) < page:
            return None
        offset += page


def pause_automation(automation_id: UUID) -> Call[None]:
    """Disable an automation."""
    return Call("PATCH", "/automations/{id}", {"id": automation_id}, body={"enabled": False}, parse=nothing)


def resume_automation(automation_id: UUID) -> Call[None]:
    """Enable an automation."""
    return Call("PATCH", "/automations/{id}", {"id": automation_id}, body={"enabled": True}, parse=nothing)


def delete_automation(automation_id: UUID) -> Call[None]:
    """Delete an automation."""
    return Call("DELETE", "/automations/{id}", {"id": automation_id}, parse=nothing)


def read_resource_related_automations(resource_id: str) -> Call[list[Any]]:
    """Read the automations that concern a resource."""
    return Call("GET", "/automations/related-to/{resource_id}", {"resource_id": resource_id}, parse=_automations)


def delete_resource_owned_automations(resource_id: str) -> Call[None]:
    """Delete the automations that belong to a resource."""
    return Call("DELETE", "/automations/owned-by/{resource_id}", {"resource_id": resource_id}, parse=nothing)


def _whole(automation: Any, *excluded: str) -> Any:
    # What kind of trigger or action it is stands in a default, and must not be left out as one.
    if not hasattr(automation, "model_dump"):
        return automation
    return automation.model_dump(mode="json", exclude={"id", *excluded})


def _automation(body: Any) -> Any:
    from prefect.events.schemas.automations import Automation  # noqa: PLC0415 - the trigger models are many

    # In process it is the model of the server, whose triggers know more.
    return Automation.model_validate(body.model_dump(mode="json") if hasattr(body, "model_dump") else body)


def _automations(body: Any) -> list[Any]:
    return [_automation(item) for item in body]
