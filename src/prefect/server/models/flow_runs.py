"""Flow runs: made with their first state, read with their newest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from prefect.client.schemas.actions import FlowRunCreate, FlowRunUpdate
from prefect.client.schemas.objects import CreatedBy, FlowRun, State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.filters.columns import FLOW_RUN_STARTED
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_json, dumps, loads, placeholders
from prefect.server.models._statements import Statement
from prefect.server.models.flow_run_transitions import first_state, record_state
from prefect.server.models.lateness import estimated_lateness, estimated_run_time
from prefect.server.models.run_deletion import delete_flow_run_records
from prefect.server.models.states import JOINED_STATE_COLUMNS, read_joined_state
from prefect.types._ids import uuid7
from prefect.utilities.names import generate_slug

_JSON_COLUMNS = (
    "parameters",
    "context",
    "empirical_policy",
    "tags",
    "labels",
    "created_by",
    "job_variables",
)
_SELECT = (
    f"SELECT flow_run.*, {JOINED_STATE_COLUMNS}, work_queue.name AS joined_queue_name, "
    "work_pool.id AS joined_pool_id, work_pool.name AS joined_pool_name FROM flow_run "
    "LEFT JOIN flow_run_state s ON s.id = flow_run.state_id "
    "LEFT JOIN work_queue ON work_queue.id = flow_run.work_queue_id "
    "LEFT JOIN work_pool ON work_pool.id = work_queue.work_pool_id"
)
_INSERT_COLUMNS = (
    "id",
    "created",
    "updated",
    "name",
    "flow_id",
    "deployment_id",
    "deployment_version",
    "work_queue_id",
    "work_queue_name",
    "flow_version",
    "parameters",
    "idempotency_key",
    "context",
    "empirical_policy",
    "tags",
    "labels",
    "created_by",
    "parent_task_run_id",
    "auto_scheduled",
    "infrastructure_document_id",
    "infrastructure_pid",
    "job_variables",
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
    f"INSERT INTO flow_run ({', '.join(_INSERT_COLUMNS)}) VALUES ({placeholders(len(_INSERT_COLUMNS))}) "
    "ON CONFLICT (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Where a run comes from, as far as its request does not say.

    Attributes:
        created_by: Who asked for it, when that is not a person.
        deployment_version: The version of its deployment.
        work_queue_id: The queue in which it waits for a worker.
        work_queue_name: The name of that queue.
        work_pool_id: The pool of that queue.
        work_pool_name: The name of that pool.
    """

    created_by: CreatedBy | None = None
    deployment_version: str | None = None
    work_queue_id: UUID | None = None
    work_queue_name: str | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None


_BY_HAND = RunOrigin()


def create_flow_run(tx: Transaction, wanted: FlowRunCreate, origin: RunOrigin = _BY_HAND) -> tuple[FlowRun, bool]:
    """Make a flow run in its first state; no rule may refuse that state.

    Args:
        wanted: The run. Without a state it starts PENDING.
        origin: Where it comes from.

    Returns:
        The run, and whether it is new. A run of the same flow with the same idempotency key is returned as it is.
    """
    flow = tx.fetch_one("SELECT name, tags, labels FROM flow WHERE id = ?", (wanted.flow_id,))
    run = _new_row(tx, wanted, origin, flow)
    state = first_state(run, wanted.state, datetime.now(timezone.utc))
    row: Statement = (_INSERT, tuple(run[name] for name in _INSERT_COLUMNS))
    if wanted.idempotency_key is None:
        record_state(tx, run, flow, None, state.type, state, [row], starts=run["run_count"])
        return _flow_run(run, state, tx.now), True
    if not tx.execute(*row):
        existing = read_flow_run_by_key(tx, wanted.flow_id, wanted.idempotency_key)
        assert existing is not None
        return existing, False
    record_state(tx, run, flow, None, state.type, state, starts=run["run_count"])
    return _flow_run(run, state, tx.now), True


def _new_row(tx: Transaction, wanted: FlowRunCreate, origin: RunOrigin, flow: Any | None) -> dict[str, Any]:
    labels = {**(loads(flow["labels"]) if flow is not None else {}), "prefect.flow.id": str(wanted.flow_id)}
    if wanted.deployment_id is not None:
        labels["prefect.deployment.id"] = str(wanted.deployment_id)
    labels.update(wanted.labels or {})
    run: dict[str, Any] = dict.fromkeys(_INSERT_COLUMNS)
    run.update(
        id=uuid7(),
        created=tx.now,
        updated=tx.now,
        name=wanted.name or generate_slug(2),
        flow_id=wanted.flow_id,
        deployment_id=wanted.deployment_id,
        deployment_version=origin.deployment_version,
        work_queue_id=origin.work_queue_id,
        work_queue_name=origin.work_queue_name or wanted.work_queue_name,
        flow_version=wanted.flow_version,
        parameters=dumps(wanted.parameters),
        idempotency_key=wanted.idempotency_key,
        context=dumps(wanted.context),
        empirical_policy=wanted.empirical_policy.model_dump_json(),
        tags=dumps(wanted.tags),
        labels=dumps(labels),
        created_by=None if origin.created_by is None else origin.created_by.model_dump_json(),
        parent_task_run_id=wanted.parent_task_run_id,
        auto_scheduled=False,
        infrastructure_document_id=wanted.infrastructure_document_id,
        job_variables=dumps(wanted.job_variables or {}),
        run_count=0,
        total_run_time=0.0,
        joined_queue_name=origin.work_queue_name,
        joined_pool_id=origin.work_pool_id,
        joined_pool_name=origin.work_pool_name,
    )
    return run


