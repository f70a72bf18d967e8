"""Stores events: those that the server itself causes, and those that clients send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect._outside_flows import OutsideFlows
from prefect.logging import get_logger
from prefect.server.database.errors import DatabaseDamaged, DatabaseUnavailable
from prefect.server.database.notifications import EVENTS
from prefect.server.database.store import Store, Transaction
from prefect.server.models._rows import dumps
from prefect.server.models._statements import Statement
from prefect.server.models.recording import store_related_sets
from prefect.types._ids import uuid7

if TYPE_CHECKING:
    from prefect.events.schemas.events import Event

logger = get_logger("server.events")

FOLLOWS_WITHIN = timedelta(minutes=5)
"""An event names the one that it follows only when the two lie less than this apart."""

Labels = Mapping[str, str]

_INSERT = (
    "INSERT INTO event (id, occurred, received, event, resource_id, resource, related_set_id, payload, follows) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class RelatedSet:
    """The related resources of an event; stored once, under a key made from its content."""

    id: str
    text: str
    resources: Sequence[Labels]


def related_set(resources: Sequence[Labels]) -> RelatedSet:
    """A set of related resources, as events refer to it."""
    text = dumps(resources)
    return RelatedSet(str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])), text, resources)


def record_event(
    tx: Transaction,
    event: str,
    resource: Labels,
    *,
    related: Sequence[Labels] = (),
    payload: Mapping[str, Any] | None = None,
    id: UUID | None = None,
    occurred: datetime | None = None,
    follows: UUID | None = None,
) -> None:
    """Store an event with the change that it tells of, in the same transaction.

    Args:
        event: Its name.
        resource: The labels of what it is about, `prefect.resource.id` among them.
        related: The labels of other resources, each with `prefect.resource.role` too.
        payload: Anything else that JSON can say.
        id: Its id; an event is stored once.
        occurred: When it happened; now when left out.
        follows: The event that came before it, when that matters.
    """
    tx.execute_all(
        [event_insert(tx, event, resource, related=related, payload=payload, id=id, occurred=occurred, follows=follows)]
    )


def event_insert(
    tx: Transaction,
    event: str,
    resource: Labels,
    *,
    related: Sequence[Labels] = (),
    payload: Mapping[str, Any] | None = None,
    id: UUID | None = None,
    occurred: datetime | None = None,
    follows: UUID | None = None,
) -> Statement:
    """The statement that stores an event; the set of its related resources is stored at once. As `record_event`."""
    id = id or uuid7()
    tx.tell(EVENTS)
    related_id = None
    if related:
        stored = related_set(related)
        store_related_sets(tx, (stored,))
        related_id = stored.id
    return (
        _INSERT,
        (
            id,
            occurred or tx.now,
            tx.now,
            event,
            resource["prefect.resource.id"],
            dumps(resource),
            related_id,
            dumps(payload or {}),
            follows,
        ),
    )


def nul_place(event: Event) -> tuple[str | int, ...] | None:
    """Where an event has a NUL that cannot be stored, if it does; in a payload it can."""
    if "\0" in event.event:
        return ("event",)
    for place, resource in [(("resource",), event.resource), *_related_places(event)]:
        for label, value in resource.root.items():
            if "\0" in label:
                return place
            if "\0" in value:
                return (*place, label)
    return None


def _related_places(event: Event) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    return ((("related", number), resource) for number, resource in enumerate(event.related))


def _without_nul(event: Event) -> Event:
    def clean(resource: Any) -> Any:
        labels = {label.replace("\0", ""): value.replace("\0", "") for label, value in resource.root.items()}
        return type(resource)(labels)

    return event.model_copy(
        update={
            "event": event.event.replace("\0", ""),
            "resource": clean(event.resource),
            "related": [clean(each) for each in event.related],
        }
    )


def record_events_apart(store: Store, events: Sequence[Event], *, is_retry: bool = False) -> list[Event]:
    """Store events that a client sends without waiting for an answer; one that cannot be stored spoils no other.

    Returns:
        Those that were not stored, because the database cannot hold them.

    Raises:
        DatabaseUnavailable: The database cannot be reached now; some of them may be stored.
    """
    try:
        store.write(lambda tx: receive_events(tx, events))
    except (DatabaseUnavailable, DatabaseDamaged):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one event, the others must not go with it
        if len(events) == 1:
            if not is_retry:  # another process may have stored the same task run at the same moment
                return record_events_apart(store, events, is_retry=True)
            logger.warning("The event %s (%r) cannot be stored: %s", events[0].id, events[0].event, error)
            return list(events)
        middle = len(events) // 2
        return [*record_events_apart(store, events[:middle]), *record_events_apart(store, events[middle:])]
    return []


def receive_events(tx: Transaction, events: Sequence[Event], holder: str | None = None) -> timedelta | None:
    """Store events that come from other processes, and believe their heartbeats. As `record_events`.

    Args:
        holder: The process that runs what they tell of, where it says so: it holds its task runs outside of flows.

    Returns:
        How long the leases last that the holder has on them now; None where they give it none.
    """
    outside = None if holder is None else OutsideFlows()
    record_events(tx, events, outside)
    for event in events:
        if event.event == "prefect.flow-run.heartbeat":
            from prefect.server.models.flow_run_leases import follow_heartbeat  # noqa: PLC0415 - it records events itself

            follow_heartbeat(tx, event)
    if holder is None or not outside:
        return None
    from prefect.server.models.task_run_leases import hold_outside_flows  # noqa: PLC0415 - as above

    return hold_outside_flows(tx, outside, holder)


def record_events(tx: Transaction, events: Iterable[Event], outside: OutsideFlows | None = None) -> None:
    """Store events that a client sends; those that tell of a task run's transition store that as well.

    A NUL in a name or a label is left out: the transition that the event tells of must not be lost for it.

    Args:
        outside: Notes the task runs outside of flows, where somebody wants to know of them.
    """
    for event in events:
        if nul_place(event) is not None:
            event = _without_nul(event)
        if event.event.startswith("prefect.task-run."):
            from prefect.server.models.task_run_recording import record_task_run_event  # noqa: PLC0415 - few send these

            if record_task_run_event(tx, event, outside):
                continue
        record_event(
            tx,
            event.event,
            event.resource.root,
            related=[each.root for each in event.related],
            payload=event.payload,
            id=event.id,
            occurred=event.occurred,
            follows=event.follows,
        )
