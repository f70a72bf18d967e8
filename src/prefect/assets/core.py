"""What an asset is, and what a task may say about one that it makes."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from prefect import _current
from prefect.client.schemas._base import PrefectBaseModel
from prefect.types.names import ValidAssetKey

MAX_ASSET_DESCRIPTION_LENGTH = 2500

__all__ = ["MAX_ASSET_DESCRIPTION_LENGTH", "Asset", "AssetProperties", "add_asset_metadata"]


class AssetProperties(PrefectBaseModel):
    """What people want to know about an asset."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    name: str | None = Field(default=None, description="How people call the asset.")
    url: str | None = Field(default=None, description="Where people find the asset.")
    description: str | None = Field(
        default=None,
        description="What the asset is, in Markdown.",
        max_length=MAX_ASSET_DESCRIPTION_LENGTH,
    )
    owners: list[str] | None = Field(default=None, description="Who is responsible for the asset.")


class Asset(PrefectBaseModel):
    """Data that tasks make, such as a table or a file, known by a URI. Assets with equal keys are the same data."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    key: ValidAssetKey = Field(description="The URI, such as `s3://bucket/folder/data.csv`; at most 512 characters.")
    properties: AssetProperties | None = Field(
        default=None, description="What people want to know about the asset; None leaves what is known as it is."
    )

    def __repr__(self) -> str:
        return f"Asset(key={self.key!r})"

    def __hash__(self) -> int:
        return hash(self.key)

    def add_metadata(self, metadata: dict[str, Any]) -> None:
        """Add metadata to the materialisation of this asset by the current task.

        Raises:
            RuntimeError: No task is running here.
            ValueError: The current task does not materialise this asset.
        """
        add_asset_metadata(self, metadata)


def add_asset_metadata(asset: str | Asset, metadata: dict[str, Any]) -> None:
    """Add metadata to the materialisation of an asset by the current task.

    Args:
        asset: The asset, or its key.
        metadata: JSON values by name; they replace earlier ones of the same names.

    Raises:
        RuntimeError: No task is running here.
        ValueError: The current task does not materialise this asset.
    """
    key = asset if isinstance(asset, str) else asset.key
    context = _current.task_run_context.get() if _current.task_run_id() is not None else None
    if context is None:
        raise RuntimeError(
            f"Cannot add metadata to asset {key!r}: no task is running here. Call add_asset_metadata() inside a task"
            " made with @materialize."
        )
    materialised = {made.key for made in getattr(context.task, "assets", None) or ()}
    if key not in materialised:
        raise ValueError(
            f"Can only add metadata to assets that are arguments to @materialize: {key!r} is none of"
            f" {sorted(materialised)!r}, the assets of task {context.task.name!r}."
        )
    run = context._run
    if run.asset_metadata is None:
        run.asset_metadata = {}
    run.asset_metadata.setdefault(key, {}).update(metadata)