def read_flow_run(tx: Transaction, id: UUID) -> FlowRun | None:
    """A flow run, by its id."""
    return _joined(tx.fetch_one(f"{_SELECT} WHERE flow_run.id = ?", (id,)), tx.now)


def read_flow_run_by_key(tx: Transaction, flow_id: UUID, idempotency_key: str) -> FlowRun | None:
    """The run of a flow that was created under an idempotency key."""
    where = "flow_run.flow_id = ? AND flow_run.idempotency_key = ?"
    return _joined(tx.fetch_one(f"{_SELECT} WHERE {where}", (flow_id, idempotency_key)), tx.now)


def _joined(row: Any | None, now: datetime) -> FlowRun | None:
    return None if row is None else _flow_run(row, read_joined_state(row), now)


def _flow_run(row: Any, state: State[Any] | None, now: datetime) -> FlowRun:
    values = decode_json(row, _JSON_COLUMNS)
    values["state"] = state
    values["estimated_run_time"] = estimated_run_time(row, now)
    values["estimated_start_time_delta"] = estimated_lateness(row, now)
    queue_name, pool_name = values.pop("joined_queue_name"), values.pop("joined_pool_name")
    pool_id = values.pop("joined_pool_id")
    if pool_id is not None:
        values.update(work_queue_name=queue_name, work_pool_id=pool_id, work_pool_name=pool_name)
    elif values["work_queue_id"] is not None:  # the queue has been deleted
        values.update(work_queue_id=None, work_queue_name=None)
    return FlowRun.model_validate(values)


_JSON_UPDATES = ("parameters", "empirical_policy", "tags", "job_variables")


def update_flow_run(tx: Transaction, id: UUID, changes: FlowRunUpdate) -> bool:
    """Change what a request mentions of a flow run; whether there is such a run."""
    columns: dict[str, Any] = {"updated": tx.now}
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if name == "name":
            value = value or generate_slug(2)
        elif name == "parameters":
            value = value or {}
        columns[name] = dumps(value) if name in _JSON_UPDATES else value
    assignments = ", ".join(f"{name} = ?" for name in columns)
    return tx.execute(f"UPDATE flow_run SET {assignments} WHERE id = ?", (*columns.values(), id)) > 0


def update_flow_run_labels(tx: Transaction, id: UUID, labels: dict[str, Any]) -> bool:
    """Merge labels into those of a flow run; whether there is such a run."""
    row = tx.fetch_one("SELECT labels FROM flow_run WHERE id = ?" + tx.dialect.for_update(), (id,))
    if row is None:
        return False
    merged = {**loads(row["labels"]), **labels}
    return tx.execute("UPDATE flow_run SET labels = ?, updated = ? WHERE id = ?", (dumps(merged), tx.now, id)) > 0


def delete_flow_run(tx: Transaction, id: UUID) -> bool:
    """Delete a flow run with its task runs, states, inputs and logs; whether there was such a run.

    Subflow runs stay, and lose their parent.
    """
    if tx.fetch_one("SELECT 1 FROM flow_run WHERE id = ?", (id,)) is None:
        return False
    delete_flow_run_records(tx, "SELECT id FROM flow_run WHERE id = ?", (id,))
    return tx.execute("DELETE FROM flow_run WHERE id = ?", (id,)) > 0


# -- many ------------------------------------------------------------------------------------------------------------

FLOW_RUN_ORDER = {
    FlowRunSort.ID_DESC: "flow_run.id DESC",
    FlowRunSort.START_TIME_ASC: f"{FLOW_RUN_STARTED} ASC NULLS LAST, flow_run.id",
    FlowRunSort.START_TIME_DESC: f"{FLOW_RUN_STARTED} DESC NULLS LAST, flow_run.id",
    FlowRunSort.EXPECTED_START_TIME_ASC: "flow_run.expected_start_time ASC NULLS LAST, flow_run.id",
    FlowRunSort.EXPECTED_START_TIME_DESC: "flow_run.expected_start_time DESC NULLS LAST, flow_run.id",
    FlowRunSort.NAME_ASC: "flow_run.name ASC, flow_run.id",
    FlowRunSort.NAME_DESC: "flow_run.name DESC, flow_run.id",
    FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC: "flow_run.next_scheduled_start_time ASC NULLS LAST, flow_run.id",
    FlowRunSort.END_TIME_DESC: "flow_run.end_time DESC NULLS LAST, flow_run.id",
}


def read_flow_runs(tx: Transaction, where: Clause, sort: FlowRunSort, limit: int, offset: int = 0) -> list[FlowRun]:
    """The flow runs that meet a condition."""
    rows = tx.fetch_all(
        f"{_SELECT} WHERE {where.sql} ORDER BY {FLOW_RUN_ORDER[sort]} LIMIT ? OFFSET ?", (*where.params, limit, offset)
    )
    return [_flow_run(row, read_joined_state(row), tx.now) for row in rows]


def read_flow_run_ids(tx: Transaction, where: Clause, limit: int) -> list[UUID]:
    """The ids of the newest flow runs that meet a condition."""
    rows = tx.fetch_all(
        f"SELECT flow_run.id FROM flow_run WHERE {where.sql} ORDER BY flow_run.id DESC LIMIT ?", (*where.params, limit)
    )
    return [id for row in rows if (id := decode_id(row["id"])) is not None]


def count_flow_runs(tx: Transaction, where: Clause) -> int:
    """How many flow runs meet a condition."""
    row = tx.fetch_one(f"SELECT COUNT(*) AS total FROM flow_run WHERE {where.sql}", where.params)
    assert row is not None
    return row["total"]
