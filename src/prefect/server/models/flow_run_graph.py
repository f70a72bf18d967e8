"""The graph of a flow run: its task runs and subflow runs as nodes, what they take from one another as edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import TaskRun
from prefect.client.schemas.sorting import TaskRunSort
from prefect.server.database.filters.clauses import Clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time, loads
from prefect.server.models.errors import ApiError
from prefect.server.models.task_runs import read_task_runs

_PARENTS_KEY = "__parents__"
"""Inputs under this key are runs that a run happens inside of, not runs whose results it takes."""

_MOST_ROWS = 2**31 - 1

_NODES = """
    SELECT t.id AS task_run_id, t.task_inputs AS task_inputs, child.id AS child_id,
        COALESCE(child.id, t.id) AS node_id,
        t.name AS task_run_name, flow.name AS flow_name, child.name AS child_name,
        COALESCE(child.state_type, t.state_type) AS state_type,
        COALESCE(child.start_time, t.start_time) AS start_time,
        COALESCE(child.expected_start_time, t.expected_start_time) AS expected_start_time,
        COALESCE(child.end_time, t.end_time) AS end_time
    FROM task_run t
    LEFT JOIN flow_run child ON child.parent_task_run_id = t.id
    LEFT JOIN flow ON flow.id = child.flow_id
    WHERE t.flow_run_id = ? AND t.state_type IS NOT NULL
    ORDER BY t.id
    LIMIT ?"""


def read_flow_run_graph(
    tx: Transaction, flow_run_id: UUID, since: datetime, *, max_nodes: int, max_artifacts: int
) -> dict[str, Any] | None:
    """The graph of a flow run; None when there is no such run.

    Args:
        since: Nodes that had ended before this instant are left out.
        max_nodes: The largest graph that is answered.
        max_artifacts: The largest number of artifacts that are attached.

    Raises:
        ApiError: The graph has too many nodes (400).
    """
    run = tx.fetch_one("SELECT start_time, expected_start_time, end_time FROM flow_run WHERE id = ?", (flow_run_id,))
    if run is None:
        return None
    rows = tx.fetch_all(_NODES, (flow_run_id, max_nodes + 1))
    if len(rows) > max_nodes:
        raise ApiError(400, f"The graph of flow run {str(flow_run_id)!r} has more than {max_nodes} nodes.")
    nodes, artifacts = _nodes(rows), _artifacts(tx, flow_run_id, max_artifacts)
    for task_run_id, node in nodes.items():
        node["artifacts"] = artifacts.get(task_run_id, [])
    shown = [node for node in nodes.values() if _is_shown(node, since)]
    shown.sort(key=lambda node: (node["start_time"], node["end_time"] is None, node["end_time"] or node["start_time"]))
    return {
        "start_time": decode_time(run["start_time"] or run["expected_start_time"]),
        "end_time": decode_time(run["end_time"]),
        "root_node_ids": [node["id"] for node in shown if not node["parents"]],
        "nodes": [(node["id"], node) for node in shown],
        "artifacts": artifacts.get(None, []),
        "states": _states(tx, flow_run_id),
    }


def _is_shown(node: dict[str, Any], since: datetime) -> bool:
    return node["start_time"] is not None and (node["end_time"] is None or node["end_time"] >= since)


def _nodes(rows: Sequence[Any]) -> dict[UUID, dict[str, Any]]:
    """The nodes by the ids of their task runs, edges included."""
    nodes: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        nodes[_id(row["task_run_id"])] = _node(row)
    for row in rows:
        node = nodes[_id(row["task_run_id"])]
        for key, references in loads(row["task_inputs"]).items():
            for reference in references:
                source = nodes.get(UUID(reference["id"])) if reference.get("input_type") == "task_run" else None
                if source is not None:
                    _connect(source, node, is_inside=key == _PARENTS_KEY)
    return nodes


def _node(row: Any) -> dict[str, Any]:
    is_subflow = row["child_id"] is not None
    start_time = decode_time(row["start_time"] or row["expected_start_time"])
    end_time = decode_time(row["end_time"])
    if end_time is None and row["state_type"] == "COMPLETED":
        end_time = decode_time(row["expected_start_time"])
    return {
        "kind": "flow-run" if is_subflow else "task-run",
        "id": _id(row["node_id"]),
        "label": f"{row['flow_name']} / {row['child_name']}" if is_subflow else row["task_run_name"],
        "state_type": row["state_type"],
        "start_time": start_time,
        "end_time": end_time,
        "parents": [],
        "children": [],
        "encapsulating": [],
        "artifacts": [],
    }


def _connect(source: dict[str, Any], node: dict[str, Any], *, is_inside: bool) -> None:
    if is_inside:
        _add_edge(node["encapsulating"], source)
    else:
        _add_edge(node["parents"], source)
        _add_edge(source["children"], node)


def _add_edge(edges: list[dict[str, UUID]], node: dict[str, Any]) -> None:
    edge = {"id": node["id"]}
    if edge not in edges:
        edges.append(edge)


def _id(value: Any) -> UUID:
    id = decode_id(value)
    assert id is not None
    return id


# -- what hangs on the nodes -----------------------------------------------------------------------------------------


def _states(tx: Transaction, flow_run_id: UUID) -> list[dict[str, Any]]:
    rows = tx.fetch_all(
        "SELECT id, timestamp, type, name FROM flow_run_state WHERE flow_run_id = ? ORDER BY timestamp, id",
        (flow_run_id,),
    )
    return [
        {"id": _id(row["id"]), "timestamp": decode_time(row["timestamp"]), "type": row["type"], "name": row["name"]}
        for row in rows
    ]


def _artifacts(tx: Transaction, flow_run_id: UUID, limit: int) -> dict[UUID | None, list[dict[str, Any]]]:
    """The artifacts of a run by task run, those of the run itself under None, oldest first; results are left out."""
    rows = tx.fetch_all(
        "SELECT a.id, a.created, a.key, a.type, a.task_run_id, a.data, c.latest_id FROM artifact a "
        "LEFT JOIN artifact_collection c ON c.key = a.key "
        "WHERE a.flow_run_id = ? AND (a.type IS NULL OR a.type <> 'result') ORDER BY a.created, a.id LIMIT ?",
        (flow_run_id, limit),
    )
    found: defaultdict[UUID | None, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[decode_id(row["task_run_id"])].append(
            {
                "id": _id(row["id"]),
                "created": decode_time(row["created"]),
                "key": row["key"],
                "type": row["type"],
                "is_latest": row["key"] is None or row["latest_id"] == row["id"],
                "data": loads(row["data"]) if row["type"] == "progress" and row["data"] is not None else None,
            }
        )
    return found


# -- the older form --------------------------------------------------------------------------------------------------


def read_dependencies(tx: Transaction, flow_run_id: UUID) -> list[dict[str, Any]] | None:
    """The task runs of a flow run with the runs that they depend on; None when there is no such flow run."""
    if tx.fetch_one("SELECT 1 FROM flow_run WHERE id = ?", (flow_run_id,)) is None:
        return None
    where = Clause("task_run.flow_run_id = ?", (flow_run_id,))
    runs = read_task_runs(tx, where, TaskRunSort.EXPECTED_START_TIME_ASC, _MOST_ROWS)
    return [_dependency(run) for run in runs]


def _dependency(run: TaskRun) -> dict[str, Any]:
    upstream = [each for inputs in run.task_inputs.values() for each in inputs if each.input_type == "task_run"]
    return {
        "id": run.id,
        "name": run.name,
        "upstream_dependencies": list(dict.fromkeys(upstream)),
        "state": run.state,
        "expected_start_time": run.expected_start_time,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "total_run_time": run.total_run_time,
        "estimated_run_time": run.estimated_run_time,
        "untrackable_result": bool(run.state and run.state.state_details.untrackable_result),
    }
