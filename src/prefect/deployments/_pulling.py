"""Finds flows whose code is elsewhere: pulls it, reads the flow, and says how runs will find it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from prefect._code_storage.choice import create_storage_from_source
from prefect._code_storage.places import BlockStorageAdapter, RunnerStorage
from prefect._loading.entrypoints import load_flow_from_entrypoint
from prefect._plans import Pair, Plan
from prefect.blocks.core import Block
from prefect.deployments._entrypoints import type_of
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.asyncutils import run_coro_as_sync

if TYPE_CHECKING:
    from prefect.flows import Flow

_BASE_PATH_MARK = "$STORAGE_BASE_PATH"
"""Stands in a deployment's path for the directory that the process which runs it pulls code into."""


def storage_of(source: Any) -> RunnerStorage:
    """The storage that the source of a flow means.

    Args:
        source: A URL, a path, a storage, or a block that has `get_directory`.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(source, (str, Path)):
        return create_storage_from_source(str(source))
    if isinstance(source, RunnerStorage):
        return source
    if isinstance(source, Block) and hasattr(source, "get_directory"):
        return BlockStorageAdapter(cast(Any, source))
    raise TypeError(
        f"Unsupported source {source!r}: expected the URL of a repository, the path of a directory, a storage such as"
        " `GitRepository(…)`, or a saved block that has `get_directory`."
    )


def path_of(storage: RunnerStorage) -> str:
    """The path that a deployment of a storage's code has: absolute, or below where the code will be pulled into."""
    storage.set_base_path(Path(_BASE_PATH_MARK))
    path = str(storage.destination)
    _, mark, rest = path.partition(_BASE_PATH_MARK)
    return f"{mark}{rest}" if mark else path


def pull_flow_plan(storage: RunnerStorage, entrypoint: str) -> Plan[Flow[..., Any]]:
    """Pull code into a folder that goes away afterwards, and load the flow of an entrypoint from it.

    The flow remembers where it is from.

    Raises:
        MissingFlowError: There is no such flow.
    """
    with TemporaryDirectory(prefix="prefect-source-") as folder:
        storage.set_base_path(Path(folder))
        yield Pair(_pull, _apull, storage)
        try:
            flow = _load(storage.destination, entrypoint)
            # Read from the file while it is there.
            _ = flow.version, flow.parameters
        finally:
            sys.path[:] = [entry for entry in sys.path if not entry.startswith(folder)]
    flow._storage, flow._entrypoint = storage, entrypoint
    return flow


def _pull(storage: RunnerStorage) -> None:
    run_coro_as_sync(_apull(storage))


async def _apull(storage: RunnerStorage) -> None:
    await storage.pull_code()


def _load(directory: Path, entrypoint: str) -> Flow[..., Any]:
    if type_of(entrypoint) is EntrypointType.FILE_PATH:
        with _importable(directory):
            return load_flow_from_entrypoint(str(directory / entrypoint))
    with _importable(directory, package=entrypoint.partition(":")[0].partition(".")[0]):
        return load_flow_from_entrypoint(entrypoint)


@contextmanager
def _importable(directory: Path, package: str | None = None) -> Generator[None, None, None]:
    """Import from a directory, as a run does whose working directory it is.

    Args:
        package: Is imported from there even if another one of its name was imported before, which comes back then.
    """
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == package}
    for name in others:
        del sys.modules[name]
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(directory))
        sys.modules.update(others)
