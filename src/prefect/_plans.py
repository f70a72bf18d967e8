"""Plans: generators that decide, and yield what they wait for, so that each policy stands once for sync and async.

An effect is an object with `perform()` and `perform_async()`. Either driver performs the effects of a plan and sends
the outcomes back, or throws what an effect raised into the plan.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Effect(Protocol):
    """Something a plan waits for."""

    def perform(self) -> Any: ...

    async def perform_async(self) -> Any: ...


Plan = Generator[Effect, Any, T]


class Pair:
    """Call one function where nothing can be awaited, or its async counterpart where something can."""

    __slots__ = ("args", "call", "call_async")

    def __init__(self, call: Callable[..., Any], call_async: Callable[..., Awaitable[Any]], *args: Any) -> None:
        self.call, self.call_async, self.args = call, call_async, args

    def perform(self) -> Any:
        return self.call(*self.args)

    async def perform_async(self) -> Any:
        return await self.call_async(*self.args)


class Sleep:
    """Wait some seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def perform(self) -> None:
        time.sleep(max(self.seconds, 0))

    async def perform_async(self) -> None:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        await asyncio.sleep(max(self.seconds, 0))


def run_plan(plan: Plan[T]) -> T:
    """Run a plan in this thread."""
    resume: Callable[[Any], Effect] = plan.send
    reply: Any = None
    while True:
        try:
            effect = resume(reply)
        except StopIteration as finished:
            return finished.value
        try:
            reply = effect.perform()
            resume = plan.send
        except BaseException as error:  # noqa: BLE001 - the plan decides what each error means
            resume, reply = plan.throw, error


async def run_plan_async(plan: Plan[T]) -> T:
    """Run a plan in this event loop."""
    resume: Callable[[Any], Effect] = plan.send
    reply: Any = None
    while True:
        try:
            effect = resume(reply)
        except StopIteration as finished:
            return finished.value
        try:
            reply = await effect.perform_async()
            resume = plan.send
        except BaseException as error:  # noqa: BLE001 - the plan decides what each error means
            resume, reply = plan.throw, error
