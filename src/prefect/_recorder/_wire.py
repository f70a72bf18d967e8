"""How records travel to a server: each as one JSON text, made once, so that what is sent twice has the same id."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, NamedTuple

from pydantic_core import to_json

from prefect._recorder._recorder import Batch
from prefect._recorder._records import SNAPSHOT_FIELDS
from prefect.types._ids import uuid7

EVENT, LOG = b"E", b"L"
_LONGEST_STATE_MESSAGE = 100_000
_ID_PREFIX = len(b'{"id":"00000000-0000-0000-0000-000000000000",')


class Record(NamedTuple):
    """One event or log line.

    Attributes:
        kind: `EVENT` or `LOG`.
        text: Its JSON, on one line.
    """

    kind: bytes
    text: bytes


def records_of(batch: Batch, event_bytes: int) -> list[Record]:
    """The records of a batch: transitions and events as events, in their order, then logs.

    Args:
        event_bytes: What one event may have; larger ones lose parts of their payload, and say so.
    """
    events = [transition_event(*transition) for transition in batch.transitions]
    events += [event.model_dump(mode="json") for event in batch.events]
    return [
        *(Record(EVENT, _fitting(event, event_bytes)) for event in events),
        *(Record(LOG, to_json(_log(*line), fallback=str)) for line in batch.logs),
    ]


def without_id(log: bytes) -> bytes:
    """A log line for servers that refuse ids of logs."""
    return b"{" + log[_ID_PREFIX:]


def _fitting(event: dict[str, Any], limit: int) -> bytes:
    text = to_json(event, fallback=str)
    if len(text) <= limit:
        return text
    payload = event.get("payload") or {}
    note = f"left out: the event had {len(text)} bytes, and may have {limit}"
    # The largest parts go, one after the other, until the rest fits.
    while len(text) > limit:
        parts = [(len(to_json(value, fallback=str)), payload, name) for name, value in payload.items()]
        for section in [value for value in payload.values() if isinstance(value, dict)]:
            parts += [(len(to_json(value, fallback=str)), section, name) for name, value in section.items()]
        # A section goes part by part, not as a whole: what remains tells more.
        parts = [part for part in parts if not isinstance(part[1][part[2]], dict) or part[1] is not payload]
        parts = [part for part in parts if part[0] > len(note) + 2]
        if not parts:
            return text
        _, section, name = max(parts, key=lambda part: part[0])
        section[name] = {} if isinstance(section[name], dict) else note if isinstance(section[name], str) else None
        payload["prefect.note"] = f"{name!r} was {note}"
        text = to_json(event, fallback=str)
    return text


def transition_event(snapshot: tuple[Any, ...], state: Any, previous: Any, related: Any) -> dict[str, Any]:
    """The event by which a server learns of a task run's transition."""
    run = dict(zip(SNAPSHOT_FIELDS, snapshot, strict=True))
    run.pop("state")
    policy = run.pop("policy")
    labels = run.pop("labels")
    details = {"task_run_id": run["id"], "flow_run_id": run["flow_run_id"], **(state.details or {})}
    return {
        "id": str(state.id),
        "occurred": _instant(state.timestamp),
        "event": f"prefect.task-run.{state.name}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run['id']}",
            "prefect.resource.name": run["name"],
            "prefect.run-count": str(run["run_count"]),
            "prefect.state-message": (state.message or "")[:_LONGEST_STATE_MESSAGE],
            "prefect.state-type": state.type,
            "prefect.state-name": state.name,
            "prefect.state-timestamp": _instant(state.timestamp),
            "prefect.orchestration": "client",
        },
        "related": list(related.resources) if related is not None else [],
        "payload": {
            "intended": {"from": previous.type if previous is not None else None, "to": state.type},
            "initial_state": _short(previous),
            "validated_state": {
                **_short(state),
                "state_details": {name: _plain(value) for name, value in details.items() if value is not None},
                "data": state.stored_data,
            },
            "task_run": {
                **{name: _plain(value) for name, value in run.items()},
                "empirical_policy": policy or {},
                "labels": labels or {},
                "task_inputs": run["task_inputs"] or {},
                "tags": list(run["tags"]),
            },
        },
        "follows": str(previous.id) if previous is not None else None,
    }


def _short(state: Any) -> Any:
    if state is None:
        return None
    return {"type": state.type, "name": state.name, "message": state.message or ""}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return _instant(value)
    return value if isinstance(value, (int, float, bool, dict, list, tuple, type(None))) else str(value)


def _instant(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _log(name: str, level: int, message: str, timestamp: Any, flow_run_id: Any, task_run_id: Any) -> dict[str, Any]:
    when = timestamp if isinstance(timestamp, datetime) else datetime.fromtimestamp(timestamp, timezone.utc)
    return {
        "id": str(uuid7()),  # stands first: `without_id` relies on it
        "name": name,
        "level": level,
        "message": message,
        "timestamp": _instant(when),
        "flow_run_id": None if flow_run_id is None else str(flow_run_id),
        "task_run_id": None if task_run_id is None else str(task_run_id),
    }
