"""Computes the keys under which the results of tasks are cached."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from typing_extensions import Self

from prefect.exceptions import HashError
from prefect.utilities.hashing import hash_objects, stable_hash

if TYPE_CHECKING:
    from prefect.filesystems import WritableFileSystem
    from prefect.locking.protocol import LockManager

# The context of a run, and transactions, are built on top of this module. Of the context only `task` and `record` are
# used, or `task_run` in its place.
TaskRunContext = Any
IsolationLevel = Any

__all__ = [
    "DEFAULT",
    "FLOW_PARAMETERS",
    "INPUTS",
    "NONE",
    "NO_CACHE",
    "RUN_ID",
    "STABLE_TRANSFORMS",
    "TASK_SOURCE",
    "CacheKeyFnPolicy",
    "CachePolicy",
    "CompoundCachePolicy",
    "FlowParameters",
    "Inputs",
    "RunId",
    "TaskSource",
]

STABLE_TRANSFORMS: dict[type, Callable[[Any], Any]] = {}
"""By type, what inputs are turned into before they are hashed. Put a type here whose pickle differs each time."""


@dataclass
class CachePolicy:
    """Computes a cache key from what a task run is given.

    Policies are combined with `a + b`, and `policy - "name"` leaves an input out of account.

    Attributes:
        key_storage: Where records are kept: a directory, a block reference such as "s3-bucket/mine", or a saved block.
        isolation_level: How transactions on one key get along with one another.
        lock_manager: What locks keys.
    """

    key_storage: WritableFileSystem | str | Path | None = None
    isolation_level: Literal["READ_COMMITTED", "SERIALIZABLE"] | IsolationLevel | None = None
    lock_manager: LockManager | None = None

    @classmethod
    def from_cache_key_fn(
        cls, cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None]
    ) -> CacheKeyFnPolicy:
        """Make a policy of a function that gets the run's context and the inputs, and returns a key or None."""
        return CacheKeyFnPolicy(cache_key_fn=cache_key_fn)

    def configure(
        self,
        key_storage: WritableFileSystem | str | Path | None = None,
        lock_manager: LockManager | None = None,
        isolation_level: Literal["READ_COMMITTED", "SERIALIZABLE"] | IsolationLevel | None = None,
    ) -> Self:
        """Return a copy with another configuration; None keeps what is there."""
        new = copy(self)
        if key_storage is not None:
            new.key_storage = key_storage
        if lock_manager is not None:
            new.lock_manager = lock_manager
        if isolation_level is not None:
            new.isolation_level = isolation_level
        return new

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the key of a task run, or None if its result is not to be cached.

        Args:
            task_ctx: The context of the run.
            inputs: The task's arguments by parameter, resolved and with defaults.
            flow_parameters: The parameters of the flow run that the task run belongs to.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to compute a key.")

    def __add__(self, other: CachePolicy) -> CachePolicy:
        if not isinstance(other, CachePolicy):
            return NotImplemented
        if isinstance(other, _None):
            return self
        if isinstance(self, _None):
            return other
        return CompoundCachePolicy(
            policies=[*_parts(self), *_parts(other)],
            key_storage=_either(self, other, "key_storage", "storage locations"),
            isolation_level=_either(self, other, "isolation_level", "isolation levels"),
            lock_manager=_either(self, other, "lock_manager", "lock implementations"),
        )

    def __sub__(self, other: str) -> CachePolicy:
        _check_excluded(other)
        return self


def _check_excluded(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"Can only subtract strings from key policies: the name of an input, not {name!r}.")


def _parts(policy: CachePolicy) -> list[CachePolicy]:
    return policy.policies if isinstance(policy, CompoundCachePolicy) else [policy]


def _either(one: CachePolicy, other: CachePolicy, name: str, what: str) -> Any:
    first, second = getattr(one, name), getattr(other, name)
    if first is not None and second is not None and first != second:
        raise ValueError(
            f"Cannot add CachePolicies with different {what}: {first!r} and {second!r}. Configure the sum instead, "
            f"with (a + b).configure({name}=...)."
        )
    return second if first is None else first


@dataclass
class CacheKeyFnPolicy(CachePolicy):
    """Leaves the key to a function.

    Attributes:
        cache_key_fn: Gets the run's context and the inputs, and returns a key, or None for no caching.
    """

    cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None = None

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return what the function returns; None without a function."""
        return None if self.cache_key_fn is None else self.cache_key_fn(task_ctx, inputs)


@dataclass
class CompoundCachePolicy(CachePolicy):
    """Combines the keys of several policies; those that give none do not count.

    Attributes:
        policies: The policies. Compounds among them are taken apart, and those on inputs become one, at the end.
    """

    policies: list[CachePolicy] = field(default_factory=list)

    def __post_init__(self) -> None:
        flat = [part for policy in self.policies for part in _parts(policy)]
        on_inputs = [policy for policy in flat if isinstance(policy, Inputs)]
        self.policies = [policy for policy in flat if not isinstance(policy, Inputs)]
        if on_inputs:
            excluded = dict.fromkeys(name for policy in on_inputs for name in policy.exclude)
            self.policies.append(Inputs(exclude=list(excluded)))

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the hash of the policies' keys, or None if none of them gives one."""
        keys = [policy.compute_key(task_ctx, inputs, flow_parameters, **kwargs) for policy in self.policies]
        keys = [key for key in keys if key is not None]
        return hash_objects(*keys, raise_on_failure=True) if keys else None

    def __sub__(self, other: str) -> CachePolicy:
        _check_excluded(other)
        new = copy(self)
        new.policies = [policy - other for policy in self.policies]
        return new


