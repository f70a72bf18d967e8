"""The contexts of runs: which flow and task run now, with which tags and settings.

Context objects are plain classes. They live in context variables, so they are visible in the same thread or asyncio task
and in what task runners start, but not in threads or processes that users start; `with_context` and
`serialize_context` carry them there.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from typing_extensions import Self

import prefect._current as _current
from prefect._compat.dispatch import set_run_context_probe
from prefect.exceptions import MissingContextError, PrefectImportError
from prefect.settings import get_current_settings
from prefect.settings.context import use_profile

if TYPE_CHECKING:
    from prefect._engine.lineage import Lineage
    from prefect._recorder import TaskRunRecord
    from prefect.client.schemas.objects import FlowRun, TaskRun

F = TypeVar("F", bound=Callable[..., Any])


class ContextModel:
    """A value that is active inside a `with` block. One object can be entered once; a `model_copy` again."""

    __var__: ClassVar[ContextVar[Any]]
    _token: Token[Any] | None = None

    _declared_defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Contexts of other packages declare their fields as models do: `name: type = Field(default_factory=dict)`.
        declared = {name: value for name, value in vars(cls).items() if hasattr(value, "default_factory")}
        if declared:
            cls._declared_defaults = {**cls._declared_defaults, **declared}

    def __init__(self, **fields: Any) -> None:
        for name, field in self._declared_defaults.items():
            if name not in fields:
                fields[name] = field.get_default(call_default_factory=True)
        self.__dict__.update(fields)

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError(f"This {type(self).__name__} is entered already. Enter a copy: context.model_copy().")
        self._token = self.__var__.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        token, self._token = self._token, None
        if token is None:
            raise RuntimeError(f"This {type(self).__name__} was not entered, so it cannot be left.")
        self.__var__.reset(token)

    @classmethod
    def get(cls) -> Self | None:
        """The active context of this kind, or None."""
        return cls.__var__.get()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy that is not entered, with some fields replaced."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._token = None
        copy.__dict__.update(update or {})
        return copy

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        """The fields that another process needs, as picklable values."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items() if not name.startswith("_"))
        return f"{type(self).__name__}({fields})"


class RunContext(ContextModel):
    """What flow-run and task-run contexts share."""

    start_time: datetime
    input_keyset: dict[str, dict[str, str]] | None = None

    @property
    def client(self) -> Any:
        """A client of the active API, for code that expects one here."""
        from prefect.client.orchestration import get_client  # noqa: PLC0415 - loads the whole client, which runs do not need

        return get_client(sync_client=True)


class EngineContext(RunContext):
    """The context of a flow run. `FlowRunContext` is its usual name."""

    __var__ = _current.flow_run_context

    flow: Any = None
    flow_run: FlowRun | None = None
    task_runner: Any = None
    log_prints: bool = False
    parameters: dict[str, Any] | None = None
    detached: bool = False
    """Whether the flow run itself goes on in another process."""
    result_store: Any = None
    persist_result: bool = False
    events: Any = None
    suspension: Any = None
    is_first_attempt: bool = False
    """Whether nothing can have happened in this run before."""

    def __init__(self, **fields: Any) -> None:
        self.start_time = datetime.now(timezone.utc)
        self.task_run_dynamic_keys: dict[str, int | str] = {}
        self.observed_flow_pauses: dict[str, int] = {}
        self.task_run_assets: dict[UUID, set[Any]] = {}
        self._related_sets: dict[frozenset[str], Any] = {}
        self.run_results: Lineage
        super().__init__(**fields)

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        names = (
            "flow_run",
            "flow",
            "parameters",
            "log_prints",
            "start_time",
            "input_keyset",
            "result_store",
            "persist_result",
        )
        fields = {name: getattr(self, name) for name in names}
        if self.task_run_assets:  # what follows elsewhere must know which assets its inputs carry
            fields["task_run_assets"] = dict(self.task_run_assets)
        return fields


FlowRunContext = EngineContext


def _after_fork() -> None:
    # The flow run goes on in the parent, and so do the threads and processes of its task runner.
    context = EngineContext.get()
    if context is not None:
        context.detached = True
        restart = getattr(context.task_runner, "_after_fork", None)
        if restart is not None:
            restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class TaskRunContext(RunContext):
    """The context of a task run."""

    __var__ = _current.task_run_context

    task: Any
    parameters: dict[str, Any]
    log_prints: bool = False
    result_store: Any = None
    persist_result: bool = False
    _run: Any = None

    def __init__(self, **fields: Any) -> None:
        self.start_time = datetime.now(timezone.utc)
        super().__init__(**fields)

    @property
    def record(self) -> TaskRunRecord:
        """The engine's own view of the task run."""
        return self._run.record

    @property
    def task_run(self) -> TaskRun:
        """The task run, as it is now."""
        return self._run.task_run

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:
        names = (
            "task_run",
            "task",
            "parameters",
            "log_prints",
            "start_time",
            "input_keyset",
            "result_store",
            "persist_result",
        )
        return {name: getattr(self, name) for name in names}


