"""Task groups that raise the error of a single task, or of their block, as it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.abc


@asynccontextmanager
async def task_group() -> AsyncGenerator[anyio.abc.TaskGroup, None]:
    """A task group whose single error is not wrapped in a group of errors."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseException as error:
        inner = getattr(error, "exceptions", ())
        if len(inner) != 1:
            raise
        raise inner[0] from inner[0].__cause__
