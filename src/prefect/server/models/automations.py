"""Automations: stored as they were sent, and found by name, by tag, or by what they act on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_jsonable_python

from prefect.client.schemas.sorting import AutomationSort
from prefect.events.actions import (
    AutomationAction,
    CallWebhook,
    DeploymentAction,
    SendNotification,
    WorkPoolAction,
    WorkQueueAction,
)
from prefect.server.database.filters.automations import automation_clause
from prefect.server.database.store import Transaction
from prefect.server.events.schemas.automations import Automation, AutomationCore, AutomationCreate, AutomationUpdate
from prefect.server.models._rows import dumps, loads
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models.automation_checks import require_sound
from prefect.server.models.errors import NotFound
from prefect.server.models.events import record_event
from prefect.server.schemas.automation_filters import AutomationFilter

_COLUMNS = "id, created, updated, name, enabled, tags, definition"
_SELECT = "SELECT " + ", ".join(f"automation.{name}" for name in _COLUMNS.split(", ")) + " FROM automation"
_IN_DEFINITION = ("description", "trigger", "actions", "actions_on_trigger", "actions_on_resolve")
_ORDER = {
    AutomationSort.CREATED_DESC: "created DESC, id",
    AutomationSort.UPDATED_DESC: "updated DESC, id",
    AutomationSort.NAME_DESC: "name DESC, id",
    AutomationSort.NAME_ASC: "name ASC, id",
}


def create_automation(tx: Transaction, wanted: AutomationCreate) -> Automation:
    """Store a new automation.

    Raises:
        InvalidRequest: It would start runs without an end, or holds a template that is none.
        NotFound: It runs a deployment with job variables, and there is no such deployment.
        Invalid: These job variables do not fit the deployment's work pool.
    """
    require_sound(tx, wanted)
    automation = _with_new_ids(wanted, id=uuid4(), created=tx.now, updated=tx.now)
    tx.execute(
        f"INSERT INTO automation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (automation.id, tx.now, tx.now, *_values(automation).values()),
    )
    _store_resources(tx, automation.id, _acted_on(automation), wanted.owner_resource)
    _record(tx, "created", automation)
    return automation


def read_automation(tx: Transaction, id: UUID) -> Automation:
    """The automation of an id.

    Raises:
        NotFound: There is none.
    """
    row = tx.fetch_one(f"{_SELECT} WHERE id = ?", (id,))
    if row is None:
        raise NotFound("Automation not found", bare=True)
    return _automation(row)


def read_automations(
    tx: Transaction, wanted: AutomationFilter | None, sort: AutomationSort, limit: int, offset: int
) -> list[Automation]:
    """The automations that meet a filter."""
    where = automation_clause(tx.dialect, wanted)
    rows = tx.fetch_all(
        f"{_SELECT} WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?", (*where.params, limit, offset)
    )
    return [_automation(row) for row in rows]


def count_automations(tx: Transaction, wanted: AutomationFilter | None) -> int:
    """How many automations meet a filter."""
    where = automation_clause(tx.dialect, wanted)
    return count_rows(tx, f"automation WHERE {where.sql}", where.params)


def update_automation(tx: Transaction, id: UUID, wanted: AutomationUpdate) -> None:
    """Replace an automation; its owner stays.

    Raises:
        NotFound: There is none of this id.
        InvalidRequest: As when one is created.
        Invalid: As when one is created.
    """
    current = read_automation(tx, id)
    require_sound(tx, wanted)
    automation = _with_new_ids(wanted, id=id, created=current.created, updated=tx.now)
    update_row(tx, "automation", id, _values(automation))
    tx.execute("DELETE FROM automation_resource WHERE automation_id = ? AND NOT is_owner", (id,))
    _store_resources(tx, id, _acted_on(automation), None)
    _record(tx, "updated", automation)


def enable_automation(tx: Transaction, id: UUID, enabled: bool) -> None:
    """Let an automation work, or rest.

    Raises:
        NotFound: There is none of this id.
        InvalidRequest: It would start runs without an end when it works.
    """
    current = read_automation(tx, id)
    automation = current.model_copy(update={"enabled": enabled, "updated": tx.now})
    require_sound(tx, automation)
    update_row(tx, "automation", id, {"enabled": enabled})
    _record(tx, "updated", automation)


def delete_automation(tx: Transaction, id: UUID) -> None:
    """Delete an automation.

    Raises:
        NotFound: There is none of this id.
    """
    automation = read_automation(tx, id)
    if delete_row(tx, "automation", id):
        _record(tx, "deleted", automation)


def read_related_automations(tx: Transaction, resource_id: str) -> list[Automation]:
    """The automations that a resource owns or that act on it, by name."""
    return _of_resource(tx, resource_id, "")


def delete_owned_automations(tx: Transaction, resource_id: str) -> None:
    """Delete the automations that a resource owns."""
    for automation in _of_resource(tx, resource_id, "AND automation_resource.is_owner"):
        if delete_row(tx, "automation", automation.id):
            _record(tx, "deleted", automation)


def _of_resource(tx: Transaction, resource_id: str, further: str) -> list[Automation]:
    rows = tx.fetch_all(
        f"{_SELECT} JOIN automation_resource ON automation_resource.automation_id = automation.id "
        f"WHERE automation_resource.resource_id = ? {further} ORDER BY automation.name, automation.id",
        (resource_id,),
    )
    return [_automation(row) for row in rows]


# -- what is stored --------------------------------------------------------------------------------------------------


def _with_new_ids(wanted: AutomationCore, **fields: Any) -> Automation:
    # A copy: in process, the caller's own models arrive here.
    automation = Automation.model_validate({**_plain(wanted, AutomationCore), **fields})
    automation.trigger.reset_ids()
    return automation


def _plain(automation: AutomationCore, kind: type[AutomationCore]) -> dict[str, Any]:
    """An automation as the API shows it."""
    fields = {name: getattr(automation, name) for name in kind.model_fields}
    return to_jsonable_python(fields, timedelta_mode="float", by_alias=True)


def _values(automation: Automation) -> dict[str, Any]:
    plain = _plain(automation, AutomationCore)
    definition = {name: plain[name] for name in _IN_DEFINITION}
    return {
        "name": automation.name,
        "enabled": automation.enabled,
        "tags": dumps(automation.tags),
        "definition": dumps(definition),
    }


def _automation(row: Any) -> Automation:
    values = dict(row)
    definition = loads(values.pop("definition"))
    return Automation.model_validate({**values, "tags": loads(values["tags"]), **definition})


def _record(tx: Transaction, what: str, automation: Automation) -> None:
    record_event(
        tx,
        f"prefect.automation.{what}",
        {"prefect.resource.id": f"prefect.automation.{automation.id}", "prefect.resource.name": automation.name},
        payload=_plain(automation, Automation),
    )


# -- what an automation has to do with -------------------------------------------------------------------------------


def _acted_on(automation: AutomationCore) -> set[str]:
    """The resources that the actions name."""
    found: set[str] = set()
    for action in (*automation.actions, *automation.actions_on_trigger, *automation.actions_on_resolve):
        match action:
            case DeploymentAction(deployment_id=UUID() as id):
                found.add(f"prefect.deployment.{id}")
            case WorkPoolAction(work_pool_id=UUID() as id):
                found.add(f"prefect.work-pool.{id}")
            case WorkQueueAction(work_queue_id=UUID() as id):
                found.add(f"prefect.work-queue.{id}")
            case AutomationAction(automation_id=UUID() as id):
                found.add(f"prefect.automation.{id}")
            case SendNotification(block_document_id=id) | CallWebhook(block_document_id=id):
                found.add(f"prefect.block-document.{id}")
            case _:
                pass
    return found


def _store_resources(tx: Transaction, id: UUID, resources: Iterable[str], owner: str | None) -> None:
    rows = [(owner, True)] if owner is not None else []
    rows += [(resource, False) for resource in sorted(resources) if resource != owner]
    for resource, is_owner in rows:
        # The owner that is stored already may be among what an update acts on.
        tx.execute(
            "INSERT INTO automation_resource (automation_id, resource_id, is_owner) VALUES (?, ?, ?) "
            "ON CONFLICT (automation_id, resource_id) DO NOTHING",
            (id, resource, is_owner),
        )
