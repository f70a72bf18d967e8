"""Blocks: typed configuration that is stored in the API and referred to by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["notifications", "system", "webhook"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
