"""Task runners: where submitted tasks run.

The base class is the contract that other packages' runners (Dask, Ray) build on.
"""

from __future__ import annotations

import abc
import concurrent.futures
import gc
import itertools
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import Self, TypeVar

from prefect._engine.assets import track_assets
from prefect._engine.inputs import NotReady
from prefect._engine.mapping import mapped_calls
from prefect._engine.run_tasks import TaskCall
from prefect._engine.thread_pool import ThreadPool, Work, in_worker_thread
from prefect._state_values import crashed_state
from prefect.context import FlowRunContext, serialize_context
from prefect.futures import PrefectConcurrentFuture, PrefectDistributedFuture, PrefectFuture, PrefectFutureList
from prefect.logging import _progress
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect._engine.process_pool import ProcessPool
    from prefect.tasks import Task

_COLLECT_AFTER = 50_000
"""Objects made before the garbage collector looks at them, while a map is submitted."""

F = TypeVar("F", bound=PrefectFuture[Any], default=PrefectConcurrentFuture[Any])


class TaskRunner(abc.ABC, Generic[F]):
    """Runs tasks somewhere. Enter it before submitting; leaving it ends what it started."""

    def __init__(self) -> None:
        self.logger = get_logger(f"task_runner.{self.name}")
        self._started = False

    @property
    def name(self) -> str:
        """The class's name in lower case, without "taskrunner"."""
        return type(self).__name__.lower().replace("taskrunner", "")

    @abc.abstractmethod
    def duplicate(self) -> Self:
        """A new runner of the same configuration, not started."""

    @abc.abstractmethod
    def submit(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> F:
        """Hand a task to the runner; returns at once with a future.

        Args:
            task: The task.
            parameters: Its bound arguments.
            wait_for: Futures that must complete first.
            dependencies: Inputs that were collected before, by parameter name.
        """

    def map(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
    ) -> PrefectFutureList[F]:
        """Submit a task once an item of its iterable arguments.

        Raises:
            RuntimeError: The runner is not started.
            MappingMissingIterable: No argument can be iterated.
            MappingLengthMismatch: The iterables differ in length.
        """
        self._check_started()
        with _fewer_collections():
            futures: list[Any] = [self.submit(task, call, wait_for=wait_for) for call in mapped_calls(task, parameters)]
        if len(futures) > 1 and _progress.is_wanted():
            _show_progress(task.name, futures)
        return PrefectFutureList(futures)

    def cancel_all(self) -> None:
        """Cancel what has not begun."""

    def _check_started(self) -> None:
        if not self._started:
            raise RuntimeError(
                f"The task runner {type(self).__name__} is not started. Submit inside a flow, or inside `with runner:`."
            )

    def __enter__(self) -> Self:
        if self._started:
            raise RuntimeError(f"The task runner {type(self).__name__} is started already. Use runner.duplicate().")
        self.logger.debug("Starting task runner...")
        self._started = True
        return self

    def __exit__(self, *_: object) -> None:
        self.logger.debug("Stopping task runner...")
        self._started = False


@contextmanager
def _fewer_collections() -> Generator[None, None, None]:
    """Let the garbage collector look less often: what is made for each item of a map is kept, and looked at in vain."""
    before = gc.get_threshold()
    if 0 < before[0] < _COLLECT_AFTER:
        gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _show_progress(name: str, futures: list[Any]) -> None:
    wrapped: list[Any] = [getattr(future, "wrapped_future", None) for future in futures]
    if all(hasattr(future, "done") for future in wrapped):
        _progress.show(name, len(wrapped), lambda: sum(future.done() for future in wrapped))


class ThreadPoolTaskRunner(TaskRunner[PrefectConcurrentFuture[Any]]):
    """Runs tasks in threads of this process.

    A task whose upstream futures are not done takes no thread until they are.

    Args:
        max_workers: The most tasks at work at once; default: the setting `tasks.runner.thread_pool_max_workers`, else
            no limit.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__()
        if max_workers is None:
            max_workers = get_current_settings().tasks.runner.thread_pool_max_workers
        if max_workers is not None and max_workers < 1:
            raise ValueError(
                f"max_workers={max_workers!r} leaves nobody to work: give 1 or more, or None for no limit."
            )
        self._max_workers = max_workers
        self._pool: ThreadPool | None = None
        self._cancelled = False
        self._warned = False
        self._deferred: set[Work] = set()
        """Works whose upstream futures are not done."""

    def duplicate(self) -> Self:
        return type(self)(max_workers=self._max_workers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ThreadPoolTaskRunner) and self._max_workers == other._max_workers

    __hash__ = None  # type: ignore[assignment]

    def submit(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> PrefectConcurrentFuture[Any]:
        self._check_started()
        pool = self._pool
        assert pool is not None
        if pool.is_saturated:
            self._warn_about_saturation(task)
        call = TaskCall(task, parameters, wait_for, dependencies)
        work = Work(pool, call)
        pending = call.unfinished_upstreams()
        if pending:
            self._deferred.add(work)
            _when_all_done(pending, partial(self._release, pool, work))
        else:
            pool.enqueue(work)
        return PrefectConcurrentFuture(call.run_id, work)

    def _release(self, pool: ThreadPool, work: Work) -> None:
        pool.enqueue(work)
        self._deferred.discard(work)

    def _warn_about_saturation(self, task: Task[..., Any]) -> None:
        if not self._warned and in_worker_thread():
            self._warned = True
            self.logger.warning(
                "Task %r is submitted from a task while all %s workers are busy. It runs when one is free, or in the "
                "submitting task's own thread when that waits for it.",
                task.name,
                self._max_workers,
            )

    def cancel_all(self) -> None:
        """Cancel what has not begun; a task that reaches its body from now on does not run it."""
        self._cancelled = True
        self._drop_unstarted()

    def _drop_unstarted(self) -> None:
        assert self._pool is not None
        works = self._pool.cancel_queued([*self._deferred])
        for work in works:
            work.call.record_cancelled()
        if works:
            names = ", ".join(sorted({work.call.task.name for work in works}))
            self.logger.warning(
                "%d submitted task run(s) never started and were cancelled: %s. Wait for their futures before the flow ends.",
                len(works),
                names,
            )

    def _after_fork(self) -> None:
        # The threads, and what they were given, are the parent's.
        if self._pool is not None:
            self._pool = ThreadPool(self._max_workers, "prefect-tasks")
            self._deferred = set()

    def __enter__(self) -> Self:
        super().__enter__()
        self._pool = ThreadPool(self._max_workers, "prefect-tasks")
        self._cancelled = False
        return self

    def __exit__(self, *exc: object) -> None:
        pool = self._pool
        if pool is not None:
            if pool.max_workers is not None:
                self._drop_unstarted()
            if self._cancelled and len(exc) > 1 and exc[1] is not None and not isinstance(exc[1], Exception):
                # A second signal, which came before the wait that it is meant to end.
                pool.close(wait=False)
                self._pool = None
                super().__exit__(*exc)
                return
            if self._cancelled and pool.busy:
                self.logger.warning(
                    "Waiting for %d task run(s) at work: threads cannot be stopped. Interrupt again to leave them.",
                    pool.busy,
                )
            while self._deferred:  # their upstreams are at work; what they release is still to run
                concurrent.futures.wait([*self._deferred])
            pool.close()
            self._pool = None
        super().__exit__(*exc)


ConcurrentTaskRunner = ThreadPoolTaskRunner


def _when_all_done(futures: list[PrefectFuture[Any]], then: Callable[[], None]) -> None:
    remaining = itertools.count(len(futures) - 1, -1)  # counting down is one step, whichever thread does it

    def one_done(_: PrefectFuture[Any]) -> None:
        if next(remaining) == 0:
            then()

    for future in futures:
        future.add_done_callback(one_done)


class ProcessPoolTaskRunner(TaskRunner[PrefectConcurrentFuture[Any]]):
    """Runs tasks in processes of this machine. Tasks, arguments and results have to be picklable.

    Args:
        max_workers: The most processes; default: the setting `tasks.runner.process_pool_max_workers`, else one a core.
        subprocess_message_processor_factories: Make functions that every record of a child process goes through: they take a
            message (kind, record) and return it, another one, or None to drop it.
        initializer: Called in each process before its first task, with `initargs`.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        subprocess_message_processor_factories: Iterable[Callable[[], Any]] | None = None,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        super().__init__()
        if max_workers is None:
            max_workers = get_current_settings().tasks.runner.process_pool_max_workers
        self._max_workers = max_workers
        self._factories = tuple(subprocess_message_processor_factories or ())
        self._initializer, self._initargs = initializer, initargs
        self._pool: ProcessPool | None = None
        self._pending: set[Future[Any]] = set()
        self._cancelled = False

    def duplicate(self) -> Self:
        return type(self)(self._max_workers, self._factories, self._initializer, self._initargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessPoolTaskRunner) and self._configuration() == other._configuration()

    __hash__ = None  # type: ignore[assignment]

    def _configuration(self) -> tuple[Any, ...]:
        return (self._max_workers, self._factories, self._initializer, self._initargs)

    @property
    def subprocess_message_processor_factories(self) -> tuple[Callable[[], Any], ...]:
        """What makes the functions that the records of child processes go through."""
        return self._factories

    def set_subprocess_message_processor_factories(self, subprocess_message_processor_factories: Any = None) -> None:
        """Replace the factories.

        Raises:
            RuntimeError: The runner is started.
        """
        if self._started:
            raise RuntimeError(
                "The message processors of a started runner cannot change. Set them before the flow runs."
            )
        self._factories = tuple(subprocess_message_processor_factories or ())

    def submit(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> PrefectConcurrentFuture[Any]:
        self._check_started()
        call = TaskCall(task, parameters, wait_for, dependencies)
        future: Future[Any] = Future()
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        context = serialize_context()
        flow_context = FlowRunContext.get()
        pending = call.unfinished_upstreams()
        if pending:
            _when_all_done(pending, partial(self._send, call, context, flow_context, future))
        else:
            self._send(call, context, flow_context, future)
        return PrefectConcurrentFuture(call.run_id, future)

    def _send(self, call: TaskCall, context: dict[str, Any], flow_context: Any, future: Future[Any]) -> None:
        """Send a call whose upstreams are done to a process; what keeps it from being sent is recorded here."""
        if self._cancelled or not future.set_running_or_notify_cancel():
            call.record_cancelled()
            future.cancel()
            return
        assert self._pool is not None
        try:
            parameters = call.resolved_parameters()
        except NotReady:
            future.set_result(call())  # the run itself tells which upstream did not complete; its body is not called
            return
        if flow_context is not None and (flow_context.task_run_assets or call.task._has_assets or call.task.asset_deps):
            # What its upstreams carried is known only now; what it carries itself, those after it must find here.
            context["flow_run_context"]["task_run_assets"] = dict(flow_context.task_run_assets)
            track_assets(flow_context, call.task, call.run_id, call.inputs)
        try:
            sent = self._pool.submit_task(call.task, call.run_id, parameters, call.inputs, context)
        except BrokenExecutor as error:
            future.set_result(call.crash(error))
            return
        except Exception as error:  # noqa: BLE001 - each type fails to pickle with an error of its own
            reason = TypeError(
                f"Task {call.task.name!r} cannot be sent to another process, because it or its arguments cannot be pickled: "
                f"{error}. Pass plain data, or use the ThreadPoolTaskRunner."
            )
            reason.__cause__ = error
            future.set_result(call.fail(reason))
            return
        sent.add_done_callback(partial(_hand_over, self._pool, call, future))

    def cancel_all(self) -> None:
        """Cancel what has not begun."""
        self._cancelled = True
        if self._pool is not None:
            self._pool.cancel_queued()

    def __enter__(self) -> Self:
        from prefect._engine.process_pool import ProcessPool  # noqa: PLC0415 - multiprocessing is costly, and few flows use it

        super().__enter__()
        self._cancelled = False
        self._pool = ProcessPool(self._max_workers, self._factories, self._initializer, self._initargs)
        return self

    def _after_fork(self) -> None:
        # The processes answer the parent only; what is submitted here is told that the runner is not started.
        self._started, self._pool, self._pending = False, None, set()

    def __exit__(self, *exc: object) -> None:
        while self._pending:
            concurrent.futures.wait([*self._pending])
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        super().__exit__(*exc)


def _hand_over(pool: ProcessPool, call: TaskCall, future: Future[Any], sent: Future[bytes]) -> None:
    if sent.cancelled():
        future.set_exception(concurrent.futures.CancelledError())
        return
    error, state = sent.exception(), None
    if error is None:
        try:
            state = pool.unpack_state(sent.result())
        except TypeError as failure:
            error = failure
    if isinstance(error, BrokenExecutor):
        # The process has died, and cannot record the end of what it ran.
        future.set_result(call.crash(error))
    elif error is not None:
        # The run is recorded as it ended; its result cannot be sent here.
        state = crashed_state(error)
        state.state_details.task_run_id = call.run_id
        future.set_result(state)
    else:
        future.set_result(state)


class PrefectTaskRunner(TaskRunner[PrefectDistributedFuture[Any]]):
    """Hands tasks to task workers through the API."""

    def duplicate(self) -> Self:
        return type(self)()

    def submit(
        self,
        task: Task[..., Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> PrefectDistributedFuture[Any]:
        self._check_started()
        return task.apply_async(kwargs=parameters, wait_for=wait_for, dependencies=dependencies)
