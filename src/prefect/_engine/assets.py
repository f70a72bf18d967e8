"""Tells which assets a materialising task made, and from which they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from prefect._engine.related import flow_run_resources
from prefect._recorder import get_recorder
from prefect.assets.core import Asset
from prefect.events.schemas.events import Event, RelatedResource, Resource


def as_assets(assets: Iterable[Asset | str]) -> list[Asset]:
    """Assets, given as such or by their keys."""
    return [Asset(key=asset) if isinstance(asset, str) else asset for asset in assets]


# -- tracking ----------------------------------------------------------------------------------------------------------


def track_assets(flow_context: Any, task: Any, run_id: UUID, task_inputs: Mapping[str, Iterable[Any]] | None) -> None:
    """Remember which assets flow out of a task run: those it makes, else those that flowed into it."""
    if flow_context is None:
        return
    own = getattr(task, "assets", None)
    flowing = set(own) if own else upstream_assets(flow_context, task, task_inputs)
    if flowing:
        flow_context.task_run_assets[run_id] = flowing


def upstream_assets(flow_context: Any, task: Any, task_inputs: Mapping[str, Iterable[Any]] | None) -> set[Asset]:
    """The assets that a task run depends on: named by the task, or carried by its inputs."""
    return set(task.asset_deps) | flowing_from(task_inputs or {}, flow_context.task_run_assets)


def flowing_from(task_inputs: Mapping[str, Iterable[Any]], known: Mapping[UUID, set[Asset]]) -> set[Asset]:
    """The assets that the inputs of a run carry."""
    found: set[Asset] = set()
    for name, items in task_inputs.items():
        if name != "__parents__":
            for item in items:
                id = item["id"] if isinstance(item, dict) else getattr(item, "id", None)
                if id is not None:
                    found |= known.get(UUID(str(id)), set())
    return found


# -- events ------------------------------------------------------------------------------------------------------------


def emit_materializations(task: Any, run: Any) -> None:
    """Emit the events of the assets that this run made, or failed to make."""
    state, context = run.record.state, run.flow_context
    if context is None:
        return
    run_resources = [
        {
            "prefect.resource.id": f"prefect.task-run.{run.record.id}",
            "prefect.resource.role": "task-run",
            "prefect.resource.name": run.record.name,
        },
        *flow_run_resources(context.flow_run, context.flow),
    ]
    emit_asset_events(
        made=task.assets,
        upstream=upstream_assets(context, task, run.record.task_inputs),
        by=task.materialized_by,
        state_type=state.type,
        state_name=state.name,
        metadata=run.asset_metadata or {},
        run_resources=run_resources,
    )


def emit_asset_events(
    *,
    made: Iterable[Asset],
    upstream: Iterable[Asset],
    by: str | None,
    state_type: str,
    state_name: str | None,
    metadata: Mapping[str, dict[str, Any]],
    run_resources: Iterable[dict[str, str]] = (),
) -> None:
    """Emit the events of assets that were made, or could not be; what was served from a cache made none."""
    if state_type not in ("COMPLETED", "FAILED") or state_name == "Cached":
        return
    outcome = "succeeded" if state_type == "COMPLETED" else "failed"
    upstream = sorted(upstream, key=lambda asset: asset.key)
    recorder = get_recorder()
    for asset in upstream:
        resource = Resource(as_resource(asset))
        recorder.event(Event(event="prefect.asset.referenced", resource=resource, related=_related(run_resources)))
    related = [as_related(asset) for asset in upstream]
    if by:
        related.append(materialized_by(by))
    for asset in made:
        recorder.event(
            Event(
                event=f"prefect.asset.materialization.{outcome}",
                resource=Resource(as_resource(asset)),
                related=_related([*related, *run_resources]),
                payload=metadata.get(asset.key, {}),
            )
        )


def _related(resources: Iterable[dict[str, str]]) -> list[RelatedResource]:
    return [RelatedResource(resource) for resource in resources]


def as_related(asset: Asset) -> dict[str, str]:
    """An asset as a related resource."""
    return {"prefect.resource.id": asset.key, "prefect.resource.role": "asset"}


def materialized_by(by: str) -> dict[str, str]:
    """What made an asset as a related resource."""
    return {"prefect.resource.id": by, "prefect.resource.role": "asset-materialized-by"}


def as_resource(asset: Asset) -> dict[str, str]:
    """An asset, with its properties, as the resource of an event."""
    resource = {"prefect.resource.id": asset.key}
    properties = asset.properties
    if properties is not None:
        for label, value in (
            ("prefect.resource.name", properties.name),
            ("prefect.asset.description", properties.description),
            ("prefect.asset.url", properties.url),
        ):
            if value:
                resource[label] = value
        if properties.owners:
            resource["prefect.asset.owners"] = ",".join(properties.owners)
    return resource
