"""The event that tells of a flow run's new state: `prefect.flow-run.<name of the state>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import State, StateType
from prefect.server.database.store import Transaction
from prefect.server.models._rows import loads
from prefect.server.models._statements import Statement
from prefect.server.models.events import FOLLOWS_WITHIN, event_insert

_LONGEST_MESSAGE = 100_000


def flow_run_state_event(
    tx: Transaction,
    run: Mapping[str, Any],
    flow: Mapping[str, Any] | None,
    tracking: Mapping[str, Any] | None,
    initial: State[Any] | None,
    intended: StateType,
    state: State[Any],
) -> Statement:
    """The statement that records that a flow run has entered a state. The event has the id of the state.

    Args:
        run: The run's row, bookkeeping included.
        flow: The `name` and the `tags` (JSON text) of its flow.
        tracking: Those of the task run that tracks it in the run that called it.
        initial: The state before.
        intended: The type that was proposed.
        state: The state that was stored.
    """
    follows = None
    if initial is not None and abs(state.timestamp - initial.timestamp) < FOLLOWS_WITHIN:
        follows = initial.id
    return event_insert(
        tx,
        f"prefect.flow-run.{state.name}",
        {
            "prefect.resource.id": f"prefect.flow-run.{run['id']}",
            "prefect.resource.name": run["name"],
            "prefect.run-count": str(run["run_count"]),
            "prefect.state-message": (state.message or "")[:_LONGEST_MESSAGE],
            "prefect.state-name": state.name or "",
            "prefect.state-timestamp": state.timestamp.isoformat(),
            "prefect.state-type": state.type.value,
        },
        related=_related(tx, run, flow, tracking),
        payload={
            "intended": {"from": None if initial is None else initial.type.value, "to": intended.value},
            "initial_state": None if initial is None else _summary(initial),
            "validated_state": _summary(state),
        },
        id=state.id,
        occurred=state.timestamp,
        follows=follows,
    )


def _summary(state: State[Any]) -> dict[str, str]:
    summary = {"type": state.type.value, "name": state.name or ""}
    if state.message:
        summary["message"] = state.message[:_LONGEST_MESSAGE]
    if state.type == StateType.PAUSED:
        summary["pause_reschedule"] = str(state.state_details.pause_reschedule).lower()
    return summary


def _related(
    tx: Transaction, run: Mapping[str, Any], flow: Mapping[str, Any] | None, tracking: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    tags: set[str] = set(loads(run["tags"]))
    related: list[dict[str, str]] = []

    def add(kind: str, id: UUID | str, name: str | None, role: str | None = None) -> None:
        labels = {"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": role or kind}
        related.append(labels if name is None else {**labels, "prefect.resource.name": name})

    if flow is not None:
        add("flow", run["flow_id"], flow["name"])
        tags.update(loads(flow["tags"]))
    if run["deployment_id"] is not None:
        deployment = tx.fetch_one("SELECT name, tags FROM deployment WHERE id = ?", (run["deployment_id"],))
        add("deployment", run["deployment_id"], None if deployment is None else deployment["name"])
        tags.update(() if deployment is None else loads(deployment["tags"]))
    if run["work_queue_id"] is not None:
        place = tx.fetch_one(
            "SELECT work_queue.name AS queue_name, work_pool.id, work_pool.name, work_pool.type FROM work_queue "
            "JOIN work_pool ON work_pool.id = work_queue.work_pool_id WHERE work_queue.id = ?",
            (run["work_queue_id"],),
        )
        if place is not None:
            add("work-queue", run["work_queue_id"], place["queue_name"])
            add("work-pool", place["id"], place["name"])
            related[-1]["prefect.work-pool.type"] = place["type"]
    if tracking is not None:
        add("task-run", run["parent_task_run_id"], tracking["name"])
        tags.update(loads(tracking["tags"]))
    for tag in sorted(tags):
        add("tag", tag, None)
    if run["created_by"] is not None:
        creator = loads(run["created_by"])
        kind = _CREATORS.get(creator.get("type"))
        if kind is not None:
            add(kind, creator.get("id"), creator.get("display_value"), role="creator")
    return related


_CREATORS = {"DEPLOYMENT": "deployment", "AUTOMATION": "automation"}