class TagsContext(ContextModel):
    """The tags of the enclosing `with tags(...)` blocks."""

    __var__ = _current.tags

    def __init__(self, current_tags: set[str] | None = None) -> None:
        self.current_tags = current_tags or set()

    def __enter__(self) -> Self:
        self._token = _current.tags.set(frozenset(self.current_tags))
        return self

    @classmethod
    def get(cls) -> TagsContext:
        """The active tags; an empty set outside every block."""
        return cls(current_tags=set(_current.tags.get()))


@contextmanager
def tags(*new_tags: str) -> Generator[set[str], None, None]:
    """Add tags to every flow run and task run created in this block, nested ones too.

    Yields:
        All tags that are active inside.
    """
    active = _current.tags.get() | frozenset(new_tags)
    token = _current.tags.set(active)
    try:
        yield set(active)
    finally:
        _current.tags.reset(token)


def get_run_context() -> FlowRunContext | TaskRunContext:
    """The context of the task run or flow run that this code runs in.

    In a flow that was called inside a task, the flow's context wins.

    Raises:
        MissingContextError: No run is active here.
    """
    task_context = TaskRunContext.get()
    flow_context = FlowRunContext.get()
    if task_context is not None and not _flow_hides_task(flow_context, task_context):
        return task_context
    if flow_context is not None:
        return flow_context
    raise MissingContextError(
        "No run context is available here: this code does not run inside a flow or a task. Threads and processes that "
        "you start yourself do not inherit it; prefect.context.with_context(fn) carries it over."
    )


def _flow_hides_task(flow_context: FlowRunContext | None, task_context: TaskRunContext) -> bool:
    if flow_context is None or flow_context.flow_run is None:
        return False
    owner = task_context.record.flow_run_id
    return owner != flow_context.flow_run.id and not (owner is None and flow_context.detached)


def _current_run_is_async() -> bool | None:
    """What a function with a sync and an async form should be here: by the current run, not by a running loop."""
    task_context, flow_context = TaskRunContext.get(), FlowRunContext.get()
    if task_context is not None and not _flow_hides_task(flow_context, task_context):
        return bool(task_context.task.isasync)
    if flow_context is not None and flow_context.flow is not None:
        return bool(flow_context.flow.isasync)
    return None


set_run_context_probe(_current_run_is_async)


# -- settings --------------------------------------------------------------------------------------------------------


class SettingsContext(ContextModel):
    """The settings and the profile that are active here."""

    def __init__(self, profile: Any, settings: Any) -> None:
        self.profile, self.settings = profile, settings

    def __hash__(self) -> int:
        return hash((self.profile.name, self.settings.hash_key()))

    def __enter__(self) -> Self:
        from prefect.settings.context import activate_settings  # noqa: PLC0415 - used here only

        self._scope = activate_settings(self.settings, self.profile)
        self._scope.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._scope.__exit__(None, None, None)

    @classmethod
    def get(cls) -> SettingsContext:
        """The active settings; the process's own outside every block."""
        return get_settings_context()


def get_settings_context() -> SettingsContext:
    """The settings and the profile that are active here."""
    from prefect.settings.context import get_current_profile  # noqa: PLC0415 - used here only

    return SettingsContext(profile=get_current_profile(), settings=get_current_settings())


# -- clients ---------------------------------------------------------------------------------------------------------


class AsyncClientContext(ContextModel):
    """One asynchronous client shared by everything inside the block."""

    __var__: ClassVar[ContextVar[Any]] = ContextVar("prefect_async_client", default=None)

    def __init__(self, httpx_settings: dict[str, Any] | None = None) -> None:
        from prefect.client.orchestration import get_client  # noqa: PLC0415 - loads the whole client

        self.client = get_client(httpx_settings=httpx_settings)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return super().__enter__()

    async def __aexit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        await self.client.__aexit__(*exc)

    @classmethod
    @asynccontextmanager
    async def get_or_create(cls) -> AsyncGenerator[AsyncClientContext, None]:
        """The active client context, or a new one for this block."""
        active = cls.get()
        if active is not None:
            yield active
        else:
            async with cls() as created:
                yield created


class SyncClientContext(ContextModel):
    """One synchronous client shared by everything inside the block."""

    __var__: ClassVar[ContextVar[Any]] = ContextVar("prefect_sync_client", default=None)

    def __init__(self, httpx_settings: dict[str, Any] | None = None) -> None:
        from prefect.client.orchestration import get_client  # noqa: PLC0415 - loads the whole client

        self.client = get_client(httpx_settings=httpx_settings, sync_client=True)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return super().__enter__()

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        self.client.__exit__(*exc)

    @classmethod
    @contextmanager
    def get_or_create(cls) -> Generator[SyncClientContext, None, None]:
        """The active client context, or a new one for this block."""
        active = cls.get()
        if active is not None:
            yield active
        else:
            with cls() as created:
                yield created


# -- carrying contexts elsewhere ---------------------------------------------------------------------------------------


