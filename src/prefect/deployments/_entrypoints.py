"""Says where a flow is, in words that a worker understands: by its file, or by its module."""

from __future__ import annotations

import inspect
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.types.entrypoint import EntrypointType

if TYPE_CHECKING:
    from prefect.flows import Flow


def entrypoint_of(flow: Flow[..., Any], entrypoint_type: EntrypointType) -> str:
    """The entrypoint of a flow that is defined on this machine.

    Returns:
        The file, relative to the working directory, and the flow's name in it; or the module and the name.

    Raises:
        ValueError: The flow was defined interactively, where no other process finds it.
    """
    module = inspect.getmodule(flow.fn)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        raise ValueError(
            f"The flow {flow.name!r} was defined interactively, so no other process can find it. Put it into a file, or use"
            " `flow.from_source(…)`."
        )
    name = flow.fn.__qualname__
    if "<locals>" in name:
        warnings.warn(
            f"The flow {flow.name!r} is defined inside a function, as {name!r}: runs of its deployments will not find it. Define"
            f" it at the top of {file!r}.",
            UserWarning,
            stacklevel=_frames_to_user(),
        )
    if entrypoint_type is EntrypointType.MODULE_PATH:
        return f"{_importable_name(module, file)}.{name}"
    return f"{os.path.relpath(Path(file).resolve())}:{name}"


def _frames_to_user() -> int:
    """How many frames above the caller of this function the code of the user is."""
    count, frame = 1, inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("prefect."):
        count, frame = count + 1, frame.f_back
    return count


def _importable_name(module: Any, file: str) -> str:
    if module.__name__ != "__main__":
        return module.__name__
    # Other processes know the module that this one runs under the name that it has in the import system.
    return module.__spec__.name if module.__spec__ is not None else Path(file).stem


def type_of(entrypoint: str) -> EntrypointType:
    """Whether an entrypoint names a file or a module."""
    return EntrypointType.FILE_PATH if ".py:" in entrypoint else EntrypointType.MODULE_PATH
