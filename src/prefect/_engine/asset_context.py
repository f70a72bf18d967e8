"""The assets of a task run, as code inside it and integration packages see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from prefect import _current
from prefect._engine.assets import (
    as_related,
    as_resource,
    emit_asset_events,
    flowing_from,
    materialized_by,
)
from prefect.assets.core import Asset
from prefect.context import ContextModel, FlowRunContext, TaskRunContext


class AssetContext(ContextModel):
    """Which assets a task run makes, and from which they come.

    Attributes:
        direct_asset_dependencies: Those that the task names as its upstreams.
        downstream_assets: Those that the task makes.
        upstream_assets: Those that it comes from: named by the task, or carried by its inputs.
        materialized_by: What makes them, such as "dbt".
        task_run_id: The task run.
        materialization_metadata: By the key of an asset, what was said of this materialisation.
        copy_to_child_ctx: Whether the context goes along to what the task starts.
    """

    __var__ = _current.asset_context
    _names: ClassVar[tuple[str, ...]] = (
        "direct_asset_dependencies",
        "downstream_assets",
        "upstream_assets",
        "materialized_by",
        "task_run_id",
        "materialization_metadata",
        "copy_to_child_ctx",
    )

    materialized_by: str | None = None
    task_run_id: UUID | None = None
    copy_to_child_ctx: bool = False

    def __init__(self, **fields: Any) -> None:
        self.direct_asset_dependencies: set[Asset] = set()
        self.downstream_assets: set[Asset] = set()
        self.upstream_assets: set[Asset] = set()
        self.materialization_metadata: dict[str, dict[str, Any]] = {}
        super().__init__(**fields)

    @classmethod
    def get(cls) -> AssetContext | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The context that was entered here, else that of the current task run; None outside task runs."""
        entered = cls.__var__.get()
        if entered is not None:
            return entered
        task_context = TaskRunContext.get()
        if task_context is None or _current.task_run_id() is None:
            return None
        run = task_context._run
        context = cls.from_task_and_inputs(task_context.task, task_context.record.id, run.record.task_inputs)
        if getattr(run, "asset_metadata", None) is None:
            run.asset_metadata = {}
        context.materialization_metadata = run.asset_metadata
        return context

    @classmethod
    def from_task_and_inputs(
        cls,
        task: Any,
        task_run_id: UUID,
        task_inputs: Mapping[str, Iterable[Any]] | None = None,
        copy_to_child_ctx: bool = False,
    ) -> AssetContext:
        """The context of a run of a task.

        Args:
            task: The task.
            task_run_id: The run.
            task_inputs: By parameter, the runs that its arguments came from.
            copy_to_child_ctx: Whether the context goes along to what the task starts.
        """
        flow_context = FlowRunContext.get()
        known = flow_context.task_run_assets if flow_context is not None else {}
        return cls(
            direct_asset_dependencies=set(task.asset_deps),
            downstream_assets=set(getattr(task, "assets", None) or ()),
            upstream_assets=set(task.asset_deps) | flowing_from(task_inputs or {}, known),
            materialized_by=getattr(task, "materialized_by", None),
            task_run_id=task_run_id,
            copy_to_child_ctx=copy_to_child_ctx,
        )

    def add_asset_metadata(self, asset_key: str, metadata: dict[str, Any]) -> None:
        """Say something of the materialisation of an asset; later values replace earlier ones of the same names.

        Raises:
            ValueError: The task does not make this asset.
        """
        made = {asset.key for asset in self.downstream_assets}
        if asset_key not in made:
            raise ValueError(
                f"Can only add metadata to assets that are arguments to @materialize: {asset_key!r} is none of {sorted(made)!r}."
            )
        self.materialization_metadata.setdefault(asset_key, {}).update(metadata)

    @staticmethod
    def asset_as_resource(asset: Asset) -> dict[str, str]:
        """An asset as the resource of an event."""
        return as_resource(asset)

    @staticmethod
    def asset_as_related(asset: Asset) -> dict[str, str]:
        """An asset as a related resource of an event."""
        return as_related(asset)

    @staticmethod
    def related_materialized_by(by: str) -> dict[str, str]:
        """What made an asset as a related resource of an event."""
        return materialized_by(by)

    def emit_events(self, state: Any) -> None:
        """Tell that the assets were made, or could not be, by how a run ended. Other states tell nothing."""
        emit_asset_events(
            made=sorted(self.downstream_assets, key=lambda asset: asset.key),
            upstream=self.upstream_assets,
            by=self.materialized_by,
            state_type=state.type.value,
            state_name=state.name,
            metadata=self.materialization_metadata,
        )

    def update_tracked_assets(self) -> None:
        """Let the runs that come after this one know which assets flow out of it."""
        flow_context = FlowRunContext.get()
        flowing = self.downstream_assets or self.upstream_assets
        if flow_context is not None and self.task_run_id is not None and flowing:
            flow_context.task_run_assets[self.task_run_id] = set(flowing)

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}


__all__ = ["AssetContext"]
