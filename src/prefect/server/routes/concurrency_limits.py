"""The routes of limits on task runs with a tag."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import ConcurrencyLimitCreate
from prefect.client.schemas.objects import ConcurrencyLimit
from prefect.client.schemas.responses import MinimalConcurrencyLimitResponse
from prefect.server.database.store import Store, Transaction
from prefect.server.models import concurrency_limits as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Reply, Whole, route
from prefect.server.routes.concurrency_limits_v2 import locked

_TAGS = ("Concurrency Limits",)


@route("POST", "/concurrency_limits/", also=(201,), tags=_TAGS)
def create_concurrency_limit(
    tx: Transaction, concurrency_limit: Whole[ConcurrencyLimitCreate]
) -> Reply[ConcurrencyLimit]:
    """Create the limit on a tag, or change the one that is there."""
    limit, is_new = models.set_tag_limit(tx, concurrency_limit)
    return Reply(201 if is_new else 200, limit)


@route("GET", "/concurrency_limits/{id}", writes=False, tags=_TAGS)
def read_concurrency_limit(tx: Transaction, id: UUID) -> ConcurrencyLimit:
    """Read the limit on a tag by its id."""
    return models.read_tag_limit_by_id(tx, id)


@route("GET", "/concurrency_limits/tag/{tag}", writes=False, tags=_TAGS)
def read_concurrency_limit_by_tag(tx: Transaction, tag: str) -> ConcurrencyLimit:
    """Read the limit on a tag."""
    return models.read_tag_limit(tx, tag)


@route("POST", "/concurrency_limits/filter", writes=False, tags=_TAGS)
def read_concurrency_limits(
    tx: Transaction, limit: int = ABSENT, offset: Annotated[int, Field(ge=0)] = 0
) -> list[ConcurrencyLimit]:
    """Read all limits on tags."""
    return models.read_tag_limits(tx, checked_limit(limit), offset)


@route("POST", "/concurrency_limits/tag/{tag}/reset", tags=_TAGS)
def reset_concurrency_limit_by_tag(tx: Transaction, tag: str, slot_override: list[UUID] | None = None) -> None:
    """Free the slots of a tag's limit, or let the given task runs hold them."""
    models.reset_tag_limit(tx, tag, slot_override)


@route("DELETE", "/concurrency_limits/{id}", tags=_TAGS)
def delete_concurrency_limit(tx: Transaction, id: UUID) -> None:
    """Delete the limit on a tag, found by its id."""
    models.delete_tag_limit_by_id(tx, id)


@route("DELETE", "/concurrency_limits/tag/{tag}", tags=_TAGS)
def delete_concurrency_limit_by_tag(tx: Transaction, tag: str) -> None:
    """Delete the limit on a tag."""
    models.delete_tag_limit(tx, tag)


@route("POST", "/concurrency_limits/increment", tags=_TAGS)
def increment_concurrency_limits_v1(
    store: Store, names: list[str], task_run_id: UUID
) -> list[MinimalConcurrencyLimitResponse]:
    """Take a slot of every limit on these tags for a task run, or of none."""
    # Opens its own transaction: that no slot was free is stored too, and must outlive the refusal.
    acquisition = store.write(lambda tx: models.acquire_tag_slots(tx, names, task_run_id))
    if acquisition.retry_after_seconds is not None:
        raise locked(acquisition)
    return acquisition.limits


@route("POST", "/concurrency_limits/decrement", tags=_TAGS)
def decrement_concurrency_limits_v1(
    tx: Transaction, names: list[str], task_run_id: UUID
) -> list[MinimalConcurrencyLimitResponse]:
    """Give back the slots that a task run holds of the limits on these tags."""
    return models.release_tag_slots(tx, names, task_run_id)
