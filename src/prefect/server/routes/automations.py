"""The routes of automations, and of the templates in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.sorting import AutomationSort
from prefect.server.database.store import Transaction
from prefect.server.events.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationUpdate,
)
from prefect.server.models import automations as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Reply, Whole, route
from prefect.server.routes.templates import validated_template
from prefect.server.schemas.automation_filters import AutomationFilter


@route("POST", "/automations/", status=201)
def create_automation(tx: Transaction, automation: Whole[AutomationCreate]) -> Automation:
    """Create an automation."""
    return models.create_automation(tx, automation)


@route("PUT", "/automations/{id}", status=204)
def update_automation(tx: Transaction, id: UUID, automation: Whole[AutomationUpdate]) -> None:
    """Replace an automation."""
    models.update_automation(tx, id, automation)


@route("PATCH", "/automations/{id}", status=204)
def patch_automation(tx: Transaction, id: UUID, automation: Whole[AutomationPartialUpdate]) -> None:
    """Let an automation work, or rest."""
    models.enable_automation(tx, id, automation.enabled)


@route("DELETE", "/automations/{id}", status=204)
def delete_automation(tx: Transaction, id: UUID) -> None:
    """Delete an automation."""
    models.delete_automation(tx, id)


@route("POST", "/automations/filter", writes=False)
def read_automations(
    tx: Transaction,
    sort: AutomationSort = AutomationSort.NAME_ASC,
    offset: Annotated[int, Field(ge=0)] = 0,
    automations: AutomationFilter | None = None,
    limit: int = ABSENT,
) -> list[Automation]:
    """Read the automations that meet a filter."""
    return models.read_automations(tx, automations, sort, checked_limit(limit), offset)


@route("POST", "/automations/count", writes=False)
def count_automations(tx: Transaction, automations: AutomationFilter | None = None) -> int:
    """Count the automations that meet a filter."""
    return models.count_automations(tx, automations)


@route("GET", "/automations/{id}", writes=False)
def read_automation(tx: Transaction, id: UUID) -> Automation:
    """Read an automation."""
    return models.read_automation(tx, id)


@route("GET", "/automations/related-to/{resource_id}", writes=False)
def read_automations_related_to_resource(tx: Transaction, resource_id: str) -> list[Automation]:
    """Read the automations that a resource owns, or that act on it."""
    return models.read_related_automations(tx, resource_id)


@route("DELETE", "/automations/owned-by/{resource_id}", status=202)
def delete_automations_owned_by_resource(tx: Transaction, resource_id: str) -> None:
    """Delete the automations that a resource owns."""
    models.delete_owned_automations(tx, resource_id)


@route("POST", "/automations/templates/validate", also=(204,), name="validate_template", writes=False)
def validate_automation_template(tx: Transaction, template: Whole[str] = "") -> Reply[None]:
    """Check a template of an automation."""
    return validated_template(template)
