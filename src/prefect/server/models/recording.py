"""Stores what recorders send: task-run transitions, their events, and logs, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from itertools import repeat
from time import monotonic
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson

from prefect._outside_flows import OutsideFlows
from prefect.server.database.notifications import BACKGROUND_RUNS, EVENTS, LOGS
from prefect.server.database.store import Transaction
from prefect.server.database.values import encode_any_json, plain_time
from prefect.types._ids import uuid7

_TASK_RUN_COLUMNS = (
    "id, created, updated, name, flow_run_id, task_key, dynamic_key, task_version, cache_key, cache_expiration, "
    "empirical_policy, task_inputs, tags, labels, flow_run_run_count, state_id, state_type, state_name, "
    "state_timestamp, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time"
)
# A transition that arrives late, or twice, must not take a run back to an older state.
_TASK_RUN_CONFLICT = """
    ON CONFLICT (id) DO UPDATE SET
        updated = excluded.updated, name = excluded.name, cache_key = excluded.cache_key,
        cache_expiration = excluded.cache_expiration, task_inputs = excluded.task_inputs, tags = excluded.tags,
        flow_run_run_count = excluded.flow_run_run_count, state_id = excluded.state_id,
        state_type = excluded.state_type, state_name = excluded.state_name,
        state_timestamp = excluded.state_timestamp, run_count = excluded.run_count,
        expected_start_time = excluded.expected_start_time,
        next_scheduled_start_time = excluded.next_scheduled_start_time, start_time = excluded.start_time,
        end_time = excluded.end_time, total_run_time = excluded.total_run_time
    WHERE task_run.state_timestamp IS NULL OR excluded.state_timestamp > task_run.state_timestamp"""
_STATE_COLUMNS = "id, task_run_id, type, name, timestamp, message, state_details, data"
_EVENT_COLUMNS = "id, occurred, received, event, resource_id, related_set_id, follows"
_LOG_COLUMNS = "id, created, name, level, timestamp, message, flow_run_id, task_run_id"
_ONCE = "ON CONFLICT (id) DO NOTHING"

_TAGS = 11
"""Where the tags stand in a snapshot."""

Transition = tuple[tuple[Any, ...], Any, Any, Any]


def record_transitions(tx: Transaction, transitions: Sequence[Transition], outside: OutsideFlows | None = None) -> None:
    """Store task runs, their new states and the events of these, each once.

    Args:
        transitions: (snapshot in the order of `SNAPSHOT_FIELDS`, state, previous state or None, related set or None).
        outside: Notes the runs outside of flows, where somebody wants to know of them.
    """
    received = plain_time(tx.now)
    # By the number of the id: a UUID's own hash is a function of Python, and slow.
    runs: dict[int, tuple[Any, ...]] = {}
    texts: dict[int, str] = {}
    states: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    related: dict[str, Any] = {}
    for snapshot, state, previous, related_set in transitions:
        run_id = snapshot[0]
        run_text, occurred = _text(run_id, texts), plain_time(state.timestamp)
        runs[run_id.int] = snapshot
        flow_run_id = snapshot[3]
        if flow_run_id is None:
            if state.type == "SCHEDULED":
                tx.tell(BACKGROUND_RUNS)
            if outside is not None:
                outside.note(run_id, state, previous)
        states.append(
            (
                state.id,
                run_id,
                state.type,
                state.name,
                occurred,
                state.message.replace("\0", "") if state.message and "\0" in state.message else state.message,
                _details(run_text, None if flow_run_id is None else _text(flow_run_id, texts), state.details),
                None if state.stored_data is None else _json(state.stored_data),
            )
        )
        related_id = None
        if related_set is not None:
            related_id = related_set.id
            related[related_id] = related_set
        events.append(
            (
                state.id,
                occurred,
                received,
                "prefect.task-run." + state.name,
                "prefect.task-run." + run_text,
                related_id,
                None if previous is None else previous.id,
            )
        )
    store_related_sets(tx, related.values())
    tx.insert_many(
        "task_run",
        _TASK_RUN_COLUMNS,
        [_run_row(_without_nul(run), received) for run in runs.values()],
        _TASK_RUN_CONFLICT,
    )
    tx.insert_many("task_run_state", _STATE_COLUMNS, states, _ONCE)
    tx.insert_many("event", _EVENT_COLUMNS, events, _ONCE)
    tx.tell(EVENTS)


def record_logs(
    tx: Transaction,
    logs: Iterable[tuple[str, int, str, float | datetime, UUID | None, UUID | None]],
    ids: Iterable[UUID | None] = repeat(None),
) -> None:
    """Store log lines: (logger name, level, message, time, flow run id, task run id).

    Args:
        logs: The lines.
        ids: Their ids; made here where there is none. A line whose id is known is stored already.
    """
    created = plain_time(tx.now)
    rows = [
        (
            id or uuid7(),
            created,
            name.replace("\0", ""),
            level,
            plain_time(
                timestamp if isinstance(timestamp, datetime) else datetime.fromtimestamp(timestamp, timezone.utc)
            ),
            message.replace("\0", "") if "\0" in message else message,
            flow_run_id,
            task_run_id,
        )
        for id, (name, level, message, timestamp, flow_run_id, task_run_id) in zip(ids, logs, strict=False)
    ]
    tx.insert_many("log", _LOG_COLUMNS, rows, _ONCE)
    tx.tell(LOGS)


_KNOWN_SECONDS = 60.0
"""So long a set that was seen counts as stored. Sets go only long after the last event that refers to them."""
_MOST_KNOWN_SETS = 10_000
_known_sets: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()
"""The sets that are known to be stored, by database: each has a dialect object of its own."""


def forget_known_sets() -> None:
    """Look again which sets of related resources are stored: somebody has emptied a database."""
    _known_sets.clear()


def store_related_sets(tx: Transaction, sets: Iterable[Any]) -> None:
    """Store sets of related resources (`id`, `text`, `resources`); a set that is there already costs one look-up."""
    known = _known_sets.setdefault(tx.dialect, {})
    now = monotonic()
    for related in sets:
        if known.get(related.id, 0.0) > now:
            continue
        if not tx.execute(
            "INSERT INTO event_related_set (id, resources) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
            (related.id, related.text),
        ):
            if len(known) >= _MOST_KNOWN_SETS:
                known.clear()
            known[related.id] = now + _KNOWN_SECONDS  # only what is seen: what this transaction stores it may take back
            continue
        tx.execute_many(
            "INSERT INTO event_related (resource_id, set_id, position, role) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (resource["prefect.resource.id"], related.id, position, resource["prefect.resource.role"])
                for position, resource in enumerate(related.resources)
            ],
        )


def _run_row(run: tuple[Any, ...], now: datetime | str) -> tuple[Any, ...]:
    (
        id, created, name, flow_run_id, task_key, dynamic_key, task_version, cache_key, cache_expiration, policy,
        task_inputs, tags, labels, flow_run_run_count, state, run_count, expected, scheduled, start, end, run_time,
    ) = run  # fmt: skip
    return (
        id,
        plain_time(created),
        now,
        name,
        flow_run_id,
        task_key,
        dynamic_key,
        task_version,
        cache_key,
        _time(cache_expiration),
        _json(policy) if policy else "{}",
        _json(task_inputs) if task_inputs else "{}",
        _json(tags) if tags else "[]",
        _json(labels) if labels else "{}",
        flow_run_run_count,
        state.id,
        state.type,
        state.name,
        plain_time(state.timestamp),
        run_count,
        _time(expected),
        _time(scheduled),
        _time(start),
        _time(end),
        run_time,
    )


def _without_nul(snapshot: tuple[Any, ...]) -> tuple[Any, ...]:
    # PostgreSQL has no NUL in its texts and lists of tags, and one task run must not hold up the others of its batch.
    tags = snapshot[_TAGS]
    if not any(type(value) is str and "\0" in value for value in snapshot) and not (tags and "\0" in "".join(tags)):
        return snapshot
    cleaned = [value.replace("\0", "") if isinstance(value, str) else value for value in snapshot]
    cleaned[_TAGS] = [tag.replace("\0", "") for tag in tags or ()]
    return tuple(cleaned)


def _text(id: UUID, known: dict[int, str]) -> str:
    number = id.int
    text = known.get(number)
    if text is None:
        text = known[number] = str(id)
    return text


def _details(run_id: str, flow_run_id: str | None, details: dict[str, Any] | None) -> str:
    if not details:
        # Both ids are our own text: nothing in them needs escaping.
        flow = "" if flow_run_id is None else f'"flow_run_id":"{flow_run_id}",'
        return f'{{{flow}"task_run_id":"{run_id}"}}'
    return _json({"flow_run_id": flow_run_id, "task_run_id": run_id, **details})


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return encode_any_json(value, str)


def _time(value: datetime | None) -> datetime | str | None:
    return None if value is None else plain_time(value)
