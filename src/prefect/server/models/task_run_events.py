"""The events of task runs' transitions: made from the states that they tell of when they are read."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, decode_time, loads, placeholders

_LONGEST_MESSAGE = 100_000
_STATES = (
    "SELECT s.id AS s_id, s.task_run_id AS s_task_run_id, s.type AS s_type, s.name AS s_name, "
    "s.timestamp AS s_timestamp, s.message AS s_message, s.state_details AS s_state_details, s.data AS s_data, t.* "
    "FROM task_run_state s LEFT JOIN task_run t ON t.id = s.task_run_id WHERE s.id IN ({})"
)
_RUN_JSON = ("empirical_policy", "task_inputs", "tags", "labels")
_NOT_IN_PAYLOAD = frozenset({"id", "created", "updated", "flow_run_id", "state_id", "state_type", "state_name"})
_TIMES = ("cache_expiration", "expected_start_time", "next_scheduled_start_time", "start_time", "end_time")


def describe(tx: Transaction, events: Sequence[Any]) -> dict[Any, tuple[dict[str, str], dict[str, Any]]]:
    """The labels and the payload of task runs' events, by event id.

    Args:
        events: Rows of `event` that have no labels of their own.
    """
    if not events:
        return {}
    ids = {row["id"] for row in events} | {row["follows"] for row in events if row["follows"] is not None}
    states = {row["s_id"]: row for row in tx.fetch_all(_STATES.format(placeholders(len(ids))), list(ids))}
    starts = _starts(tx, {row["s_task_run_id"] for row in states.values()})
    return {row["id"]: _describe(row, states.get(row["id"]), states.get(row["follows"]), starts) for row in events}


def _starts(tx: Transaction, task_run_ids: set[Any]) -> dict[Any, list[datetime]]:
    """When task runs have entered RUNNING, in order."""
    starts: defaultdict[Any, list[datetime]] = defaultdict(list)
    if task_run_ids:
        rows = tx.fetch_all(
            "SELECT task_run_id, timestamp FROM task_run_state "
            f"WHERE task_run_id IN ({placeholders(len(task_run_ids))}) AND type = 'RUNNING' ORDER BY timestamp",
            list(task_run_ids),
        )
        for row in rows:
            starts[row["task_run_id"]].append(_time(row["timestamp"]))
    return starts


def _describe(
    event: Any, state: Any | None, previous: Any | None, starts: dict[Any, list[datetime]]
) -> tuple[dict[str, str], dict[str, Any]]:
    labels = {"prefect.resource.id": event["resource_id"]}
    if state is None:  # the run was deleted; its events stay
        return labels, {}
    at = _time(state["s_timestamp"])
    run_count = bisect_right(starts.get(state["s_task_run_id"], []), at)
    if state["name"] is not None:
        labels["prefect.resource.name"] = state["name"]
    labels |= {
        "prefect.run-count": str(run_count),
        "prefect.state-message": (state["s_message"] or "")[:_LONGEST_MESSAGE],
        "prefect.state-name": state["s_name"],
        "prefect.state-timestamp": at.isoformat(),
        "prefect.state-type": state["s_type"],
        "prefect.orchestration": "client",
    }
    data = state["s_data"]
    payload = {
        "intended": {"from": None if previous is None else previous["s_type"], "to": state["s_type"]},
        "initial_state": None if previous is None else _summary(previous),
        "validated_state": {**_summary(state), "data": None if data is None else loads(data)},
        "task_run": _run_payload(state, run_count),
    }
    return labels, payload


def _summary(state: Any) -> dict[str, Any]:
    details = loads(state["s_state_details"])
    return {
        "type": state["s_type"],
        "name": state["s_name"],
        "message": (state["s_message"] or "")[:_LONGEST_MESSAGE],
        "state_details": {k: v for k, v in details.items() if k not in ("flow_run_id", "task_run_id")},
    }


def _run_payload(state: Any, run_count: int) -> dict[str, Any]:
    if state["id"] is None:
        return {}
    values = decode_json(state, _RUN_JSON)
    run = {
        name: value
        for name, value in values.items()
        if value is not None and not name.startswith("s_") and name not in _NOT_IN_PAYLOAD and name != "state_timestamp"
    }
    for name in _TIMES:
        if name in run:
            run[name] = _time(run[name]).isoformat().replace("+00:00", "Z")
    return {**run, "run_count": run_count}


def _time(value: Any) -> datetime:
    time = decode_time(value)
    assert time is not None
    return time
