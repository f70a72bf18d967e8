"""The related resources that the events of a run carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect._recorder import RelatedSet


def related_set(flow_context: Any | None, tags: Iterable[str]) -> RelatedSet | None:
    """The set for a task run with these tags; made once a flow run and tag set."""
    key = frozenset(tags)
    if flow_context is None:
        return RelatedSet(_tag_resources(key)) if key else None
    found = flow_context._related_sets.get(key)
    if found is None:
        found = flow_context._related_sets[key] = RelatedSet(
            flow_run_resources(flow_context.flow_run, flow_context.flow)
            + _tag_resources(key | set(flow_context.flow_run.tags))
        )
    return found


def flow_run_resources(flow_run: Any, flow: Any) -> list[dict[str, str]]:
    """The flow run, its flow, and what deployed it, as related resources."""
    resources = [_resource("flow-run", flow_run.id, flow_run.name)]
    if flow_run.flow_id is not None:
        resources.append(_resource("flow", flow_run.flow_id, flow.name if flow is not None else None))
    if flow_run.deployment_id is not None:
        resources.append(_resource("deployment", flow_run.deployment_id, None))
    if flow_run.work_queue_id is not None:
        resources.append(_resource("work-queue", flow_run.work_queue_id, flow_run.work_queue_name))
    if flow_run.work_pool_id is not None:
        resources.append(_resource("work-pool", flow_run.work_pool_id, flow_run.work_pool_name))
    return resources


def _resource(kind: str, id: object, name: str | None) -> dict[str, str]:
    resource = {"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": kind}
    if name:
        resource["prefect.resource.name"] = name
    return resource


def _tag_resources(tags: Iterable[str]) -> list[dict[str, str]]:
    return [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in sorted(tags)]
