"""Emits events from user code."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from prefect.events.related import attach_related_resources
from prefect.events.schemas.events import Event, RelatedResource
from prefect.events.worker import EventsWorker, should_emit_events
from prefect.exceptions import EventTooLarge
from prefect.logging import get_logger
from prefect.settings import get_current_settings

TIGHT_TIMING = datetime.timedelta(minutes=5)
"""An event follows another only when less than this lies between them."""

logger = get_logger("events.utilities")


def emit_event(
    event: str,
    resource: dict[str, str],
    occurred: datetime.datetime | None = None,
    related: list[dict[str, str]] | list[RelatedResource] | None = None,
    payload: dict[str, Any] | None = None,
    id: UUID | None = None,
    follows: Event | None = None,
    **kwargs: dict[str, Any] | None,
) -> Event | None:
    """Emit an event about a resource, without waiting until it is stored.

    In a flow or a task, the run, its flow, its tags and what deployed it are added to the related resources.

    Args:
        event: Name of what happened. Names that begin with `prefect.` are the product's own by convention.
        resource: Labels of what it happened to; `prefect.resource.id` must be among them.
        occurred: When it happened; now by default. A time without a time zone is in UTC.
        related: Labels of other resources that it concerns, each with `prefect.resource.id` and
            `prefect.resource.role`.
        payload: More about what happened, as JSON values.
        id: Identifies the event; made by default. An event with a known id is stored once.
        follows: The event that caused this one or came before; kept when less than 5 minutes lie between the two.
        kwargs: More fields of the event.

    Returns:
        The event, or None when it cannot be emitted; why not is logged.

    Raises:
        EventTooLarge: As JSON it is larger than `server.events.maximum_size_bytes` (1.5 MB).
    """
    if not should_emit_events():
        return None
    try:
        made = _make_event(event, resource, occurred, related, payload, id, follows, kwargs)
        attach_related_resources(made)
        size = len(made.model_dump_json())
    except Exception:
        logger.exception("The event %r could not be emitted", event)
        return None
    maximum = get_current_settings().server.events.maximum_size_bytes
    if size > maximum:
        raise EventTooLarge(size, maximum)
    try:
        EventsWorker.instance().send(made)
    except Exception:
        logger.exception("The event %r could not be emitted", event)
        return None
    return made


def _make_event(
    name: str,
    resource: dict[str, str],
    occurred: datetime.datetime | None,
    related: list[dict[str, str]] | list[RelatedResource] | None,
    payload: dict[str, Any] | None,
    id: UUID | None,
    follows: Event | None,
    more: dict[str, Any],
) -> Event:
    # What was not given is left out, so that the model's own defaults apply.
    optional = {"occurred": _aware(occurred), "related": related, "payload": payload, "id": id}
    fields: dict[str, Any] = {key: value for key, value in optional.items() if value is not None}
    made = Event(event=name, resource=resource, **fields, **more)  # type: ignore[arg-type]
    if follows is not None and abs(made.occurred - follows.occurred) < TIGHT_TIMING:
        made.follows = follows.id
    return made


def _aware(instant: datetime.datetime | None) -> datetime.datetime | None:
    if instant is None or instant.tzinfo is not None:
        return instant
    return instant.replace(tzinfo=datetime.timezone.utc)
