"""Finds the resources that an event concerns because of where in a run it is emitted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import _current
from prefect.events.schemas.events import Event, RelatedResource
from prefect.logging import get_logger
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

logger = get_logger("events.related")


def tags_as_related_resources(tags: Iterable[str]) -> list[RelatedResource]:
    """One resource a tag, sorted by tag."""
    return [
        RelatedResource.model_validate({"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"})
        for tag in sorted(tags)
    ]


def object_as_related_resource(kind: str, role: str, object: Any) -> RelatedResource:
    """The resource that stands for an object of the API, by its id and name."""
    return _resource(kind, role, object.id, getattr(object, "name", None))


def _resource(kind: str, role: str, id: UUID, name: str | None) -> RelatedResource:
    labels = {"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": role}
    if name:
        labels["prefect.resource.name"] = name
    return RelatedResource.model_validate(labels)


async def related_resources_from_run_context(
    client: PrefectClient, exclude: set[str] | None = None
) -> list[RelatedResource]:
    """The resources of the run that is active here.

    Args:
        client: Not used: what is needed is known in the run.
        exclude: Ids of resources to leave out.
    """
    return related_resources_of_run(exclude or set())


def related_resources_of_run(exclude: set[str]) -> list[RelatedResource]:
    """The resources of the active run, without those in `exclude`; none outside of runs.

    They are the flow run, the task run, the flow, the deployment, the work queue and the work pool, each with its kind
    as its role, and the tags of both runs.
    """
    resources: list[RelatedResource] = []
    tags: set[str] = set()
    flow_context: Any = _current.flow_run_context.get()
    flow_run, flow = (flow_context.flow_run, flow_context.flow) if flow_context is not None else (None, None)
    if flow_run is not None:
        resources.append(_resource("flow-run", "flow-run", flow_run.id, flow_run.name))
        tags.update(flow_run.tags or ())
    elif (flow_run_id := _current.flow_run_id()) is not None:
        resources.append(_resource("flow-run", "flow-run", flow_run_id, None))
    if _current.task_run_id() is not None:
        task_run = _current.task_run_context.get().record
        resources.append(_resource("task-run", "task-run", task_run.id, task_run.name))
        tags.update(task_run.tags or ())
    if flow_run is not None:
        resources.extend(_origins(flow_run, flow))
    resources.extend(tags_as_related_resources(tags))
    return [resource for resource in resources if resource.id not in exclude]


def _origins(flow_run: Any, flow: Any) -> Iterable[RelatedResource]:
    """The flow of a run, and what deployed it."""
    known = (
        ("flow", flow_run.flow_id, flow.name if flow is not None else None),
        # Asking the API for the name could make an event wait; the process that runs a deployment is told it.
        ("deployment", flow_run.deployment_id, os.environ.get("PREFECT__DEPLOYMENT_NAME")),
        ("work-queue", flow_run.work_queue_id, flow_run.work_queue_name),
        ("work-pool", getattr(flow_run, "work_pool_id", None), flow_run.work_pool_name),
    )
    return [_resource(kind, kind, id, name) for kind, id, name in known if id is not None]


def attach_related_resources(event: Event) -> None:
    """Complete an event's related resources from the active run.

    Resources that it involves already are not added again, and an event that declares its own lineage is left alone.
    """
    if "prefect.resource.lineage-group" in event.resource:
        return
    room = get_current_settings().server.events.maximum_related_resources - len(event.related)
    added = related_resources_of_run(exclude={resource.id for resource in event.involved_resources})
    if len(added) > room:
        logger.warning(
            "The event %r has %d related resources, %d of the active run's are left out: at most %d are stored",
            event.event,
            len(event.related) + len(added),
            len(added) - max(room, 0),
            len(event.related) + max(room, 0),
        )
        added = added[: max(room, 0)]
    event.related = [*event.related, *added]
