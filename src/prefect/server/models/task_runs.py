"""Task runs: most are written by the recorder; clients without one create them here."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import TaskRunCreate, TaskRunUpdate
from prefect.client.schemas.objects import State, TaskRun
from prefect.client.schemas.sorting import TaskRunSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, dumps, loads
from prefect.server.models.lateness import estimated_lateness, estimated_run_time
from prefect.server.models.run_deletion import delete_task_run_records
from prefect.server.models.states import JOINED_STATE_COLUMNS, read_joined_state, task_run_state_insert
from prefect.server.models.task_run_transitions import first_state, tell_of_background_run
from prefect.types._ids import uuid7
from prefect.utilities.names import generate_slug

_JSON_COLUMNS = ("empirical_policy", "task_inputs", "tags", "labels")
_SELECT = (
    f"SELECT task_run.*, {JOINED_STATE_COLUMNS} FROM task_run LEFT JOIN task_run_state s ON s.id = task_run.state_id"
)
_INSERT_COLUMNS = (
    "id",
    "created",
    "updated",
    "name",
    "flow_run_id",
    "task_key",
    "dynamic_key",
    "task_version",
    "cache_key",
    "cache_expiration",
    "empirical_policy",
    "task_inputs",
    "tags",
    "labels",
    "flow_run_run_count",
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "run_count",
    "expected_start_time",
    "next_scheduled_start_time",
    "start_time",
    "end_time",
    "total_run_time",
)
_INSERT = (
    f"INSERT INTO task_run ({', '.join(_INSERT_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _INSERT_COLUMNS)}) "
    "ON CONFLICT DO NOTHING"
)


def create_task_run(tx: Transaction, wanted: TaskRunCreate) -> tuple[TaskRun, bool]:
    """Make a task run in its first state, PENDING when none is wanted.

    Returns:
        The run, and whether it is new. One of the same flow run, task and dynamic key is returned as it is.
    """
    # Runs outside flows are no rivals of each other in the index that tells the others apart.
    existing = _read_same(tx, wanted) if wanted.flow_run_id is None else None
    if existing is not None:
        return existing, False
    run = _new_row(tx, wanted)
    state = first_state(run, wanted.state, datetime.now(timezone.utc))
    if not tx.execute(_INSERT, run):
        existing = _read_same(tx, wanted)
        assert existing is not None
        return existing, False
    tx.execute_all([task_run_state_insert(run["id"], state)])
    tell_of_background_run(tx, run)
    return _task_run(run, state, tx.now), True


def _read_same(tx: Transaction, wanted: TaskRunCreate) -> TaskRun | None:
    owner = "IS NULL" if wanted.flow_run_id is None else "= ?"
    same = f"task_run.flow_run_id {owner} AND task_run.task_key = ? AND task_run.dynamic_key = ?"
    values = (wanted.flow_run_id, wanted.task_key, wanted.dynamic_key)
    row = tx.fetch_one(f"{_SELECT} WHERE {same}", values if wanted.flow_run_id is not None else values[1:])
    if row is None and wanted.id is not None:
        row = tx.fetch_one(f"{_SELECT} WHERE task_run.id = ?", (wanted.id,))
    return _joined(row, tx.now)


def _new_row(tx: Transaction, wanted: TaskRunCreate) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    if wanted.flow_run_id is not None:
        owner = tx.fetch_one("SELECT labels FROM flow_run WHERE id = ?", (wanted.flow_run_id,))
        labels = {
            **(loads(owner["labels"]) if owner is not None else {}),
            "prefect.flow-run.id": str(wanted.flow_run_id),
        }
    run: dict[str, Any] = dict.fromkeys(_INSERT_COLUMNS)
    run.update(
        id=wanted.id or uuid7(),
        created=tx.now,
        updated=tx.now,
        name=wanted.name or generate_slug(2),
        flow_run_id=wanted.flow_run_id,
        task_key=wanted.task_key,
        dynamic_key=wanted.dynamic_key,
        task_version=wanted.task_version,
        cache_key=wanted.cache_key,
        cache_expiration=wanted.cache_expiration,
        empirical_policy=wanted.empirical_policy.model_dump_json(),
        task_inputs=dumps(wanted.task_inputs),
        tags=dumps(wanted.tags),
        labels=dumps({**labels, **(wanted.labels or {})}),
        flow_run_run_count=0,
        run_count=0,
        total_run_time=0.0,
    )
    return run


def read_task_run(tx: Transaction, id: UUID) -> TaskRun | None:
    """A task run, by its id."""
    return _joined(tx.fetch_one(f"{_SELECT} WHERE task_run.id = ?", (id,)), tx.now)


def _joined(row: Any | None, now: datetime) -> TaskRun | None:
    return None if row is None else _task_run(row, read_joined_state(row), now)


def _task_run(row: Any, state: State[Any] | None, now: datetime) -> TaskRun:
    values = decode_json(row, _JSON_COLUMNS)
    values["state"] = state
    values["estimated_run_time"] = estimated_run_time(row, now)
    values["estimated_start_time_delta"] = estimated_lateness(row, now)
    return TaskRun.model_validate(values)


def update_task_run(tx: Transaction, id: UUID, changes: TaskRunUpdate) -> bool:
    """Rename a task run; whether there is such a run."""
    if "name" not in changes.model_fields_set:
        return tx.fetch_one("SELECT 1 FROM task_run WHERE id = ?", (id,)) is not None
    name = changes.name or generate_slug(2)
    return tx.execute("UPDATE task_run SET name = ?, updated = ? WHERE id = ?", (name, tx.now, id)) > 0


def delete_task_run(tx: Transaction, id: UUID) -> bool:
    """Delete a task run with its states and logs; whether there was such a run. A subflow run that it tracks stays."""
    delete_task_run_records(tx, "SELECT id FROM task_run WHERE id = ?", (id,))
    return tx.execute("DELETE FROM task_run WHERE id = ?", (id,)) > 0


# -- many ------------------------------------------------------------------------------------------------------------

_ORDER = {
    TaskRunSort.ID_DESC: "task_run.id DESC",
    TaskRunSort.EXPECTED_START_TIME_ASC: "task_run.expected_start_time ASC NULLS LAST, task_run.id",
    TaskRunSort.EXPECTED_START_TIME_DESC: "task_run.expected_start_time DESC NULLS LAST, task_run.id",
    TaskRunSort.NAME_ASC: "task_run.name ASC, task_run.id",
    TaskRunSort.NAME_DESC: "task_run.name DESC, task_run.id",
    TaskRunSort.NEXT_SCHEDULED_START_TIME_ASC: "task_run.next_scheduled_start_time ASC NULLS LAST, task_run.id",
    TaskRunSort.END_TIME_DESC: "task_run.end_time DESC NULLS LAST, task_run.id",
}


def read_task_runs(tx: Transaction, where: Clause, sort: TaskRunSort, limit: int, offset: int = 0) -> list[TaskRun]:
    """The task runs that meet a condition."""
    rows = tx.fetch_all(
        f"{_SELECT} WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?", (*where.params, limit, offset)
    )
    return [_task_run(row, read_joined_state(row), tx.now) for row in rows]


def count_task_runs(tx: Transaction, where: Clause) -> int:
    """How many task runs meet a condition."""
    row = tx.fetch_one(f"SELECT COUNT(*) AS total FROM task_run WHERE {where.sql}", where.params)
    assert row is not None
    return row["total"]
