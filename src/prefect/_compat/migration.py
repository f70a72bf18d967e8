"""Names that are gone, or that stand elsewhere: what their old place says of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from prefect.exceptions import PrefectImportError

MOVED = {
    "prefect.client:get_client": "prefect.client.orchestration:get_client",
}
"""Old places, and where the name stands now."""


def getattr_migration(module_name: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module that names have left.

    Args:
        module_name: The module.

    Raises:
        PrefectImportError: By the function that is returned, for a name that this release does not have.
        AttributeError: By the same, for a name that the module never had.
    """

    def find(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        place = MOVED.get(f"{module_name}:{name}")
        if place is None:
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        home, _, attribute = place.partition(":")
        try:
            return getattr(import_module(home), attribute)
        except (ImportError, AttributeError) as error:
            raise PrefectImportError(f"`{module_name}:{name}` has moved to `{place}`, and is not there.") from error

    return find
