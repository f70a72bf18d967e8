"""Flows: functions whose every call is a flow run, with parameters that are validated and runs that are recorded.

`@flow` makes a `Flow`; calling it runs it here and now.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from copy import copy
from functools import lru_cache, partial, update_wrapper
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from typing_extensions import ParamSpec, Self

from prefect import _current, _upcalls
from prefect._compat.dispatch import async_dispatch
from prefect._deployable import DeployableFlow
from prefect._engine import start
from prefect._functions import CallShape, FunctionFacts, check_hooks, default_name
from prefect.exceptions import InvalidNameError, SignatureMismatchError
from prefect.settings import get_current_settings
from prefect.tasks import _check_storage
from prefect.utilities import callables
from prefect.utilities._lazy import lazy_names
from prefect.utilities.annotations import NotSet

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.deployments.runner import RunnerDeployment
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner
    from prefect.tasks import ResultSerializer, ResultStorage
    from prefect.utilities.callables import ParameterSchema

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

_BANNED_CHARACTERS = re.compile(r"[/%&><]")


class FlowStateHook(Protocol):
    """A function that is called when a flow run enters a state."""

    def __call__(self, flow: Flow[..., Any], flow_run: FlowRun, state: State) -> Any: ...


class Flow(DeployableFlow, Generic[P, R]):
    """A function whose calls are flow runs.

    Args:
        fn: The function.
        name: Default: the function's name with dashes for underscores.
        version: Default: a hash of the source file.
        flow_run_name: A template over the parameters, or a callable, that names each run.
        retries: How many more attempts after a failure. Default: the setting `flows.default_retries`.
        retry_delay_seconds: Seconds before a retry.
        task_runner: Where submitted tasks run: a `TaskRunner` or its class. Default: threads.
        description: Default: the docstring.
        timeout_seconds: The most an attempt may take. Blocking calls are interrupted in the main thread only.
        validate_parameters: Check and convert the parameters by their annotations.
        persist_result: Whether results are stored; default: the setting `results.persist_by_default`.
        result_storage: Where results are stored.
        result_serializer: How results are stored.
        cache_result_in_memory: Keep stored results in memory too.
        log_prints: Log what is printed; default: as the surrounding run does.
        on_completion, on_failure, on_cancellation, on_crashed, on_running: Hooks (flow, flow run, state).
    """

    def __init__(
        self,
        fn: Callable[P, R] | classmethod[Any, P, R] | staticmethod[P, R],
        name: str | None = None,
        version: str | None = None,
        flow_run_name: Callable[[], str] | str | None = None,
        retries: int | None = None,
        retry_delay_seconds: int | float | None = None,
        task_runner: type[TaskRunner[PrefectFuture[Any]]] | TaskRunner[PrefectFuture[Any]] | None = None,
        description: str | None = None,
        timeout_seconds: int | float | None = None,
        validate_parameters: bool = True,
        persist_result: bool | None = None,
        result_storage: ResultStorage | None = None,
        result_serializer: ResultSerializer | None = None,
        cache_result_in_memory: bool = True,
        log_prints: bool | None = None,
        on_completion: list[FlowStateHook] | None = None,
        on_failure: list[FlowStateHook] | None = None,
        on_cancellation: list[FlowStateHook] | None = None,
        on_crashed: list[FlowStateHook] | None = None,
        on_running: list[FlowStateHook] | None = None,
    ) -> None:
        facts = FunctionFacts(fn, "flow")
        self.fn: Callable[P, R] = facts.fn
        self.isasync = facts.isasync
        self.isgenerator = facts.isgenerator
        self._is_staticmethod, self._is_classmethod = facts.is_staticmethod, facts.is_classmethod
        self._bound: Any = None
        update_wrapper(self, self.fn)
        self._shape = CallShape(self.fn)

        self.name: str = _checked_name(name) or default_name(self.fn).replace("_", "-").replace(
            "<lambda>", "unknown-lambda"
        )
        self.description = description or inspect.getdoc(self.fn)
        self._version: Any = version or NotSet
        self._parameters: Any = NotSet
        self.flow_run_name = _checked_run_name(flow_run_name, self.name)
        self._task_runner: Any = None if task_runner is None else _checked_runner(task_runner, self.name)
        self.log_prints = log_prints

        defaults = get_current_settings().flows
        self.retries: int = defaults.default_retries if retries is None else retries
        # The setting can also hold one delay a retry, which the parameter cannot.
        self.retry_delay_seconds: int | float = (  # type: ignore[assignment]
            defaults.default_retry_delay_seconds if retry_delay_seconds is None else retry_delay_seconds
        )
        if retry_delay_seconds is not None and retry_delay_seconds != defaults.default_retry_delay_seconds:
            _check_delay(retry_delay_seconds, self.name)
        self.timeout_seconds: float | None = float(timeout_seconds) if timeout_seconds else None

        self.should_validate_parameters = validate_parameters
        if validate_parameters:
            _check_parameter_names(self.fn)
        if persist_result is None and (result_storage is not None or result_serializer is not None):
            persist_result = True
        self.persist_result = persist_result
        self.result_storage = result_storage
        self.result_serializer = result_serializer
        self.cache_result_in_memory = cache_result_in_memory
        owner = f"flow {self.name!r}"
        _check_storage(result_storage, owner)
        self.on_completion_hooks = check_hooks(on_completion, "on_completion", owner)
        self.on_failure_hooks = check_hooks(on_failure, "on_failure", owner)
        self.on_cancellation_hooks = check_hooks(on_cancellation, "on_cancellation", owner)
        self.on_crashed_hooks = check_hooks(on_crashed, "on_crashed", owner)
        self.on_running_hooks = check_hooks(on_running, "on_running", owner)
        # Set when the flow is loaded from a source, for what deploys it later.
        self._storage: Any = None
        self._entrypoint: str | None = None

    # -- what is read only when it is asked for ------------------------------------------------------------------

    @property
    def version(self) -> str | None:
        """The version: what was given, else the MD5 of the function's source file, else None."""
        if self._version is NotSet:
            self._version = _source_version(self.fn)
        return self._version

    @version.setter
    def version(self, value: str | None) -> None:
        self._version = value

    @property
    def parameters(self) -> ParameterSchema:
        """The parameters as an OpenAPI-style schema."""
        if self._parameters is NotSet:
            self._parameters = callables.parameter_schema(self.fn)
        return self._parameters

    @parameters.setter
    def parameters(self, value: ParameterSchema) -> None:
        self._parameters = value

    @property
    def task_runner(self) -> TaskRunner[Any]:
        """Where submitted tasks run. Each run uses a duplicate."""
        if self._task_runner is None:
            self._task_runner = import_module("prefect.task_runners").ThreadPoolTaskRunner()
        return self._task_runner

    @task_runner.setter
    def task_runner(self, value: Any) -> None:
        self._task_runner = _checked_runner(value, self.name)

    @property
    def _tracking_key(self) -> str:
        code = getattr(self.fn, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else type(self.fn).__qualname__
        return f"{self.name}-{_short_hash(place)}"

    # -- options -------------------------------------------------------------------------------------------------

    def with_options(
        self,
        *,
        name: str | None = None,
        version: str | None = None,
        retries: int | None = None,
        retry_delay_seconds: int | float | None = None,
        description: str | None = None,
        flow_run_name: Callable[[], str] | str | None = None,
        task_runner: type[TaskRunner[PrefectFuture[Any]]] | TaskRunner[PrefectFuture[Any]] | None = None,
        timeout_seconds: int | float | None = None,
        validate_parameters: bool | None = None,
        persist_result: bool | type[NotSet] | None = NotSet,
        result_storage: ResultStorage | type[NotSet] | None = NotSet,
        result_serializer: ResultSerializer | type[NotSet] | None = NotSet,
        cache_result_in_memory: bool | None = None,
        log_prints: bool | type[NotSet] | None = NotSet,
        on_completion: list[FlowStateHook] | None = None,
        on_failure: list[FlowStateHook] | None = None,
        on_cancellation: list[FlowStateHook] | None = None,
        on_crashed: list[FlowStateHook] | None = None,
        on_running: list[FlowStateHook] | None = None,
    ) -> Self:
        """A new flow of the same function with some options changed.

        None and empty lists keep the present value; `retries=0`, `retry_delay_seconds=0` and `timeout_seconds=0` unset, and
        the result options and `log_prints` take None as a value.
        """
        made = self._remake(
            name=name or self.name,
            version=version or (None if self._version is NotSet else self._version),
            flow_run_name=flow_run_name or self.flow_run_name,
            retries=self.retries if retries is None else retries,
            retry_delay_seconds=self.retry_delay_seconds if retry_delay_seconds is None else retry_delay_seconds,
            task_runner=task_runner or self._task_runner,
            description=description or self.description,
            timeout_seconds=self.timeout_seconds if timeout_seconds is None else timeout_seconds,
            validate_parameters=self.should_validate_parameters if validate_parameters is None else validate_parameters,
            persist_result=_keep(persist_result, self.persist_result),
            result_storage=_keep(result_storage, self.result_storage),
            result_serializer=_keep(result_serializer, self.result_serializer),
            cache_result_in_memory=self.cache_result_in_memory
            if cache_result_in_memory is None
            else cache_result_in_memory,
            log_prints=_keep(log_prints, self.log_prints),
            on_completion=on_completion or self.on_completion_hooks,
            on_failure=on_failure or self.on_failure_hooks,
            on_cancellation=on_cancellation or self.on_cancellation_hooks,
            on_crashed=on_crashed or self.on_crashed_hooks,
            on_running=on_running or self.on_running_hooks,
        )
        made._storage, made._entrypoint = self._storage, self._entrypoint
        return made

    def _remake(self, **options: Any) -> Self:
        fn: Any = self.fn
        if self._is_staticmethod:
            fn = staticmethod(fn)
        elif self._is_classmethod:
            fn = classmethod(fn)
        made = type(self)(fn, **options)
        made._bound = self._bound
        return made

    # -- methods of classes --------------------------------------------------------------------------------------

    def __get__(self, instance: Any, owner: Any) -> Flow[P, R]:
        """The flow bound to an instance or class, as a method of it. Each access gives a handle of its own."""
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

    def on_completion(self, fn: FlowStateHook) -> FlowStateHook:
        """Call `fn` (flow, flow run, state) when a run completes."""
        self.on_completion_hooks.append(fn)
        return fn

    def on_failure(self, fn: FlowStateHook) -> FlowStateHook:
        """Call `fn` (flow, flow run, state) when a run has failed for good."""
        self.on_failure_hooks.append(fn)
        return fn

    def on_cancellation(self, fn: FlowStateHook) -> FlowStateHook:
        """Call `fn` (flow, flow run, state) when a run is being cancelled."""
        self.on_cancellation_hooks.append(fn)
        return fn

    def on_crashed(self, fn: FlowStateHook) -> FlowStateHook:
        """Call `fn` (flow, flow run, state) when a run has crashed."""
        self.on_crashed_hooks.append(fn)
        return fn

    def on_running(self, fn: FlowStateHook) -> FlowStateHook:
        """Call `fn` (flow, flow run, state) before each attempt."""
        self.on_running_hooks.append(fn)
        return fn

    # -- parameters ----------------------------------------------------------------------------------------------

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check and convert parameters by the function's annotations.

        Returns:
            A new dictionary of converted values.

        Raises:
            ParameterTypeError: A value does not fit; names each one.
            SignatureMismatchError: A name is not a parameter.
        """
        if not parameters:
            return {}
        known = inspect.signature(self.fn).parameters
        unknown = [name for name in parameters if name not in known]
        if unknown and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
            raise SignatureMismatchError.from_bad_params(list(known), list(parameters))
        return callables.validate_call_parameters(self.fn, parameters)

    def serialize_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as JSON values; what has no JSON form is shown as `<TypeName>`."""
        from prefect._engine.stored_parameters import as_json  # noqa: PLC0415 - pulls in serialisation, at the first run

        return {
            name: as_json(value)
            for name, value in parameters.items()
            if value is not self._bound or self._bound is None
        }

    def _stored_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self.serialize_parameters(parameters) if parameters else {}

    def _parameters_of_run(self, flow_run: FlowRun) -> dict[str, Any]:
        """The parameters of a run that was created elsewhere, with the function's defaults."""
        args = (self._bound,) if self._bound is not None else ()
        return callables.get_call_parameters(self.fn, args, dict(flow_run.parameters or {}))

    def _call_arguments(self, parameters: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._shape.arguments(parameters)

    # -- calling -------------------------------------------------------------------------------------------------

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, *args: P.args, return_state: bool, **kwargs: P.kwargs) -> State[R]: ...  # pyright: ignore
    def __call__(self, *args: Any, return_state: bool = False, wait_for: Any = None, **kwargs: Any) -> Any:
        """Run the flow here and now. An async flow gives a coroutine, and nothing happens until it is awaited.

        Args:
            return_state: Return the final state instead of the result, and do not raise the flow's exception.
            wait_for: Futures or states that must complete first.

        Raises:
            ParameterBindError: The arguments do not fit the function; no run is created.
            ParameterTypeError: A value does not fit its annotation; the run has failed.
        """
        if self._bound is not None:
            args = (self._bound, *args)
        parameters = callables.get_call_parameters(self.fn, args, kwargs)
        if _current.visualising.get() is not None:
            return start.flow_call(self, parameters)
        return start.run_flow(
            self, parameters=parameters, wait_for=wait_for, return_type="state" if return_state else "result"
        )

    # -- visualising ---------------------------------------------------------------------------------------------

    async def avisualize(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Draw the flow's tasks and their dependencies, without running the tasks. The flow's own body is executed."""
        await start.adraw(self, args, kwargs)

    @async_dispatch(avisualize)
    def visualize(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Draw the flow's tasks and their dependencies, without running the tasks. The flow's own body is executed."""
        start.draw(self, args, kwargs)

    async def agenerate_mermaid_graph(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The flow's graph as Mermaid text, as `visualize` would draw it."""
        return await start.amermaid(self, args, kwargs)

    def generate_mermaid_graph(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The flow's graph as Mermaid text, as `visualize` would draw it."""
        return start.mermaid(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _keep(given: Any, present: Any) -> Any:
    return present if given is NotSet else given


def _checked_name(name: Any) -> str | None:
    if not name:
        return None
    if not isinstance(name, str):
        hint = " Did you mean to write `@flow` without parentheses?" if callable(name) else ""
        raise TypeError(f"Expected a string for the name of a flow, not {name!r}.{hint}")
    if _BANNED_CHARACTERS.search(name):
        raise InvalidNameError(
            f"The flow name {name!r} contains one of the characters / % & > <. Choose a name without."
        )
    return name


def _checked_run_name(value: Any, name: str) -> Any:
    if value is not None and not isinstance(value, str) and not callable(value):
        raise TypeError(f"Expected a string or a callable for 'flow_run_name' of flow {name!r}, not {value!r}.")
    return value


@lru_cache(maxsize=1024)
def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _check_delay(seconds: Any, name: str) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(
            f"Invalid retry_delay_seconds={seconds!r} of flow {name!r}: expected a number of seconds. Only tasks take several."
        )


def _checked_runner(runner: Any, name: str) -> TaskRunner[Any]:
    base: type[TaskRunner[Any]] = import_module("prefect.task_runners").TaskRunner
    if inspect.isclass(runner) and issubclass(runner, base):
        return runner()
    if isinstance(runner, base):
        return runner
    raise TypeError(
        f"Invalid task_runner {runner!r} of flow {name!r}: expected a TaskRunner class or instance, e.g. "
        "ThreadPoolTaskRunner(max_workers=4)."
    )


def _check_parameter_names(fn: Any) -> None:
    for name in inspect.signature(fn).parameters:
        if name in ("v__args", "v__kwargs", "v__positional_only", "v__duplicate_kwargs"):
            raise ValueError(
                f"The parameter name {name!r} of {default_name(fn)!r} is used by parameter validation; rename it."
            )


def _source_version(fn: Any) -> str | None:
    try:
        source = inspect.getsourcefile(fn)
        if source is None:
            return None
        return hashlib.md5(Path(source).read_bytes(), usedforsecurity=False).hexdigest()
    except (OSError, TypeError):
        return None


class FlowDecorator:
    """The type of `flow`."""

    def __call__(
        self,
        __fn: Callable[P, R] | None = None,
        *,
        name: str | None = None,
        version: str | None = None,
        flow_run_name: Callable[[], str] | str | None = None,
        retries: int | None = None,
        retry_delay_seconds: int | float | None = None,
        task_runner: type[TaskRunner[PrefectFuture[Any]]] | TaskRunner[PrefectFuture[Any]] | None = None,
        description: str | None = None,
        timeout_seconds: int | float | None = None,
        validate_parameters: bool = True,
        persist_result: bool | None = None,
        result_storage: ResultStorage | None = None,
        result_serializer: ResultSerializer | None = None,
        cache_result_in_memory: bool = True,
        log_prints: bool | None = None,
        on_completion: list[FlowStateHook] | None = None,
        on_failure: list[FlowStateHook] | None = None,
        on_cancellation: list[FlowStateHook] | None = None,
        on_crashed: list[FlowStateHook] | None = None,
        on_running: list[FlowStateHook] | None = None,
    ) -> Any:
        """Make a flow of a function: `@flow`, `@flow()` or `@flow(retries=3)`. The options are those of `Flow`."""
        options = locals()
        fn = options.pop("_FlowDecorator__fn")
        del options["self"]
        if fn is not None:
            return Flow(fn, **options)
        return partial(Flow, **options)

    from_source = staticmethod(Flow.from_source)


flow = FlowDecorator()


def serve(
    *args: RunnerDeployment,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    limit: int | None = None,
    **kwargs: Any,
) -> None:
    """Execute the runs of deployments, each in a process of its own, until stopped by Ctrl-C.

    Args:
        args: Deployments of flows, made with `Flow.to_deployment`; or flows, which get one each.
        pause_on_shutdown: Pause their schedules in the end.
        print_starting_message: Say what is served, and how to run it.
        limit: How many runs may go at once; by default the setting `runner.process_limit`.
        kwargs: For flows, `name` (by default theirs), `tags`, `parameters`, `description`, `version` and
            `enforce_parameter_schema` of their deployments; more arguments of `prefect.runner.Runner`.

    Raises:
        RuntimeError: Called in async code; use `aserve` there.
        ValueError: There is no deployment.
        DeploymentApplyError: The API refuses a deployment; the message says why.
        SystemExit: Stopped by SIGTERM, with code 0.
    """
    options = {"pause_on_shutdown": pause_on_shutdown, "limit": limit, **kwargs}
    _upcalls.resolve("serve_deployments")(args, print_starting_message, options)


async def aserve(
    *args: RunnerDeployment,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    limit: int | None = None,
    **kwargs: Any,
) -> None:
    """`serve` for async code; raises KeyboardInterrupt when it is stopped by Ctrl-C."""
    options = {"pause_on_shutdown": pause_on_shutdown, "limit": limit, **kwargs}
    await _upcalls.resolve("aserve_deployments")(args, print_starting_message, options)


# What loads flows stands above them, and is not needed to define or run one.
__getattr__ = lazy_names(
    __name__,
    {
        "is_entrypoint_async": "prefect._loading.source",
        "load_flow_arguments_from_entrypoint": "prefect._loading.source",
        "load_flow_from_entrypoint": "prefect._loading.entrypoints",
        "load_flow_from_flow_run": "prefect._loading.flow_runs",
        "load_function_and_convert_to_flow": "prefect._loading.entrypoints",
        "load_placeholder_flow": "prefect._loading.partial",
        "safe_load_flow_from_entrypoint": "prefect._loading.partial",
        "select_flow": "prefect._loading.entrypoints",
    },
)

__all__ = ["Flow", "FlowDecorator", "FlowStateHook", "aserve", "flow", "serve"]