def serialize_context(asset_ctx_kwargs: dict[str, Any] | None = None) -> dict[str, Any]:
    """The active contexts as a picklable dictionary, for `hydrated_context` in another thread or process.

    Args:
        asset_ctx_kwargs: The arguments of `AssetContext.from_task_and_inputs`, for a task run that is sent elsewhere; what
            follows it here then knows which assets flow out of it.
    """
    flow_context, task_context = FlowRunContext.get(), TaskRunContext.get()
    flow_run = flow_context.flow_run if flow_context else None
    deployment_id = flow_run.deployment_id if flow_run is not None else None
    return {
        "flow_run_context": flow_context.serialize() if flow_context else {},
        "task_run_context": task_context.serialize() if task_context else {},
        "tags_context": {"current_tags": set(_current.tags.get())},
        "settings_context": get_current_settings().to_environment_variables(exclude_unset=True),
        "asset_context": _asset_fields(asset_ctx_kwargs),
        "deployment_id": deployment_id,
        "deployment_parameters": dict(flow_run.parameters) if flow_run is not None and deployment_id else None,
    }


def _asset_fields(task_run: dict[str, Any] | None) -> dict[str, Any]:
    if task_run is not None:
        from prefect._engine.asset_context import AssetContext  # noqa: PLC0415 - few runs have assets

        context = AssetContext.from_task_and_inputs(**task_run)
        context.update_tracked_assets()
        return context.serialize()
    entered = _current.asset_context.get()
    return entered.serialize() if entered is not None and entered.copy_to_child_ctx else {}


@contextmanager
def hydrated_context(
    serialized_context: dict[str, Any] | None = None, client: Any = None
) -> Generator[None, None, None]:
    """Make contexts from `serialize_context` active. The flow run's context is detached: it starts its own task runner."""
    with ExitStack() as stack:
        if serialized_context:
            settings = serialized_context.get("settings_context")
            if settings:
                from prefect.settings.context import use_environment  # noqa: PLC0415 - used in other processes only

                stack.enter_context(use_environment(settings))
            flow_fields = serialized_context.get("flow_run_context")
            if flow_fields:
                from prefect._engine.hydrate import flow_context_from  # noqa: PLC0415 - used in other processes only

                stack.enter_context(flow_context_from(flow_fields))
            tags_fields = serialized_context.get("tags_context")
            if tags_fields:
                stack.enter_context(tags(*tags_fields["current_tags"]))
            task_fields = serialized_context.get("task_run_context")
            if task_fields:
                from prefect._engine.hydrate import task_context_from  # noqa: PLC0415 - used in other processes only

                stack.enter_context(task_context_from(task_fields))
            asset_fields = serialized_context.get("asset_context")
            if asset_fields:
                from prefect._engine.asset_context import AssetContext  # noqa: PLC0415 - few runs have assets

                stack.enter_context(AssetContext(**asset_fields))
        yield


class _WithContext:
    """A picklable callable that runs a function in the contexts of the place where it was wrapped."""

    def __init__(self, fn: Callable[..., Any], context: dict[str, Any]) -> None:
        self._fn, self._context = fn, context

    def __getstate__(self) -> dict[str, Any]:
        import cloudpickle  # noqa: PLC0415 - only callables that go to other processes need it

        # Flows and tasks hide the functions that they decorate, which plain pickle cannot find by name.
        return {"_fn": self._fn, "_context": cloudpickle.dumps(self._context)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._fn, self._context = state["_fn"], pickle.loads(state["_context"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with hydrated_context(self._context):
            return self._fn(*args, **kwargs)


def with_context(fn: F) -> F:
    """Wrap a callable so that it runs in the present contexts, in another thread or process too."""
    return _WithContext(fn, serialize_context())  # type: ignore[return-value]


def root_settings_context() -> SettingsContext:
    """The settings and profile of the process, without any block around."""
    return get_settings_context()


def refresh_global_settings_context() -> None:
    """Read the settings of the process again from all their sources."""
    from prefect.settings.context import refresh_settings  # noqa: PLC0415 - used here only

    refresh_settings()


def __getattr__(name: str) -> Any:
    if name == "AssetContext":  # it knows assets and their events, which few runs need
        from prefect._engine.asset_context import AssetContext  # noqa: PLC0415

        return AssetContext
    if name == "GLOBAL_SETTINGS_CONTEXT":
        return root_settings_context()
    if name == "PrefectObjectRegistry":
        raise PrefectImportError(f"`{__name__}:{name}` has been removed. Load flows by their entrypoints instead.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncClientContext",
    "ContextModel",
    "EngineContext",
    "FlowRunContext",
    "RunContext",
    "SettingsContext",
    "SyncClientContext",
    "TagsContext",
    "TaskRunContext",
    "get_run_context",
    "get_settings_context",
    "hydrated_context",
    "refresh_global_settings_context",
    "root_settings_context",
    "serialize_context",
    "tags",
    "use_profile",
    "with_context",
]
