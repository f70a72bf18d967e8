"""Reads events: pages of them, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal
from uuid import UUID

from prefect.events.filters import EventFilter, EventOrder
from prefect.events.schemas.events import ReceivedEvent
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause, all_of, is_in
from prefect.server.database.filters.events import event_clause, resource_label
from prefect.server.database.store import Transaction
from prefect.server.models import task_run_events
from prefect.server.models._rows import decode_id, decode_time, loads
from prefect.server.models._slices import slice_number
from prefect.server.models.errors import Invalid

_MOST_VALUES = 10_000
"""In one filter, over all of its lists. PostgreSQL takes 65 535 in a statement, SQLite 32 766."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of an event among others: the next page starts behind it."""

    occurred: datetime
    id: UUID


def read_events(
    tx: Transaction,
    wanted: EventFilter,
    limit: int,
    after: Position | None = None,
    among: Sequence[UUID] | None = None,
) -> list[ReceivedEvent]:
    """The events that meet a filter, in its order, from behind a position on; only those of some ids if these are given."""
    source, params = _source(tx.dialect, wanted)
    is_ascending = wanted.order == EventOrder.ASC
    direction, beyond = ("ASC", ">") if is_ascending else ("DESC", "<")
    behind = all_of()
    if after is not None:
        behind = Clause(
            f"event.occurred {beyond} ? OR (event.occurred = ? AND event.id {beyond} ?)",
            (after.occurred, after.occurred, after.id),
        )
    behind = all_of(behind, is_in("event.id", among))
    rows = tx.fetch_all(
        "SELECT event.id, event.occurred, event.received, event.event, event.resource_id, event.resource, "
        f"event.payload, event.follows, related_set.resources AS related FROM {source} "
        "LEFT JOIN event_related_set AS related_set ON related_set.id = event.related_set_id "
        f"WHERE {behind.sql} ORDER BY event.occurred {direction}, event.id {direction} LIMIT ?",
        (*params, *behind.params, limit),
    )
    return _events(tx, rows)


def count_events(tx: Transaction, wanted: EventFilter) -> int:
    """How many events meet a filter."""
    source, params = _source(tx.dialect, wanted)
    row = tx.fetch_one(f"SELECT COUNT(*) AS total FROM {source}", params)
    assert row is not None
    return row["total"]


def _source(dialect: Dialect, wanted: EventFilter) -> tuple[str, tuple[Any, ...]]:
    """The rows that meet a filter, as a table named `event`."""
    where = _where(dialect, wanted)
    if wanted.resource is None or not wanted.resource.distinct:
        return f"(SELECT * FROM event WHERE {where.sql}) AS event", where.params
    newest = "ROW_NUMBER() OVER (PARTITION BY event.resource_id ORDER BY event.occurred DESC, event.id DESC) AS place"
    ranked = f"SELECT event.*, {newest} FROM event WHERE {where.sql}"
    return f"(SELECT * FROM ({ranked}) AS ranked WHERE place = 1) AS event", where.params


def _where(dialect: Dialect, wanted: EventFilter) -> Clause:
    where = event_clause(dialect, wanted)
    if len(where.params) > _MOST_VALUES:
        raise Invalid(
            f"The filter names {len(where.params)} values, and {_MOST_VALUES} are the most that can be looked for at once. "
            "Send several requests with shorter lists."
        )
    return where


def _events(tx: Transaction, rows: Sequence[Any]) -> list[ReceivedEvent]:
    made = task_run_events.describe(tx, [row for row in rows if row["resource"] is None])
    events: list[ReceivedEvent] = []
    for row in rows:
        if row["resource"] is None:
            resource, payload = made[row["id"]]
        else:
            resource, payload = loads(row["resource"]), loads(row["payload"] or "{}")
        events.append(
            ReceivedEvent.model_validate(
                {
                    "id": decode_id(row["id"]),
                    "occurred": decode_time(row["occurred"]),
                    "received": decode_time(row["received"]),
                    "event": row["event"],
                    "resource": resource,
                    "related": loads(row["related"] or "[]"),
                    "payload": payload,
                    "follows": decode_id(row["follows"]),
                }
            )
        )
    return events


# -- counts ----------------------------------------------------------------------------------------------------------

_PIVOT = datetime(2024, 4, 1, tzinfo=timezone.utc)
"""The spans of time that events are counted in are measured from here, so that they are the same on every day."""
_MOST_SPANS = 1000
_SPANS = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


def count_events_by_name(tx: Transaction, wanted: EventFilter) -> list[dict[str, Any]]:
    """How many events of each name meet a filter, the most frequent first."""
    if _is_told_by_indexes(tx, wanted):
        return _counts_of_names(tx, wanted)
    return _count_by(tx, wanted, "event.event", Clause("event.event"))


