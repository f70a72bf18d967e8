"""Which types of workers there are in this process: this package's own, and those of installed integration packages."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from prefect import _upcalls
from prefect.utilities.dispatch import get_registry_for_type

_OWN = "prefect.workers.process"


def worker_classes(base: type) -> dict[str, Any]:
    """The classes of workers by their type.

    Args:
        base: The class that all of them have as base, and that keeps the registry.
    """
    _upcalls.resolve("load_prefect_collections")()
    import_module(_OWN)
    return dict(get_registry_for_type(base) or {})