@dataclass
class _None(CachePolicy):
    """Never gives a key."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        return None


@dataclass
class TaskSource(CachePolicy):
    """Gives a key by the source of the task's function, or by its byte code where there is no source."""

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any] | None,
        flow_parameters: dict[str, Any] | None,
        **kwargs: Any,
    ) -> str | None:
        """Return the hash of the source."""
        given = getattr(task_ctx.task, "source_code", None)
        if given is not None:
            return hash_objects(given, raise_on_failure=True)
        fn = task_ctx.task.fn
        try:
            key = _source_keys.get(fn)
        except TypeError:
            # No weak reference to it can be made, or it has no hash.
            return _source_key(fn)
        if key is None:
            key = _source_keys[fn] = _source_key(fn)
        return key


# Finding the source of a function takes about a millisecond.
_source_keys: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()


def _source_key(fn: Any) -> str | None:
    # The source of an object that can be called is that of its class.
    function = inspect.unwrap(fn) if inspect.isroutine(fn) else type(fn).__call__
    try:
        source = inspect.getsource(function if inspect.isroutine(fn) else type(fn))
    except (OSError, TypeError):
        # There is none, as in an interactive session.
        return hash_objects(_facts(function.__code__), raise_on_failure=True)
    return hash_objects(source, raise_on_failure=True)


def _facts(code: CodeType) -> list[Any]:
    # Byte code names constants and attributes by number; without them `return 1` and `return 2` would be the same.
    constants = [_facts(constant) if isinstance(constant, CodeType) else repr(constant) for constant in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names)]


@dataclass
class FlowParameters(CachePolicy):
    """Gives a key by the parameters of the flow run."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the hash of the parameters, or None if there are none.

        Raises:
            ValueError: A parameter cannot be hashed; names it.
        """
        return _hash_named(flow_parameters, "flow parameter") if flow_parameters else None


@dataclass
class RunId(CachePolicy):
    """Gives a key by the flow run, or by the task run outside of flows."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the id of the flow run, else of the task run."""
        # The record is at hand; the model of the run is made when it is asked for.
        run = getattr(task_ctx, "record", None) or task_ctx.task_run
        run_id = run.flow_run_id or run.id
        return None if run_id is None else str(run_id)


@dataclass
class Inputs(CachePolicy):
    """Gives a key by the task's arguments.

    Attributes:
        exclude: Names of parameters to leave out of account.
    """

    exclude: list[str] = field(default_factory=list)

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the hash of the arguments, or None if there are none.

        Raises:
            ValueError: An argument cannot be hashed; names it and says what to do.
        """
        if not inputs:
            return None
        return _hash_named({name: inputs[name] for name in inputs if name not in self.exclude}, "argument")

    def __sub__(self, other: str) -> CachePolicy:
        _check_excluded(other)
        new = copy(self)
        new.exclude = [*self.exclude, other]
        return new


def _hash_named(values: dict[str, Any], what: str) -> str | None:
    values = {name: _stable(value) for name, value in values.items()}
    try:
        return hash_objects(values, raise_on_failure=True)
    except HashError as error:
        culprits = [name for name, value in values.items() if hash_objects(value) is None]
        raise ValueError(_advice(what, culprits, values, error)) from error


def _advice(what: str, culprits: list[str], values: dict[str, Any], error: HashError) -> str:
    named = ", ".join(f"{name!r} (of type {type(values[name]).__name__!r})" for name in culprits)
    exclusion = " - ".join(["INPUTS", *(repr(name) for name in culprits)])
    remedies = [
        "Compute the key yourself with a `cache_key_fn`",
        "Disable caching with `cache_policy=NO_CACHE`",
    ]
    if culprits and what == "argument":
        remedies.insert(0, f"Leave it out of account with `cache_policy={exclusion}`")
    listed = "".join(f"\n  {number}. {remedy}" for number, remedy in enumerate(remedies, 1))
    return (
        f"{error}\n\nNo cache key can be computed from the {what} {named or 'values'}. Locks, files and other resources "
        f"of the system cannot be hashed.\n\nTo resolve this, you can:{listed}"
    )


def _stable(value: Any) -> Any:
    transform = STABLE_TRANSFORMS.get(type(value)) if STABLE_TRANSFORMS else None
    if transform is not None:
        return transform(value)
    # A data frame can only exist if pandas is loaded already.
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, getattr(pandas, "DataFrame", ())):
        return _data_frame_facts(value, pandas)
    return value


def _data_frame_facts(frame: Any, pandas: Any) -> Any:
    # The pickle of a data frame depends on how it was put together, and not on its values alone.
    facts = []
    for position, name in sorted(enumerate(frame.columns), key=lambda column: str(column[1])):
        column = frame.iloc[:, position]
        try:
            digest: Any = stable_hash(pandas.util.hash_pandas_object(column).values.tobytes())
        except TypeError:
            # It holds lists, dictionaries or the like.
            digest = column.to_dict()
        facts.append([str(name), str(column.dtype), digest])
    return ["pandas.DataFrame", facts]


INPUTS = Inputs()
NONE = _None()
NO_CACHE = _None()
TASK_SOURCE = TaskSource()
FLOW_PARAMETERS = FlowParameters()
RUN_ID = RunId()
DEFAULT = INPUTS + TASK_SOURCE + RUN_ID
"""Equal arguments of the same task in the same flow run."""
