"""Tasks: functions whose every call is a run with states, retries, caching and results.

`@task` makes a `Task`; calling it runs it at once, `submit` and `map` hand it to the flow's task runner, `delay` to a task
worker.
"""

from __future__ import annotations

import datetime
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import partial, update_wrapper
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, overload

from typing_extensions import ParamSpec, Self, TypedDict, Unpack

from prefect import _current, _upcalls
from prefect._compat.dispatch import async_dispatch
from prefect._engine import start
from prefect._functions import CallShape, FunctionFacts, check_hooks, default_name
from prefect.cache_policies import DEFAULT, NO_CACHE, CacheKeyFnPolicy, CachePolicy
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings
from prefect.utilities.annotations import NotSet
from prefect.utilities.callables import get_call_parameters
from prefect.utilities.hashing import hash_objects

if TYPE_CHECKING:
    from prefect.assets import Asset
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.context import FlowRunContext, TaskRunContext
    from prefect.filesystems import WritableFileSystem
    from prefect.futures import PrefectDistributedFuture, PrefectFuture
    from prefect.serializers import Serializer
    from prefect.transactions import Transaction

    ResultStorage = WritableFileSystem | str | Path
    ResultSerializer = Serializer | str

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

NUM_CHARS_DYNAMIC_KEY = 8
MAX_RETRY_DELAYS = 50

StateHookCallable = Callable[["Task[..., Any]", "TaskRun", "State"], Any]
RetryConditionCallable = Callable[["Task[..., Any]", "TaskRun", "State"], Any]

logger = get_logger("tasks")


class TaskRunNameCallbackWithParameters(Protocol):
    """A callable that makes a task run's name of its parameters."""

    def __call__(self, parameters: dict[str, Any]) -> str: ...

    @classmethod
    def is_callback_with_parameters(cls, callable: Callable[..., str]) -> bool:
        """Whether a callable takes the parameters of the run, as `parameters`."""
        return "parameters" in inspect.signature(callable).parameters


TaskRunNameValueOrCallable = Callable[[], str] | TaskRunNameCallbackWithParameters | str


class TaskOptions(TypedDict, total=False):
    """The keyword options of `@task`."""

    name: str | None
    description: str | None
    tags: Iterable[str] | None
    version: str | None
    cache_policy: CachePolicy | type[NotSet]
    cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None
    cache_expiration: datetime.timedelta | None
    task_run_name: TaskRunNameCallbackWithParameters | Callable[[], str] | str | None
    retries: int | None
    retry_delay_seconds: float | int | list[float] | Callable[[int], list[float]] | None
    retry_jitter_factor: float | None
    persist_result: bool | None
    result_storage: ResultStorage | None
    result_serializer: ResultSerializer | None
    result_storage_key: str | None
    cache_result_in_memory: bool
    timeout_seconds: int | float | None
    log_prints: bool | None
    refresh_cache: bool | None
    on_completion: list[StateHookCallable] | None
    on_failure: list[StateHookCallable] | None
    on_running: list[StateHookCallable] | None
    on_rollback: list[Callable[[Transaction], None]] | None
    on_commit: list[Callable[[Transaction], None]] | None
    retry_condition_fn: RetryConditionCallable | None
    viz_return_value: Any
    asset_deps: list[Asset | str] | None


def task_input_hash(context: TaskRunContext, arguments: dict[str, Any]) -> str | None:
    """A cache key from the task, its byte code and its arguments, for `@task(cache_key_fn=task_input_hash)`."""
    return hash_objects(context.task.task_key, context.task.fn.__code__.co_code.hex(), arguments, raise_on_failure=True)


class _ExponentialBackoff:
    """Delays that double: a list of as many as are asked for, or all that a task may have, one after another."""

    def __init__(self, backoff_factor: float) -> None:
        self._factor = backoff_factor

    def __call__(self, retries: int) -> list[float]:
        return [self._factor * 2**attempt for attempt in range(retries)]

    def __iter__(self) -> Iterator[float]:
        return iter(self(MAX_RETRY_DELAYS))

    def __repr__(self) -> str:
        return f"exponential_backoff({self._factor!r})"


