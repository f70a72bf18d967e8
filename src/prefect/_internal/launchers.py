"""The import path that integration packages use to choose what runs a bundle's steps."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

__all__ = ["get_launcher_for_side", "resolve_bundle_step_with_launcher"]

Side = Literal["upload", "execution"]


def get_launcher_for_side(launcher: Any, side: Side) -> list[str] | None:
    """Return the command that runs the steps of one side, if one is set.

    Args:
        launcher: A command for both sides, a mapping with a command for each, or None.
        side: "upload" or "execution".
    """
    if isinstance(launcher, Mapping):
        launcher = launcher.get(side)
    return None if launcher is None else list(launcher)


def resolve_bundle_step_with_launcher(step: dict[str, Any], launcher: Any, side: Side) -> dict[str, Any]:
    """Return a step that the launcher of its side runs; the step itself where there is none.

    A launcher brings its own environment, so what the step requires is left out.

    Args:
        step: A mapping of a module's path to its arguments.
        launcher: As of `get_launcher_for_side`.
        side: "upload" or "execution".
    """
    command = get_launcher_for_side(launcher, side)
    if command is None:
        return step
    resolved = deepcopy(step)
    for arguments in resolved.values():
        arguments["launcher"] = command
        arguments.pop("requires", None)
    return resolved
