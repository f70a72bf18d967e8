"""Brings the code of a deployment to where a run of it needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import _upcalls
from prefect._code_storage import origin as origins
from prefect._plans import Pair, Plan
from prefect.client.schemas.objects import FlowRun
from prefect.logging.loggers import flow_run_logger

_BASE_PATH_MARK = "$STORAGE_BASE_PATH"


def fetching_plan(deployment: Any, flow_run: FlowRun, base_path: str | None, origin: Path | None = None) -> Plan[str]:
    """Run the pull steps of a deployment, or take its code from its storage block or its path.

    Args:
        deployment: As the API gives it; it has an entrypoint.
        flow_run: The run that the code is for.
        base_path: What `$STORAGE_BASE_PATH` in the deployment's path stands for.
        origin: Where the command was given that made this working directory for the run alone. Code that is on this
            machine is copied from there. Without it such code stays where it is.

    Returns:
        The entrypoint as it is found from the working directory, which the steps may have changed.
    """
    logger = flow_run_logger(flow_run)
    if deployment.pull_steps:
        logger.info("Running %s deployment pull step(s)", len(deployment.pull_steps))
        output = yield _awaiting(_run_steps, deployment, flow_run, logger, origin)
        _work_in(output.get("directory"))
        return deployment.entrypoint
    path = deployment.path
    if path and base_path:
        path = path.replace(_BASE_PATH_MARK, base_path)
    if deployment.storage_document_id is not None:
        yield from _copy_from_block_plan(deployment.storage_document_id, path)
    elif origin is not None:
        source = origin / Path(path or ".").expanduser()
        logger.info("Downloading flow code from storage at %r", str(source))
        yield from _copy_plan(source)
    elif path and ".py:" in deployment.entrypoint:
        return _below(path, deployment.entrypoint)
    return deployment.entrypoint


def _work_in(directory: str | None) -> None:
    if directory:
        # The code's own relative paths mean the directory that it was pulled into, and its modules are found there.
        os.chdir(directory)
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)


def _below(path: str, entrypoint: str) -> str:
    is_absolute = Path(entrypoint.rpartition(":")[0]).is_absolute()
    return entrypoint if is_absolute else str(Path(path).expanduser() / entrypoint)


async def _run_steps(deployment: Any, flow_run: FlowRun, logger: Any, origin: Path | None) -> dict[str, Any]:
    token = origins.origin.set(origin)
    try:
        run_steps = _upcalls.resolve("run_pull_steps")
        return await run_steps(deployment.pull_steps, deployment=deployment, flow_run=flow_run, logger=logger)
    finally:
        origins.origin.reset(token)


def _copy_from_block_plan(document_id: UUID, path: str | None) -> Plan[None]:
    from prefect.blocks.core import Block  # noqa: PLC0415 - few deployments use a storage block

    reference = {"block_document_id": document_id}
    block: Any = yield Pair(lambda: Block.load_from_ref(reference, _sync=True), lambda: Block.aload_from_ref(reference))
    yield _awaiting(_get_directory, block, path)


def _copy_plan(source: Path) -> Plan[None]:
    from prefect.filesystems import LocalFileSystem  # noqa: PLC0415 - loads blocks, which most runs do without

    yield _awaiting(_get_directory, LocalFileSystem(basepath=str(source)), None)


async def _get_directory(block: Any, path: str | None) -> None:
    found = block.get_directory(from_path=path, local_path=".")
    if hasattr(found, "__await__"):
        await found


def _awaiting(call: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Pair:
    """Call an async function, where nothing can be awaited too."""

    def run(*args: Any) -> Any:
        from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - few deployments need it

        return run_coro_as_sync(call(*args))

    return Pair(run, call, *args)
