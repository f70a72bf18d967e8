"""The effects that only the engine's plans ask for, and the drivers of runs that are generators themselves."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from typing import Any, TypeVar

from prefect._plans import Plan, run_plan, run_plan_async
from prefect.utilities.asyncutils import run_coro_as_sync
from prefect.utilities.timeout import timeout as sync_timeout
from prefect.utilities.timeout import timeout_async

T = TypeVar("T")


class Call:
    """Call a function, awaiting what it returns if that can be awaited; at most `seconds` long."""

    __slots__ = ("args", "fn", "kwargs", "seconds", "timeout_error")

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        seconds: float | None = None,
        timeout_error: type[TimeoutError] = TimeoutError,
    ) -> None:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs or {}
        self.seconds = seconds
        self.timeout_error = timeout_error

    def perform(self) -> Any:
        if self.seconds:
            with sync_timeout(self.seconds, self.timeout_error):
                return self._call()
        return self._call()

    def _call(self) -> Any:
        value = self.fn(*self.args, **self.kwargs)
        return run_coro_as_sync(value) if inspect.iscoroutine(value) else value

    async def perform_async(self) -> Any:
        if self.seconds:
            with timeout_async(self.seconds, self.timeout_error):
                return await self._call_async()
        return await self._call_async()

    async def _call_async(self) -> Any:
        value = self.fn(*self.args, **self.kwargs)
        return await value if inspect.isawaitable(value) else value


class BodyStopped(Exception):
    """Carries the `StopIteration` of a user's function: thrown into a plan, that would become a `RuntimeError`."""

    def __init__(self, error: StopIteration) -> None:
        super().__init__(str(error))
        self.error = error


class Body(Call):
    """Call the user's function: as it is. A sync function that returns an awaitable returns it."""

    __slots__ = ()

    def _call(self) -> Any:
        try:
            return self.fn(*self.args, **self.kwargs)
        except StopIteration as error:
            raise BodyStopped(error) from error

    async def _call_async(self) -> Any:
        return await self.fn(*self.args, **self.kwargs)


class Wait:
    """Wait until all these futures are done."""

    __slots__ = ("futures",)

    def __init__(self, futures: Iterable[Any]) -> None:
        self.futures = list(futures)

    def perform(self) -> None:
        for future in self.futures:
            future.wait()

    async def perform_async(self) -> None:
        # Threads do the waiting: a future may belong to a runner that knows nothing of this loop.
        for future in self.futures:
            await asyncio.get_running_loop().run_in_executor(None, future.wait)


class Iterate:
    """Hand on what the user's generator yields, each step inside `step_context`."""

    __slots__ = ("generator", "on_yield", "run_step")

    def __init__(
        self,
        generator: Any,
        run_step: Callable[..., Any],
        on_yield: Callable[[Any], None],
    ) -> None:
        self.generator = generator
        self.run_step = run_step
        self.on_yield = on_yield


class ClosedEarly(BaseException):
    """The consumer of a generator closed it before its end.

    Plans hear of that through this class: `yield from` would turn a `GeneratorExit` into closing the plan itself.
    """


def drive_generator(plan: Plan[T]) -> Generator[Any, Any, T]:
    """Perform a plan's effects; yield what its `Iterate` effect yields."""
    resume: Callable[[Any], Any] = plan.send
    reply: Any = None
    while True:
        try:
            effect = resume(reply)
        except StopIteration as finished:
            return finished.value
        try:
            reply = (yield from _steps(effect)) if type(effect) is Iterate else effect.perform()
            resume = plan.send
        except GeneratorExit:
            resume, reply = plan.throw, ClosedEarly()
        except BaseException as error:
            resume, reply = plan.throw, error


def _steps(effect: Iterate) -> Generator[Any, Any, Any]:
    generator, step, argument = effect.generator, effect.generator.send, None
    while True:
        try:
            value = effect.run_step(step, argument)
        except StopIteration as finished:
            return finished.value
        effect.on_yield(value)
        try:
            step, argument = generator.send, (yield value)
        except GeneratorExit:
            effect.run_step(generator.close)
            raise
        except BaseException as error:
            step, argument = generator.throw, error


async def drive_async_generator(plan: Plan[Any]) -> AsyncGenerator[Any, Any]:
    """Perform a plan's effects in this event loop; yield what its `Iterate` effect yields."""
    resume: Callable[[Any], Any] = plan.send
    reply: Any = None
    while True:
        try:
            effect = resume(reply)
        except StopIteration:
            return
        try:
            if type(effect) is Iterate:
                generator, step, argument = effect.generator, effect.generator.asend, None
                while True:
                    try:
                        value = await effect.run_step(step, argument)
                    except StopAsyncIteration:
                        break
                    effect.on_yield(value)
                    try:
                        step, argument = generator.asend, (yield value)
                    except GeneratorExit:
                        await effect.run_step(generator.aclose)
                        raise
                    except BaseException as error:
                        step, argument = generator.athrow, error
                reply = None
            else:
                reply = await effect.perform_async()
            resume = plan.send
        except GeneratorExit:
            resume, reply = plan.throw, ClosedEarly()
        except BaseException as error:
            resume, reply = plan.throw, error


def run_to_end(execution: Any) -> None:
    """Perform a task run; the value of a generator is the list of what it yields."""
    if not execution.task.isgenerator:
        run_plan(execution.plan())
        return
    values = list(drive_generator(execution.plan()))
    if execution.raised is None:
        execution.value = values


async def run_to_end_async(execution: Any) -> None:
    """`run_to_end` of an async task, in this event loop."""
    if not execution.task.isgenerator:
        await run_plan_async(execution.plan())
        return
    values = [value async for value in drive_async_generator(execution.plan())]
    if execution.raised is None:
        execution.value = values
