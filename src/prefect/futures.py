"""Futures: stand-ins for runs that may not have finished, and ways to wait for them.

Futures hold no event loop: waiting blocks the thread, in async code too.
"""

from __future__ import annotations

import abc
import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from prefect._plans import Plan, Sleep, run_plan, run_plan_async
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.exceptions import ObjectNotFound
from prefect.utilities.annotations import quote
from prefect.utilities.collections import StopVisiting, visit_collection

R = TypeVar("R")
F = TypeVar("F")

_POLL_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


class PrefectFuture(abc.ABC, Generic[R]):
    """The result of a run that may still be going on."""

    def __init__(self, task_run_id: UUID) -> None:
        self._task_run_id = task_run_id
        self._final_state: State[R] | None = None

    @property
    def task_run_id(self) -> UUID:
        """The id of the task run."""
        return self._task_run_id

    @property
    def state(self) -> State[R]:
        """The present state: the final one once it is known here, else what the API knows, else `Pending`."""
        if self._final_state is not None:
            return self._final_state
        task_run = _read_task_run(self._task_run_id)
        if task_run is None or task_run.state is None:
            return State(type=StateType.PENDING)
        return task_run.state

    @abc.abstractmethod
    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run is done, at most `timeout` seconds. Raises neither for a failure nor for a timeout."""

    # Typed R here and below, though whoever asks for no raise may get an exception: that is the rare way to call it.
    @abc.abstractmethod
    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the run and return its result.

        Args:
            timeout: Seconds to wait at most.
            raise_on_failure: Raise the run's exception; if False it is returned.

        Raises:
            TimeoutError: The run is not done in time.
        """

    @abc.abstractmethod
    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        """Call `fn` with this future when the run is done; at once if it is."""


class PrefectTaskRunFuture(PrefectFuture[R]):
    """A future of a task run."""


class PrefectWrappedFuture(PrefectTaskRunFuture[R], abc.ABC, Generic[R, F]):
    """A future around the future of whatever runs the task; the base for other task runners."""

    def __init__(self, task_run_id: UUID, wrapped_future: F) -> None:
        super().__init__(task_run_id)
        self._wrapped_future = wrapped_future

    @property
    def wrapped_future(self) -> F:
        """The future of the underlying executor."""
        return self._wrapped_future

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        if self._final_state is not None:
            fn(self)
            return
        self._wrapped_future.add_done_callback(lambda _: fn(self))  # type: ignore[attr-defined]


class PrefectConcurrentFuture(PrefectWrappedFuture[R, "concurrent.futures.Future[Any]"]):
    """A future of a task run in a thread or process of this machine.

    What it wraps gives the run's final state, or the execution itself where that is in this process.
    """

    def wait(self, timeout: float | None = None) -> None:
        try:
            self._outcome(timeout)
        except (TimeoutError, concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            pass

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        try:
            outcome = self._outcome(timeout)
        except concurrent.futures.TimeoutError as error:
            raise TimeoutError(f"Task run {self.task_run_id} did not complete within {timeout} seconds") from error
        if isinstance(outcome, State):
            return outcome.result(raise_on_failure=raise_on_failure, _sync=True)  # type: ignore[return-value]
        return outcome.result(raise_on_failure)

    @property
    def state(self) -> State[R]:
        if self._final_state is None and self._wrapped_future.done():
            if self._wrapped_future.cancelled():
                return State(type=StateType.CANCELLED, message="The task run was cancelled before it started.")
            outcome = self._wrapped_future.result()
            self._final_state = outcome if isinstance(outcome, State) else outcome.state
        return super().state

    def _outcome(self, timeout: float | None) -> Any:
        help_with = getattr(self._wrapped_future, "help", None)
        if help_with is not None:
            help_with()
        return self._wrapped_future.result(timeout)


def _read_task_run(task_run_id: UUID) -> TaskRun | None:
    from prefect.client._calls.task_runs import read_task_run  # noqa: PLC0415 - only futures of other processes ask
    from prefect.client._send import send  # noqa: PLC0415

    try:
        return send(read_task_run(task_run_id))
    except ObjectNotFound:
        return None


# -- futures of runs elsewhere -----------------------------------------------------------------------------------------


class _ReadTaskRun:
    __slots__ = ("id",)

    def __init__(self, id: UUID) -> None:
        self.id = id

    def perform(self) -> TaskRun | None:
        return _read_task_run(self.id)

    async def perform_async(self) -> TaskRun | None:
        return await asyncio.to_thread(_read_task_run, self.id)


class _ReadFlowRun:
    __slots__ = ("id",)

    def __init__(self, id: UUID) -> None:
        self.id = id

    def perform(self) -> Any:
        from prefect.client._calls.flow_runs import read_flow_run  # noqa: PLC0415 - only futures of other processes ask
        from prefect.client._send import send  # noqa: PLC0415

        return send(read_flow_run(self.id))

    async def perform_async(self) -> Any:
        return await asyncio.to_thread(self.perform)


def _wait_for_final_state(read: Any, timeout: float | None) -> Plan[State[Any] | None]:
    """Read a run until it is final; None when time runs out first."""
    deadline = None if timeout is None else time.monotonic() + timeout
    attempt = 0
    while True:
        run = yield read
        if run is not None and run.state is not None and run.state.is_final():
            return run.state
        pause = _POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)]
        if deadline is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            pause = min(pause, remaining)
        yield Sleep(pause)
        attempt += 1


