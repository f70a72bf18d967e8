"""Assets: data that tasks make, known by a URI."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.assets.core import Asset, AssetProperties, add_asset_metadata
    from prefect.assets.materialize import materialize

__all__ = ["Asset", "AssetProperties", "add_asset_metadata", "materialize"]

# By need: `materialize` makes tasks, and stands above everything that only speaks of assets.
_HOMES = {
    "Asset": "prefect.assets.core",
    "AssetProperties": "prefect.assets.core",
    "add_asset_metadata": "prefect.assets.core",
    "materialize": "prefect.assets.materialize",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


class _Assets(ModuleType):
    """Keeps `prefect.assets.materialize` the function, though a submodule of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "materialize" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Assets
