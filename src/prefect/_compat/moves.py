"""Names that moved or went away between major versions: where they are now, or what to use instead."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from prefect.exceptions import PrefectImportError


def old_names(
    module: str, moved: Mapping[str, str] | None = None, removed: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module that answers for names it had once.

    Args:
        module: The `__name__` of the module that the function is for.
        moved: By name, where it is now, as `package.module:name`. It is given from there, with a warning.
        removed: By name, what to use instead. It raises `PrefectImportError`.
    """

    def __getattr__(name: str) -> Any:
        if moved and name in moved:
            from prefect.utilities.importtools import from_qualified_name  # noqa: PLC0415 - for old names only

            warnings.warn(
                f"'{module}:{name}' has moved to '{moved[name]}'. Import it from there.",
                DeprecationWarning,
                stacklevel=3,
            )
            return from_qualified_name(moved[name].replace(":", "."))
        if removed and name in removed:
            raise PrefectImportError(f"`{module}:{name}` has been removed. Use {removed[name]} instead.")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__