def _is_told_by_indexes(tx: Transaction, wanted: EventFilter) -> bool:
    """Whether SQLite, which sorts what it groups, counts sooner group by group, from an index of times and names alone."""
    return tx.dialect.name == "sqlite" and not wanted.model_fields_set - {"occurred", "event", "order"}


def _counts_of_names(tx: Transaction, wanted: EventFilter) -> list[dict[str, Any]]:
    where = _where(tx.dialect, wanted)
    of_name = f"FROM event WHERE event.event = name.event AND {where.sql}"
    rows = tx.fetch_all(
        "WITH RECURSIVE name (event) AS (SELECT MIN(event) FROM event UNION ALL "
        "SELECT (SELECT MIN(event) FROM event WHERE event > name.event) FROM name WHERE name.event IS NOT NULL) "
        f"SELECT name.event AS value, name.event AS label, (SELECT COUNT(*) {of_name}) AS total, "
        f"(SELECT MIN(occurred) {of_name}) AS start_time, (SELECT MAX(occurred) {of_name}) AS end_time "
        "FROM name WHERE total > 0 ORDER BY total DESC, label",
        where.params * 3,
    )
    return _counts(rows)


def count_events_by_resource(tx: Transaction, wanted: EventFilter) -> list[dict[str, Any]]:
    """How many events of each resource meet a filter, the most frequent first."""
    name = resource_label(tx.dialect, "prefect.resource.name")
    other_name = resource_label(tx.dialect, "prefect.name")
    label = Clause(
        f"MAX(COALESCE({name.sql}, {other_name.sql}, event.resource_id))", (*name.params, *other_name.params)
    )
    return _count_by(tx, wanted, "event.resource_id", label)


def _count_by(tx: Transaction, wanted: EventFilter, value: str, label: Clause) -> list[dict[str, Any]]:
    source, params = _source(tx.dialect, wanted)
    rows = tx.fetch_all(
        f"SELECT {value} AS value, {label.sql} AS label, COUNT(*) AS total, MIN(event.occurred) AS start_time, "
        f"MAX(event.occurred) AS end_time FROM {source} GROUP BY {value} ORDER BY total DESC, label",
        (*label.params, *params),
    )
    return _counts(rows)


def _counts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "value": row["value"],
            "label": row["label"],
            "count": row["total"],
            "start_time": decode_time(row["start_time"]),
            "end_time": decode_time(row["end_time"]),
        }
        for row in rows
    ]


def count_events_by_time(
    tx: Transaction,
    wanted: EventFilter,
    unit: Literal["week", "day", "hour", "minute", "second"],
    interval: float,
) -> list[dict[str, Any]]:
    """How many events that meet a filter fell into each span of its time, none left out, oldest first.

    Args:
        unit: What the spans are measured in.
        interval: How many units a span has.

    Raises:
        Invalid: There would be more than 1000 spans.
    """
    span = _SPANS[unit] * interval
    start = _PIVOT + ((wanted.occurred.since - _PIVOT) // span) * span
    spans = -((start - min(wanted.occurred.until, tx.now)) // span)
    if spans > _MOST_SPANS:
        raise Invalid(
            f"This would count {spans} spans of time, and {_MOST_SPANS} are the most that can be answered. "
            "Ask for a longer interval or a shorter time."
        )
    # One more than there are spans: an event may have occurred in the future.
    borders = [start + number * span for number in range(1, spans + 1)]
    if _is_told_by_indexes(tx, wanted):
        counts = _counts_in_order(tx, wanted, borders)
    else:
        counts = _counts_by_span(tx, wanted, borders)
    return [
        {
            "value": str(number),
            "label": (start + number * span).isoformat(),
            "count": counts.get(number, 0),
            "start_time": start + number * span,
            "end_time": start + (number + 1) * span - timedelta(microseconds=1),
        }
        for number in range(max(spans, 0))
    ]


def _counts_in_order(tx: Transaction, wanted: EventFilter, borders: Sequence[datetime]) -> dict[int, int]:
    """As `_counts_by_span`, span by span: what an index of times and names can tell needs no sorting then."""
    counts: dict[int, int] = {}
    since = wanted.occurred.since
    for number, border in enumerate(borders):
        end = min(border - timedelta(microseconds=1), wanted.occurred.until)
        occurred = wanted.occurred.model_copy(update={"since": since, "until": end})
        counts[number] = count_events(tx, wanted.model_copy(update={"occurred": occurred}))
        since = border
    return counts


def _counts_by_span(tx: Transaction, wanted: EventFilter, borders: Sequence[datetime]) -> dict[int, int]:
    source, params = _source(tx.dialect, wanted)
    number = slice_number(tx.dialect, "event.occurred", borders)
    rows = tx.fetch_all(
        f"SELECT {number.sql} AS number, COUNT(*) AS total FROM {source} GROUP BY 1", (*number.params, *params)
    )
    return {row["number"]: row["total"] for row in rows}
