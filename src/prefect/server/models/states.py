"""The states of runs as rows: stored once, never changed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, loads
from prefect.server.models._statements import Statement
from prefect.types._ids import uuid7

_STATE_COLUMNS = "id, type, name, timestamp, message, state_details, data"

JOINED_STATE_COLUMNS = (
    "s.id AS s_id, s.type AS s_type, s.name AS s_name, s.timestamp AS s_timestamp, s.message AS s_message, "
    "s.state_details AS s_state_details, s.data AS s_data"
)
"""The columns of a state `s` that is joined to its run."""

_ONE_TICK = timedelta(microseconds=1)


def proposed_state(wanted: StateCreate, now: datetime) -> State[Any]:
    """The state that a request proposes; its id and its timestamp are given when it is stored."""
    details = wanted.state_details.model_copy()  # it is filled in later, and must not change under its sender
    if wanted.type == StateType.SCHEDULED and details.scheduled_time is None:
        details.scheduled_time = now
    # PostgreSQL has no NUL in its texts, and no run may go on because the message of its end cannot be stored.
    message = wanted.message.replace("\0", "") if wanted.message and "\0" in wanted.message else wanted.message
    return State(type=wanted.type, name=wanted.name, message=message, data=wanted.data, state_details=details)


def stamp(state: State[Any], now: datetime, after: datetime | None) -> None:
    """Give a state the id and the timestamp under which it is stored.

    Timestamps of one run are unique and ascend, also when two states come in the same microsecond, or a clock was
    set back.
    """
    state.id = uuid7()
    state.timestamp = now if after is None or now > after else after.astimezone(timezone.utc) + _ONE_TICK


def read_state(row: Any) -> State[Any]:
    """A state from its row."""
    return _state(row, "")


def read_joined_state(row: Any) -> State[Any] | None:
    """The state that was joined to a run's row as `JOINED_STATE_COLUMNS`, if the run has one."""
    return _state(row, "s_") if row["s_id"] is not None else None


def _state(row: Any, prefix: str) -> State[Any]:
    data = row[prefix + "data"]
    return State.model_validate(
        {
            "id": row[prefix + "id"],
            "type": row[prefix + "type"],
            "name": row[prefix + "name"],
            "timestamp": row[prefix + "timestamp"],
            "message": row[prefix + "message"],
            "state_details": loads(row[prefix + "state_details"]),
            "data": None if data is None else loads(data),
        }
    )


def state_values(
    state: State[Any], run_id: UUID, id: UUID | None = None, details: StateDetails | None = None
) -> tuple[Any, ...]:
    """The columns of a state; `id` and `details` stand for its own where they are given."""
    return (
        id or state.id,
        run_id,
        state.type.value,
        state.name,
        state.timestamp,
        state.message,
        (details or state.state_details).model_dump_json(exclude_defaults=True),
        None if state.data is None else dumps(state.data),
    )


def result_insert(
    state: State[Any], now: datetime, *, flow_run_id: UUID | None, task_run_id: UUID | None = None
) -> list[Statement]:
    """The statement that stores the result of a state as an artifact of its run; none where it has no stored result."""
    if state.data is None or (isinstance(state.data, dict) and state.data.get("type") == "unpersisted"):
        return []
    return [
        (
            "INSERT INTO artifact (id, created, updated, type, data, flow_run_id, task_run_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (uuid7(), now, now, "result", dumps(state.data), flow_run_id, task_run_id),
        )
    ]


# -- of flow runs ----------------------------------------------------------------------------------------------------


def flow_run_state_insert(flow_run_id: UUID, state: State[Any]) -> Statement:
    """The statement that stores a state of a flow run."""
    return (
        "INSERT INTO flow_run_state (id, flow_run_id, type, name, timestamp, message, state_details, data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        state_values(state, flow_run_id),
    )


def read_flow_run_state(tx: Transaction, state_id: UUID) -> State[Any] | None:
    """A state of a flow run, by its id."""
    row = tx.fetch_one(f"SELECT {_STATE_COLUMNS} FROM flow_run_state WHERE id = ?", (state_id,))
    return None if row is None else read_state(row)


def read_flow_run_states(tx: Transaction, flow_run_id: UUID) -> list[State[Any]]:
    """The states that a flow run has had, oldest first."""
    rows = tx.fetch_all(
        f"SELECT {_STATE_COLUMNS} FROM flow_run_state WHERE flow_run_id = ? ORDER BY timestamp, id", (flow_run_id,)
    )
    return [read_state(row) for row in rows]


# -- of task runs ----------------------------------------------------------------------------------------------------


def task_run_state_insert(
    task_run_id: UUID, state: State[Any], id: UUID | None = None, details: StateDetails | None = None
) -> Statement:
    """The statement that stores a state of a task run; `id` and `details` stand for its own where they are given."""
    return (
        "INSERT INTO task_run_state (id, task_run_id, type, name, timestamp, message, state_details, data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        state_values(state, task_run_id, id, details),
    )


def read_task_run_state(tx: Transaction, state_id: UUID) -> State[Any] | None:
    """A state of a task run, by its id."""
    row = tx.fetch_one(f"SELECT {_STATE_COLUMNS} FROM task_run_state WHERE id = ?", (state_id,))
    return None if row is None else read_state(row)


def read_task_run_states(tx: Transaction, task_run_id: UUID) -> list[State[Any]]:
    """The states that a task run has had, oldest first."""
    rows = tx.fetch_all(
        f"SELECT {_STATE_COLUMNS} FROM task_run_state WHERE task_run_id = ? ORDER BY timestamp, id", (task_run_id,)
    )
    return [read_state(row) for row in rows]
