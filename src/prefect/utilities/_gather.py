"""Collects the results of tasks that run side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn, TypeVar
from uuid import UUID, uuid4

import anyio
from anyio.abc import TaskGroup

T = TypeVar("T")


class GatherIncomplete(RuntimeError):
    """A result was asked for before its task ended."""


class GatherTaskGroup(TaskGroup):
    """A task group that keeps the results of its tasks.

    The results are there when the group has been left. It differs from anyio's own, whose versions differ among
    themselves, in what `start_soon` returns.
    """

    def __init__(self, task_group: TaskGroup) -> None:
        self._results: dict[UUID, Any] = {}
        self._task_group = task_group

    async def _run_and_store(self, key: UUID, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        self._results[key] = await fn(*args)

    def start_soon(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, func: Callable[..., Awaitable[Any]], *args: Any, name: object = None
    ) -> UUID:
        """Start a task.

        Returns:
            The key under which `get_result` finds its result.
        """
        key = uuid4()
        self._results[key] = GatherIncomplete
        self._task_group.start_soon(self._run_and_store, key, func, args, name=name)
        return key

    def create_task(self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Context | None = None) -> Any:
        """Start a coroutine as a task of the group, without keeping its result."""
        create: Callable[..., Any] = getattr(self._task_group, "create_task")  # noqa: B009 - recent versions of anyio only
        return create(coro, name=name, context=context)

    async def start(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, func: object, *args: object, name: object = None
    ) -> NoReturn:
        """Raise: a task that says when it has started has no place to keep its result."""
        raise RuntimeError("`GatherTaskGroup` does not support `start`. Use `start_soon`.")

    @property
    def cancel_scope(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The scope whose cancellation ends all tasks of the group."""
        return self._task_group.cancel_scope

    def get_result(self, key: UUID) -> Any:
        """Return the result of a task.

        Raises:
            GatherIncomplete: The task has not ended.
        """
        result = self._results[key]
        if result is GatherIncomplete:
            raise GatherIncomplete(
                "The task has not ended. Results should not be retrieved until the task group has been left."
            )
        return result

    async def __aenter__(self) -> GatherTaskGroup:
        await self._task_group.__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> Any:
        return await self._task_group.__aexit__(*args)


def create_gather_task_group() -> GatherTaskGroup:
    """Make a task group that keeps the results of its tasks."""
    return GatherTaskGroup(anyio.create_task_group())


async def gather(*calls: Callable[[], Coroutine[Any, Any, T]]) -> list[T]:
    """Run async functions side by side and return their results in order."""
    async with create_gather_task_group() as group:
        keys = [group.start_soon(call) for call in calls]
    return [group.get_result(key) for key in keys]