def exponential_backoff(backoff_factor: float) -> _ExponentialBackoff:
    """Delays that double: `backoff_factor * 2**i` seconds before retry i, for `retry_delay_seconds`.

    Returns:
        A callable from a number of retries to the list of their delays; iterating over it gives the delays too.
    """
    return _ExponentialBackoff(backoff_factor)


class Task(Generic[P, R]):
    """A function whose calls are task runs.

    Args:
        fn: The function.
        name: Default: the function's name.
        description: Default: its docstring.
        tags: Tags of every run; a concurrency limit may be set on a tag.
        version: Anything that tells versions apart.
        cache_policy: How the cache key is made. Default: `DEFAULT`, inputs + source + flow run; `NO_CACHE` or None: never
            cached. Caching needs persisted results.
        cache_key_fn: A function (context, parameters) -> key or None, in place of a policy.
        cache_expiration: How long a stored result may serve; default: for ever.
        task_run_name: A template over the parameters, or a callable.
        retries: How many more attempts after a failure. Default: the setting `tasks.default_retries`.
        retry_delay_seconds: Seconds before a retry: a number, a list by attempt, or a callable that makes the list.
        retry_jitter_factor: Spreads the delay at random up to `delay * (1 + factor)`.
        persist_result: Whether results are stored; default: as the surrounding run does.
        result_storage: Where; default: as the surrounding run.
        result_storage_key: The key, as a template; also the cache key.
        result_serializer: How; default: as the surrounding run.
        cache_result_in_memory: Keep stored results in memory too.
        timeout_seconds: The most an attempt may take. A task in a worker thread cannot be stopped inside a blocking call.
        log_prints: Log what is printed; default: as the surrounding run.
        refresh_cache: Ignore and replace a stored result.
        on_completion, on_failure, on_running: Hooks (task, task run, state).
        on_rollback, on_commit: Transaction hooks (transaction).
        retry_condition_fn: Asked with (task, task run, state) whether to retry; any callable, sync or async.
        viz_return_value: What the task gives while a flow is visualised.
        asset_deps: Assets that this task depends on.
    """

    def __init__(
        self,
        fn: Callable[P, R] | classmethod[Any, P, R] | staticmethod[P, R],
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        version: str | None = None,
        cache_policy: CachePolicy | type[NotSet] | None = NotSet,
        cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None = None,
        cache_expiration: datetime.timedelta | None = None,
        task_run_name: TaskRunNameCallbackWithParameters | Callable[[], str] | str | None = None,
        retries: int | None = None,
        retry_delay_seconds: float | int | list[float] | Callable[[int], list[float]] | None = None,
        retry_jitter_factor: float | None = None,
        persist_result: bool | None = None,
        result_storage: ResultStorage | None = None,
        result_serializer: ResultSerializer | None = None,
        result_storage_key: str | None = None,
        cache_result_in_memory: bool = True,
        timeout_seconds: int | float | None = None,
        log_prints: bool | None = False,
        refresh_cache: bool | None = None,
        on_completion: list[StateHookCallable] | None = None,
        on_failure: list[StateHookCallable] | None = None,
        on_running: list[StateHookCallable] | None = None,
        on_rollback: list[Callable[[Transaction], None]] | None = None,
        on_commit: list[Callable[[Transaction], None]] | None = None,
        retry_condition_fn: RetryConditionCallable | None = None,
        viz_return_value: Any = None,
        asset_deps: list[Asset | str] | None = None,
    ) -> None:
        facts = FunctionFacts(fn, "task")
        self.fn: Callable[P, R] = facts.fn
        self.isasync = facts.isasync
        self.isgenerator = facts.isgenerator
        self._is_staticmethod, self._is_classmethod = facts.is_staticmethod, facts.is_classmethod
        self._bound: Any = None
        update_wrapper(self, self.fn)
        self._shape = CallShape(self.fn)

        self.name: str = name or default_name(self.fn)
        self.description = description or inspect.getdoc(self.fn)
        self.version = version
        self.task_key: str = _task_key(self.fn)
        self._source_code: Any = NotSet
        self.tags: set[str] = set(tags or ())
        self.task_run_name = _checked_run_name(task_run_name, self.name)
        self.log_prints = log_prints
        self.viz_return_value = viz_return_value

        settings = get_current_settings()
        self.timeout_seconds: float | None = float(timeout_seconds) if timeout_seconds else None
        self._take_retries(settings.tasks, retries, retry_delay_seconds, retry_jitter_factor)
        if retry_condition_fn is not None and not callable(retry_condition_fn):
            raise TypeError(
                f"Expected a callable for 'retry_condition_fn' of task {self.name!r}, not {retry_condition_fn!r}."
            )
        self.retry_condition_fn = retry_condition_fn

        self.result_storage = result_storage
        self.result_serializer = result_serializer
        self.result_storage_key = result_storage_key
        self.cache_result_in_memory = cache_result_in_memory
        if cache_expiration is not None and not isinstance(cache_expiration, datetime.timedelta):
            raise TypeError(
                f"Invalid cache_expiration={cache_expiration!r} of task {self.name!r}: expected a timedelta."
            )
        self.cache_expiration = cache_expiration
        self.refresh_cache = refresh_cache
        self._given_persist_result, self._given_cache_policy = persist_result, cache_policy
        self._take_caching(settings.tasks, persist_result, cache_policy, cache_key_fn)
        _check_storage(result_storage, f"task {self.name!r}")

        owner = f"task {self.name!r}"
        self.on_completion_hooks = check_hooks(on_completion, "on_completion", owner)
        self.on_failure_hooks = check_hooks(on_failure, "on_failure", owner)
        self.on_running_hooks = check_hooks(on_running, "on_running", owner)
        self.on_rollback_hooks = check_hooks(on_rollback, "on_rollback", owner)
        self.on_commit_hooks = check_hooks(on_commit, "on_commit", owner)
        self.asset_deps = start.as_assets(asset_deps) if asset_deps else []
        self._has_assets = False
        self._warned_about_cache_key = False

    # -- options -------------------------------------------------------------------------------------------------

    def _take_retries(self, defaults: Any, retries: Any, delay: Any, jitter: float | None) -> None:
        self.retries: int = defaults.default_retries if retries is None else retries
        if delay is None:
            delay = defaults.default_retry_delay_seconds
        if callable(delay):
            delay = delay(self.retries)
        if delay is not None and not isinstance(delay, (int, float, list, tuple)):
            raise TypeError(
                f"Invalid retry_delay_seconds={delay!r} of task {self.name!r}: expected a number, a list of numbers, or "
                "a callable that takes the number of retries and returns that list."
            )
        if isinstance(delay, (list, tuple)) and len(delay) > MAX_RETRY_DELAYS:
            raise ValueError(
                f"Task {self.name!r} has {len(delay)} retry delays, but at most {MAX_RETRY_DELAYS} can be given. "
                "The last one repeats; give fewer."
            )
        if jitter is not None and jitter < 0:
            raise ValueError(f"retry_jitter_factor={jitter!r} of task {self.name!r} must be 0 or more.")
        self.retry_delay_seconds: float | int | list[float] | tuple[float, ...] | None = delay
        self.retry_jitter_factor = jitter
        listed = list(delay) if isinstance(delay, (list, tuple)) else delay
        self._run_policy = (
            {"retries": self.retries, "retry_delay": listed, "retry_jitter_factor": jitter} if self.retries else {}
        )

    def _take_caching(self, settings: Any, persist: bool | None, policy: Any, key_fn: Any) -> None:
        if policy is not NotSet and policy is not NO_CACHE and policy is not None and key_fn is not None:
            logger.warning("Both cache_policy and cache_key_fn are set on task %r; cache_key_fn is used.", self.name)
        asks_for_results = (
            (policy is not NotSet and policy is not None and policy != NO_CACHE)
            or key_fn is not None
            or self.result_storage_key is not None
            or self.result_storage is not None
            or self.result_serializer is not None
        )
        if persist is None and asks_for_results:
            persist = True
        self.cache_key_fn = key_fn
        self._default_policy = False
        if persist is False:
            if key_fn is not None or (policy is not NotSet and policy is not None and policy != NO_CACHE):
                logger.warning("Task %r has a cache policy but persist_result=False, so nothing is cached.", self.name)
            chosen: Any = NO_CACHE
        elif key_fn is not None:
            chosen = CacheKeyFnPolicy(cache_key_fn=key_fn)
        elif policy is not NotSet:
            chosen = NO_CACHE if policy is None else policy
        elif self.result_storage_key is not None:
            chosen = None  # the storage key is the cache key
        else:
            chosen = NO_CACHE if settings.default_no_cache else DEFAULT
            self._default_policy = True
        self.cache_policy: CachePolicy | None = NO_CACHE if settings.disable_caching and chosen is not None else chosen
        self.persist_result = persist

    def with_options(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        cache_policy: CachePolicy | type[NotSet] | None = NotSet,
        cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None = None,
        task_run_name: TaskRunNameCallbackWithParameters | Callable[[], str] | str | type[NotSet] | None = NotSet,
        cache_expiration: datetime.timedelta | None = None,
        retries: int | type[NotSet] = NotSet,
        retry_delay_seconds: float | int | list[float] | Callable[[int], list[float]] | type[NotSet] = NotSet,
        retry_jitter_factor: float | type[NotSet] = NotSet,
        persist_result: bool | type[NotSet] = NotSet,
        result_storage: ResultStorage | type[NotSet] = NotSet,
        result_serializer: ResultSerializer | type[NotSet] = NotSet,
        result_storage_key: str | type[NotSet] = NotSet,
        cache_result_in_memory: bool | None = None,
        timeout_seconds: int | float | None = None,
        log_prints: bool | type[NotSet] | None = NotSet,
        refresh_cache: bool | type[NotSet] = NotSet,
        on_completion: list[StateHookCallable] | None = None,
        on_failure: list[StateHookCallable] | None = None,
        on_running: list[StateHookCallable] | None = None,
        retry_condition_fn: RetryConditionCallable | None = None,
        viz_return_value: Any = None,
        asset_deps: list[Asset | str] | None = None,
    ) -> Task[P, R]:
        """A new task of the same function with some options changed.

        None and empty collections keep the present value; `retries=0` and `retry_delay_seconds=0` unset, and the result
        options, `log_prints`, `refresh_cache` and `task_run_name` take None as a value.
        """
        return self._remake(
            name=name or self.name,
            description=description or self.description,
            tags=tags or self.tags,
            version=self.version,
            cache_policy=cache_policy if cache_policy is not NotSet else self._given_cache_policy,
            cache_key_fn=cache_key_fn or (self.cache_key_fn if cache_policy is NotSet else None),
            cache_expiration=cache_expiration or self.cache_expiration,
            task_run_name=_keep(task_run_name, self.task_run_name),
            retries=_keep(retries, self.retries),
            retry_delay_seconds=_keep(retry_delay_seconds, self.retry_delay_seconds),
            retry_jitter_factor=_keep(retry_jitter_factor, self.retry_jitter_factor),
            persist_result=_keep(persist_result, self._given_persist_result),
            result_storage=_keep(result_storage, self.result_storage),
            result_serializer=_keep(result_serializer, self.result_serializer),
            result_storage_key=_keep(result_storage_key, self.result_storage_key),
            cache_result_in_memory=self.cache_result_in_memory
            if cache_result_in_memory is None
            else cache_result_in_memory,
            timeout_seconds=self.timeout_seconds if timeout_seconds is None else timeout_seconds,
            log_prints=_keep(log_prints, self.log_prints),
            refresh_cache=_keep(refresh_cache, self.refresh_cache),
            on_completion=on_completion or self.on_completion_hooks,
            on_failure=on_failure or self.on_failure_hooks,
            on_running=on_running or self.on_running_hooks,
            on_rollback=self.on_rollback_hooks,
            on_commit=self.on_commit_hooks,
            retry_condition_fn=retry_condition_fn or self.retry_condition_fn,
            viz_return_value=viz_return_value or self.viz_return_value,
            asset_deps=asset_deps or self.asset_deps,
        )

    def _remake(self, **options: Any) -> Self:
        fn: Any = self.fn
        if self._is_staticmethod:
            fn = staticmethod(fn)
        elif self._is_classmethod:
            fn = classmethod(fn)
        made = type(self)(fn, **options)
        made._bound = self._bound
        return made

    @property
    def source_code(self) -> str | None:
        """The source text of the function; None where there is none. Read when it is first asked for, or pickled."""
        if self._source_code is NotSet:
            self._source_code = _source_of(self.fn)
        return self._source_code

    def __getstate__(self) -> dict[str, Any]:
        # In another process the source file may not be there.
        return {**self.__dict__, "_source_code": self.source_code}

    # -- methods of classes --------------------------------------------------------------------------------------

    def __get__(self, instance: Any, owner: Any) -> Task[P, R]:
        """The task bound to an instance or class, as a method of it. Each access gives a handle of its own."""
        if self._is_staticmethod:
            return self
        target = owner if self._is_classmethod else instance
        if target is None:
            return self
        bound = copy(self)
        bound._bound = target
        return bound

    @property
    def ismethod(self) -> bool:
        """Whether this is bound to an instance or class."""
        return self._bound is not None

    @property
    def isclassmethod(self) -> bool:
        """Whether the function is a class method."""
        return self._is_classmethod

    @property
    def isstaticmethod(self) -> bool:
        """Whether the function is a static method."""
        return self._is_staticmethod

    # -- hooks ---------------------------------------------------------------------------------------------------

    def on_completion(self, fn: StateHookCallable) -> StateHookCallable:
        """Call `fn` (task, task run, state) when a run completes."""
        self.on_completion_hooks.append(fn)
        return fn

    def on_failure(self, fn: StateHookCallable) -> StateHookCallable:
        """Call `fn` (task, task run, state) when a run has failed for good."""
        self.on_failure_hooks.append(fn)
        return fn

    def on_running(self, fn: StateHookCallable) -> StateHookCallable:
        """Call `fn` (task, task run, state) before each attempt."""
        self.on_running_hooks.append(fn)
        return fn

    def on_commit(self, fn: Callable[[Transaction], None]) -> Callable[[Transaction], None]:
        """Call `fn` (transaction) when the result of a run is committed."""
        self.on_commit_hooks.append(fn)
        return fn

    def on_rollback(self, fn: Callable[[Transaction], None]) -> Callable[[Transaction], None]:
        """Call `fn` (transaction) when the transaction of a run is rolled back."""
        self.on_rollback_hooks.append(fn)
        return fn

    # -- calling -------------------------------------------------------------------------------------------------

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, *args: P.args, return_state: bool, **kwargs: P.kwargs) -> State[R]: ...  # pyright: ignore
    def __call__(self, *args: Any, return_state: bool = False, wait_for: Any = None, **kwargs: Any) -> Any:
        """Run the task now, in this thread.

        Args:
            return_state: Return the final state instead of the result, and do not raise the task's exception.
            wait_for: Futures or states that must complete first.

        Raises:
            ParameterBindError: The arguments do not fit the function.
            UpstreamTaskError: Something that the arguments depend on did not complete.
        """
        parameters = self._bind(args, kwargs)
        if _current.visualising.get() is not None:
            return start.task_call(self, parameters)
        return start.run_task(
            self,
            parameters=parameters,
            wait_for=wait_for,
            return_type="state" if return_state else "result",
        )

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any], apply_defaults: bool = True) -> dict[str, Any]:
        if self._bound is not None:
            args = (self._bound, *args)
        return get_call_parameters(self.fn, args, kwargs, apply_defaults)

    def _call_arguments(self, parameters: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._shape.arguments(parameters)

    def submit(self, *args: Any, return_state: bool = False, wait_for: Any = None, **kwargs: Any) -> Any:
        """Hand the task to the flow's task runner; returns a future at once. Always synchronous, in async code too.

        Args:
            return_state: Wait, and return the final state instead of a future.
            wait_for: Futures or states that must complete first.

        Raises:
            RuntimeError: There is no flow run around. Use `.delay()` for background runs.
        """
        parameters = self._bind(args, kwargs)
        if _current.visualising.get() is not None:
            raise start.unsupported("task.submit()")
        runner = self._flow_task_runner("submit")
        future = runner.submit(self, parameters, wait_for)
        if return_state:
            future.wait()
            return future.state
        return future

    def map(
        self, *args: Any, return_state: bool = False, wait_for: Any = None, deferred: bool = False, **kwargs: Any
    ) -> Any:
        """Submit the task once an item of its iterable arguments.

        Strings, bytes, files, `unmapped(...)` values and defaults are the same for every child. Returns a list of futures
        in input order.

        Args:
            return_state: Wait, and return the list of final states.
            wait_for: Futures or states that every child waits for.
            deferred: Make background runs for task workers; needs no flow.

        Raises:
            MappingMissingIterable: Nothing can be iterated.
            MappingLengthMismatch: The iterables differ in length.
            RuntimeError: There is no flow run around, and `deferred` is not set.
        """
        parameters = self._bind(args, kwargs, apply_defaults=False)
        if _current.visualising.get() is not None:
            raise start.unsupported("task.map()")
        if deferred:
            futures: Any = start.map_in_background(self, parameters, wait_for)
        else:
            futures = self._flow_task_runner("map").map(self, parameters, wait_for)
        if return_state:
            futures.wait()
            return [future.state for future in futures]
        return futures

    def _flow_task_runner(self, method: str) -> Any:
        flow_context = _current.flow_run_context.get()
        if flow_context is None:
            raise RuntimeError(
                f"Cannot {method} task {self.name!r} here: there is no flow run around. Call it inside a flow, call it "
                f"directly, or run it in the background with .delay()."
            )
        return flow_context.task_runner

    def apply_async(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> PrefectDistributedFuture[R]:
        """Create a background run, for a task worker to run; returns a future at once."""
        if _current.visualising.get() is not None:
            raise start.unsupported("task.apply_async()")
        parameters = self._bind(args or (), kwargs or {})
        return start.run_in_background(self, parameters, wait_for, dependencies)

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> PrefectDistributedFuture[R]:
        """`apply_async(args, kwargs)`."""
        if _current.visualising.get() is not None:
            raise start.unsupported("task.delay()")
        return self.apply_async(args=args, kwargs=kwargs)

    async def aserve(self) -> None:
        """Run a task worker for this task."""
        await _upcalls.resolve("aserve_tasks")(self)  # task workers stand above the tasks

    @async_dispatch(aserve)
    def serve(self) -> None:
        """Run a task worker for this task."""
        _upcalls.resolve("serve_tasks")(self)

    async def create_run(
        self,
        client: Any = None,
        id: Any = None,
        parameters: dict[str, Any] | None = None,
        flow_run_context: FlowRunContext | None = None,
        parent_task_run_context: TaskRunContext | None = None,
        wait_for: Iterable[Any] | None = None,
        extra_task_inputs: dict[str, set[Any]] | None = None,
        deferred: bool = False,
    ) -> TaskRun:
        """Create a run of this task through the API."""
        return await start.create_task_run(
            self,
            id=id,
            parameters=parameters,
            wait_for=wait_for,
            extra_task_inputs=extra_task_inputs,
            deferred=deferred,
        )

    async def create_local_run(
        self,
        client: Any = None,
        id: Any = None,
        parameters: dict[str, Any] | None = None,
        flow_run_context: FlowRunContext | None = None,
        parent_task_run_context: TaskRunContext | None = None,
        wait_for: Iterable[Any] | None = None,
        extra_task_inputs: dict[str, set[Any]] | None = None,
        deferred: bool = False,
    ) -> TaskRun:
        """Create a run of this task that only this process knows until it is recorded."""
        return await start.create_local_task_run(
            self, id=id, parameters=parameters, wait_for=wait_for, extra_task_inputs=extra_task_inputs
        )

    # -- for the engine ------------------------------------------------------------------------------------------

    def _warn_about_cache_key(self, run_logger: Any, error: Exception) -> None:
        if not self._warned_about_cache_key:
            self._warned_about_cache_key = True
            run_logger.error(
                "Task %r runs without caching, because its cache key cannot be computed: %s", self.name, error
            )

    def _emit_asset_events(self, run: Any) -> None:
        """Tell which assets this run made; only materialising tasks make any."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class MaterializingTask(Task[P, R]):
    """A task that makes assets.

    Args:
        fn: The function.
        assets: The assets, or their keys.
        materialized_by: What makes them, e.g. "dbt".
        task_kwargs: Options of `Task`.
    """

    def __init__(
        self,
        fn: Callable[P, R],
        *,
        assets: Any,
        materialized_by: str | None = None,
        **task_kwargs: Unpack[TaskOptions],
    ) -> None:
        super().__init__(fn=fn, **task_kwargs)  # type: ignore[arg-type]
        self.assets = start.as_assets(assets)
        self.materialized_by = materialized_by
        self._has_assets = True

    def with_options(self, assets: Any = None, **task_kwargs: Unpack[TaskOptions]) -> MaterializingTask[P, R]:  # type: ignore[override]
        """A new task of the same function with some options, or its assets, changed."""
        made = cast("MaterializingTask[P, R]", super().with_options(**task_kwargs))  # type: ignore[arg-type]
        if assets:
            made.assets = start.as_assets(assets)
        return made

    def _remake(self, **options: Any) -> Self:
        made = type(self)(self.fn, assets=self.assets, materialized_by=self.materialized_by, **options)
        made._bound = self._bound
        return made

    def _emit_asset_events(self, run: Any) -> None:
        start.emit_materializations(self, run)


def _keep(given: Any, present: Any) -> Any:
    return present if given is NotSet else given


def _checked_run_name(value: Any, name: str) -> Any:
    if value is not None and not isinstance(value, str) and not callable(value):
        raise TypeError(f"Expected a string or a callable for 'task_run_name' of task {name!r}, not {value!r}.")
    return value


def _check_storage(storage: Any, owner: str) -> None:
    if storage is not None and (hasattr(type(storage), "_block_document_id") or hasattr(storage, "_block_document_id")):
        if storage._block_document_id is None:
            raise TypeError(
                f"result_storage of {owner} is a block that was not saved: {type(storage).__name__}. Call its .save(name) "
                "first, or give its reference 'block-type/name'."
            )


def _task_key(fn: Any) -> str:
    qualified = getattr(fn, "__qualname__", None)
    if qualified is None:
        return f"{type(fn).__module__}.{type(fn).__qualname__}"
    code = fn.__code__
    text = "|".join(
        (code.co_code.hex(), repr([c for c in code.co_consts if not hasattr(c, "co_code")]), repr(code.co_names))
    )
    return f"{qualified.rpartition('.')[2]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _source_of(fn: Any) -> str | None:
    try:
        return inspect.getsource(fn)
    except (OSError, TypeError):
        return None


def task(
    __fn: Callable[P, R] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
    version: str | None = None,
    cache_policy: CachePolicy | type[NotSet] | None = NotSet,
    cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None = None,
    cache_expiration: datetime.timedelta | None = None,
    task_run_name: TaskRunNameCallbackWithParameters | Callable[[], str] | str | None = None,
    retries: int | None = None,
    retry_delay_seconds: float | int | list[float] | Callable[[int], list[float]] | None = None,
    retry_jitter_factor: float | None = None,
    persist_result: bool | None = None,
    result_storage: ResultStorage | None = None,
    result_storage_key: str | None = None,
    result_serializer: ResultSerializer | None = None,
    cache_result_in_memory: bool = True,
    timeout_seconds: int | float | None = None,
    log_prints: bool | None = None,
    refresh_cache: bool | None = None,
    on_completion: list[StateHookCallable] | None = None,
    on_failure: list[StateHookCallable] | None = None,
    on_running: list[StateHookCallable] | None = None,
    retry_condition_fn: RetryConditionCallable | None = None,
    viz_return_value: Any = None,
    asset_deps: list[Asset | str] | None = None,
) -> Any:
    """Make a task of a function: `@task`, `@task()` or `@task(retries=3)`. The options are those of `Task`."""
    options = locals()
    fn = options.pop("__fn")
    if fn is not None:
        return Task(fn, **options)
    return partial(Task, **options)


def __getattr__(name: str) -> Any:
    # Aliases for annotations; the futures that they name load only for those who ask.
    if name not in ("FutureOrResult", "OneOrManyFutureOrResult"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    future = import_module("prefect.futures").PrefectFuture
    one = future[T] | T
    return one if name == "FutureOrResult" else one | Iterable[one]


__all__ = ["MaterializingTask", "Task", "TaskOptions", "exponential_backoff", "task", "task_input_hash"]