class PrefectDistributedFuture(PrefectTaskRunFuture[R]):
    """A future of a background task run, which some task worker runs. Two futures of one run are equal."""

    done_callbacks: list[Callable[[PrefectFuture[R]], None]]
    waiter: threading.Thread | None = None

    def __init__(self, task_run_id: UUID) -> None:
        super().__init__(task_run_id)
        self.done_callbacks = []

    def wait(self, timeout: float | None = None) -> None:
        if self._final_state is None:
            self._final_state = run_plan(_wait_for_final_state(_ReadTaskRun(self._task_run_id), timeout))

    async def wait_async(self, timeout: float | None = None) -> None:
        """Wait without blocking the event loop."""
        if self._final_state is None:
            self._final_state = await run_plan_async(_wait_for_final_state(_ReadTaskRun(self._task_run_id), timeout))

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        self.wait(timeout)
        return self._final(timeout).result(raise_on_failure=raise_on_failure, _sync=True)  # type: ignore[return-value]

    async def result_async(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """`result` without blocking the event loop."""
        await self.wait_async(timeout)
        return await self._final(timeout).aresult(raise_on_failure=raise_on_failure)  # type: ignore[return-value]

    def _final(self, timeout: float | None) -> State[R]:
        if self._final_state is None:
            raise TimeoutError(f"Task run {self.task_run_id} did not complete within {timeout} seconds")
        return self._final_state

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        if self._final_state is not None:
            fn(self)
            return
        self.done_callbacks.append(fn)
        if self.waiter is None:
            self.waiter = threading.Thread(target=self._wait_and_tell, name="prefect-future", daemon=True)
            self.waiter.start()

    def _wait_and_tell(self) -> None:
        self.wait()
        while self.done_callbacks:
            self.done_callbacks.pop(0)(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrefectDistributedFuture) and self.task_run_id == other.task_run_id

    def __hash__(self) -> int:
        return hash(self.task_run_id)


class PrefectFlowRunFuture(PrefectFuture[R]):
    """A future of a flow run elsewhere. Two futures of one run are equal."""

    def __init__(self, flow_run_id: UUID) -> None:
        super().__init__(flow_run_id)
        self._flow_run_id = flow_run_id

    @property
    def flow_run_id(self) -> UUID:
        """The id of the flow run."""
        return self._flow_run_id

    @property
    def state(self) -> State[R]:
        if self._final_state is not None:
            return self._final_state
        state = _ReadFlowRun(self._flow_run_id).perform().state
        return state or State(type=StateType.PENDING)

    def wait(self, timeout: float | None = None) -> None:
        if self._final_state is None:
            self._final_state = run_plan(_wait_for_final_state(_ReadFlowRun(self._flow_run_id), timeout))

    async def wait_async(self, timeout: float | None = None) -> None:
        """Wait without blocking the event loop."""
        if self._final_state is None:
            self._final_state = await run_plan_async(_wait_for_final_state(_ReadFlowRun(self._flow_run_id), timeout))

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        self.wait(timeout)
        return self._final(timeout).result(raise_on_failure=raise_on_failure, _sync=True)  # type: ignore[return-value]

    async def aresult(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """`result` without blocking the event loop."""
        await self.wait_async(timeout)
        return await self._final(timeout).aresult(raise_on_failure=raise_on_failure)  # type: ignore[return-value]

    def _final(self, timeout: float | None) -> State[R]:
        if self._final_state is None:
            raise TimeoutError(f"Flow run {self.flow_run_id} did not complete within {timeout} seconds")
        return self._final_state

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        if self._final_state is not None:
            fn(self)
            return
        threading.Thread(target=lambda: (self.wait(), fn(self)), name="prefect-future", daemon=True).start()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrefectFlowRunFuture) and self.flow_run_id == other.flow_run_id

    def __hash__(self) -> int:
        return hash(self.flow_run_id)


# -- several futures ---------------------------------------------------------------------------------------------------


class PrefectFutureList(list[PrefectFuture[R]], Iterator[PrefectFuture[R]]):
    """A list of futures that can be waited for together."""

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all are done, at most `timeout` seconds in all."""
        wait(self, timeout=timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[R]:
        """The results in the order of the list.

        Args:
            timeout: Seconds for all of them together.
            raise_on_failure: Raise the first failure as soon as it happens; if False exceptions stand in the list.

        Raises:
            TimeoutError: Not all are done in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if raise_on_failure:
            for future in as_completed(list(self), timeout):
                future.result(raise_on_failure=True)
        return [
            future.result(None if deadline is None else max(deadline - time.monotonic(), 0), raise_on_failure)
            for future in self
        ]

    def __next__(self) -> PrefectFuture[R]:
        raise TypeError("A PrefectFutureList is not an iterator; write `for future in futures`.")

    def __iter__(self) -> Iterator[PrefectFuture[R]]:
        return list.__iter__(self)


class DoneAndNotDoneFutures(NamedTuple, Generic[R]):
    """Which futures are done, and which are not yet."""

    done: set[PrefectFuture[R]]
    not_done: set[PrefectFuture[R]]


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and timeout < 0:
        raise ValueError(f"A timeout of {timeout!r} seconds makes no sense: give 0 or more, or None to wait for ever.")


def wait(futures: list[PrefectFuture[R]], timeout: float | None = None) -> DoneAndNotDoneFutures[R]:
    """Wait until all futures are done, at most `timeout` seconds; never raises because time ran out."""
    _check_timeout(timeout)
    not_done = set(futures)
    done: set[PrefectFuture[R]] = set()
    try:
        for future in as_completed(futures, timeout):
            done.add(future)
            not_done.discard(future)
    except TimeoutError:
        pass
    return DoneAndNotDoneFutures(done, not_done)


def as_completed(
    futures: list[PrefectFuture[R]], timeout: float | None = None
) -> Generator[PrefectFuture[R], None, None]:
    """Yield each future once, as its run is done.

    Raises:
        TimeoutError: Not all were done within `timeout` seconds; those that were have been yielded.
    """
    _check_timeout(timeout)
    unique = dict.fromkeys(futures)
    deadline = None if timeout is None else time.monotonic() + timeout
    finished: SimpleQueue[PrefectFuture[R]] = SimpleQueue()
    for future in unique:
        future.add_done_callback(finished.put)
    for position in range(len(unique)):
        # Inside a bounded pool a thread that only waits would keep what it waits for from running.
        _help(unique)
        remaining = None if deadline is None else max(deadline - time.monotonic(), 0)
        try:
            future = finished.get(timeout=remaining)
        except Empty:
            raise TimeoutError(f"{len(unique) - position} (of {len(unique)}) futures unfinished") from None
        yield future


def _help(futures: Iterable[Any]) -> None:
    for future in futures:
        help_with = getattr(getattr(future, "_wrapped_future", None), "help", None)
        if help_with is None or not help_with():
            return


def _resolve(expr: Any, replace: Callable[[PrefectFuture[Any]], Any]) -> Any:
    def visit(value: Any, context: dict[str, Any]) -> Any:
        if isinstance(context.get("annotation"), quote):
            raise StopVisiting
        return replace(value) if isinstance(value, PrefectFuture) else value

    return visit_collection(expr, visit, return_data=True, max_depth=-1, context={})


def resolve_futures_to_states(expr: Any) -> Any:
    """Wait for every future in `expr`, at any depth, and put its final state in its place."""

    def to_state(future: PrefectFuture[Any]) -> State[Any]:
        future.wait()
        return future.state

    return _resolve(expr, to_state)


def resolve_futures_to_results(expr: Any) -> Any:
    """Wait for every future in `expr`, at any depth, and put its result in its place.

    Raises:
        Exception: What the first run that did not complete raised.
    """
    return _resolve(expr, lambda future: future.result(raise_on_failure=True))
