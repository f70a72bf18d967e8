"""Loads what only an extra of the package installs, and says how to get it where it is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def import_extra(module: str, extra: str, wanted_by: str) -> Any:
    """Import a module that needs an optional package.

    Args:
        module: The optional package, or a module of this one that imports it.
        extra: The name of the extra that brings it, as in `prefect[metrics]`.
        wanted_by: What asks for it, such as the name of a setting.

    Raises:
        ModuleNotFoundError: The optional package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "prefect":
            raise
        raise ModuleNotFoundError(
            f"{wanted_by} is set, but the package {error.name!r} is not installed. Install it: "
            f'pip install "prefect[{extra}]". Or unset {wanted_by}.',
            name=error.name,
        ) from error
