"""Typed input for flow runs: what it looks like, and how it is sent and received."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, cast, overload
from uuid import UUID, uuid4

import pydantic
from pydantic import ConfigDict
from typing_extensions import Self

from prefect import _current
from prefect._compat.dispatch import async_dispatch
from prefect._plans import Plan, run_plan, run_plan_async
from prefect.client.schemas.objects import FlowRunInput
from prefect.input._plans import (
    plan_create_input,
    plan_filter_inputs,
    plan_next_input,
    plan_read_input,
)
from prefect.input.actions import ensure_flow_run_id

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

R = TypeVar("R", bound="RunInput")
T = TypeVar("T")

Keyset: TypeAlias = dict[Literal["description"] | Literal["response"] | Literal["schema"], str]
"""The keys under which the parts of an input that people give are stored."""

__all__ = [
    "AutomaticRunInput",
    "BaseRunInput",
    "GetAutomaticInputHandler",
    "GetInputHandler",
    "Keyset",
    "RunInput",
    "RunInputMetadata",
    "asend_input",
    "keyset_from_base_key",
    "keyset_from_paused_state",
    "receive_input",
    "run_input_subclass_from_type",
    "send_input",
]

_SENDER_PREFIX = "prefect.flow-run."


def keyset_from_paused_state(state: State) -> Keyset:
    """The keys for the input that a paused run waits for.

    Raises:
        RuntimeError: The state is not of type PAUSED.
    """
    if not state.is_paused():
        raise RuntimeError(f"{state.type.value!r} is unsupported. Expected the state of a paused run.")
    name = state.name.lower() if state.name else "paused"
    return keyset_from_base_key(f"{name}-{state.state_details.pause_key}")


def keyset_from_base_key(base_key: str) -> Keyset:
    """The keys that begin with `base_key`."""
    return {
        "description": f"{base_key}-description",
        "response": f"{base_key}-response",
        "schema": f"{base_key}-schema",
    }


class RunInputMetadata(pydantic.BaseModel):
    """Where an input comes from."""

    key: str
    sender: str | None = None
    receiver: UUID


class BaseRunInput(pydantic.BaseModel):
    """What all kinds of run input share. Fields that a class does not declare are errors."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    _description: ClassVar[str | None] = None
    _metadata: RunInputMetadata = pydantic.PrivateAttr()

    @property
    def metadata(self) -> RunInputMetadata:
        """Where this input comes from; an input that was not received has none."""
        return self._metadata

    @classmethod
    def keyset_from_type(cls) -> Keyset:
        """The keys for this kind of input, by its class name."""
        return keyset_from_base_key(cls.__name__.lower())

    @classmethod
    def _plan_save(cls, keyset: Keyset, flow_run_id: UUID | None) -> Plan[None]:
        yield from plan_create_input(keyset["schema"], cls.model_json_schema(), flow_run_id, None)
        if cls._description:
            yield from plan_create_input(keyset["description"], cls._description, flow_run_id, None)

    @classmethod
    async def asave(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Store the schema and the description of this kind of input, for people to see what is wanted.

        Args:
            keyset: Where to store them.
            flow_run_id: The run that waits for the input; the current one by default.
        """
        await run_plan_async(cls._plan_save(keyset, flow_run_id))

    @classmethod
    @async_dispatch(asave)
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Store the schema and the description of this kind of input, for people to see what is wanted.

        Args:
            keyset: Where to store them.
            flow_run_id: The run that waits for the input; the current one by default.
        """
        run_plan(cls._plan_save(keyset, flow_run_id))

    @classmethod
    def _plan_load(cls, keyset: Keyset, flow_run_id: UUID | None) -> Plan[Self]:
        receiver = ensure_flow_run_id(flow_run_id)
        value = yield from plan_read_input(keyset["response"], receiver)
        instance = cls(**value) if value else cls()
        instance._metadata = RunInputMetadata(key=keyset["response"], sender=None, receiver=receiver)
        return instance

    @classmethod
    async def aload(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Self:
        """Read what was given as input of this kind.

        Args:
            keyset: Where it is stored.
            flow_run_id: The run that it was given to; the current one by default.

        Raises:
            ValidationError: It does not fit.
        """
        return await run_plan_async(cls._plan_load(keyset, flow_run_id))

    @classmethod
    @async_dispatch(aload)
    def load(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Self:
        """Read what was given as input of this kind.

        Args:
            keyset: Where it is stored.
            flow_run_id: The run that it was given to; the current one by default.

        Raises:
            ValidationError: It does not fit.
        """
        return run_plan(cls._plan_load(keyset, flow_run_id))

    @classmethod
    def load_from_flow_run_input(cls, flow_run_input: FlowRunInput) -> Self:
        """Make an input of this kind from what is stored."""
        instance = cls(**flow_run_input.decoded_value)
        instance._metadata = RunInputMetadata(
            key=flow_run_input.key, sender=flow_run_input.sender, receiver=flow_run_input.flow_run_id
        )
        return instance

    @classmethod
    def with_initial_data(cls, description: str | None = None, **kwargs: Any) -> type[Self]:
        """Make a class of the same input with values to begin with.

        Args:
            description: Tells people what is wanted, in Markdown.
            kwargs: The values, by field; the fields keep their types.
        """
        fields: dict[str, Any] = {}
        for name, value in kwargs.items():
            known = cls.model_fields.get(name)
            if known is None:
                fields[name] = (type(value), value)
                continue
            field = copy(known)
            field.default, field.default_factory = value, None
            fields[name] = (known.annotation, field)
        made = pydantic.create_model(cls.__name__, __base__=cls, __module__=cls.__module__, **fields)  # type: ignore[call-overload]
        if description is not None:
            made._description = description
        return made

    def _plan_send_to(self, flow_run_id: UUID, sender: str | None, key_prefix: str | None) -> Plan[None]:
        key = f"{key_prefix or _default_prefix(type(self))}-{uuid4()}"
        yield from plan_create_input(key, self.model_dump(mode="json"), flow_run_id, sender or _this_run())

    async def asend_to(self, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send this input to a flow run.

        Args:
            flow_run_id: The run; it may receive the input later.
            sender: Who sends it; the current flow run by default.
            key_prefix: What its key begins with; made from the class name by default.
        """
        await run_plan_async(self._plan_send_to(flow_run_id, sender, key_prefix))

    @async_dispatch(asend_to)
    def send_to(self, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send this input to a flow run.

        Args:
            flow_run_id: The run; it may receive the input later.
            sender: Who sends it; the current flow run by default.
            key_prefix: What its key begins with; made from the class name by default.
        """
        run_plan(self._plan_send_to(flow_run_id, sender, key_prefix))

    def _plan_respond(self, run_input: Any, sender: str | None, key_prefix: str | None) -> Plan[None]:
        origin = self.metadata.sender
        if origin is None or not origin.startswith(_SENDER_PREFIX):
            raise RuntimeError(
                f"Cannot respond: this input was not sent by a flow run, its sender is {origin!r}."
                " Send with flow_run_id= to a run that you know."
            )
        flow_run_id = UUID(origin.removeprefix(_SENDER_PREFIX))
        yield from _as_run_input(run_input)._plan_send_to(flow_run_id, sender, key_prefix)

    async def arespond(self, run_input: RunInput, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send an input back to the flow run that sent this one.

        Args:
            run_input: What to send.
            sender: Who sends it; the current flow run by default.
            key_prefix: What its key begins with; made from the class name by default.

        Raises:
            RuntimeError: This input was not sent by a flow run.
        """
        await run_plan_async(self._plan_respond(run_input, sender, key_prefix))

    @async_dispatch(arespond)
    def respond(self, run_input: RunInput, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send an input back to the flow run that sent this one.

        Args:
            run_input: What to send.
            sender: Who sends it; the current flow run by default.
            key_prefix: What its key begins with; made from the class name by default.

        Raises:
            RuntimeError: This input was not sent by a flow run.
        """
        run_plan(self._plan_respond(run_input, sender, key_prefix))


class RunInput(BaseRunInput):
    """Base of the input that users describe: subclasses declare its fields."""

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: set[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | None = None,
    ) -> GetInputHandler[Self]:
        """Receive inputs of this kind; see `receive_input`."""
        return GetInputHandler(
            run_input_cls=cls,
            key_prefix=key_prefix or _default_prefix(cls),
            timeout=timeout,
            poll_interval=poll_interval,
            raise_timeout_error=raise_timeout_error,
            exclude_keys=exclude_keys,
            flow_run_id=flow_run_id,
        )

    @classmethod
    def subclass_from_base_model_type(cls, model_cls: type[pydantic.BaseModel]) -> type[RunInput]:
        """Make a kind of input with the fields of a pydantic model."""
        return type(
            f"{model_cls.__name__}RunInput",
            (cls, model_cls),
            {"__module__": model_cls.__module__, "__doc__": model_cls.__doc__},
        )


class AutomaticRunInput(BaseRunInput, Generic[T]):
    """An input that is one value of any type, in the field `value`."""

    value: T

    @classmethod
    async def aload(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> T:  # type: ignore[override]
        """Read the value that was given.

        Args:
            keyset: Where it is stored.
            flow_run_id: The run that it was given to; the current one by default.
        """
        return (await run_plan_async(cls._plan_load(keyset, flow_run_id))).value

    @classmethod
    @async_dispatch(aload)
    def load(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> T:  # type: ignore[override]
        """Read the value that was given.

        Args:
            keyset: Where it is stored.
            flow_run_id: The run that it was given to; the current one by default.
        """
        return run_plan(cls._plan_load(keyset, flow_run_id)).value

    @classmethod
    def subclass_from_type(cls, _type: type[T]) -> type[AutomaticRunInput[T]]:
        """Make a kind of input whose value is of a given type."""
        name = f"{getattr(_type, '__name__', '')}AutomaticRunInput"
        return pydantic.create_model(name, __base__=cls, __module__=cls.__module__, value=(_type, ...))  # type: ignore[call-overload]

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: set[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | None = None,
        with_metadata: bool = False,
    ) -> GetAutomaticInputHandler[T]:
        """Receive values of this type; see `receive_input`."""
        return GetAutomaticInputHandler(
            run_input_cls=cls,
            key_prefix=key_prefix or _default_prefix(cls),
            timeout=timeout,
            poll_interval=poll_interval,
            raise_timeout_error=raise_timeout_error,
            exclude_keys=exclude_keys,
            flow_run_id=flow_run_id,
            with_metadata=with_metadata,
        )


def run_input_subclass_from_type(_type: Any) -> Any:
    """Make the kind of input for a type.

    Args:
        _type: A subclass of `RunInput` is taken as it is; a pydantic model class gives an input with its fields, and an
            instance of one, the same with the instance's values to begin with; any other type is wrapped.
    """
    if inspect.isclass(_type):
        if issubclass(_type, (RunInput, AutomaticRunInput)):
            return _type
        if issubclass(_type, pydantic.BaseModel):
            return RunInput.subclass_from_base_model_type(_type)
    if isinstance(_type, pydantic.BaseModel):
        wrapped = RunInput.subclass_from_base_model_type(type(_type))
        return wrapped.with_initial_data(**dict(_type))
    return AutomaticRunInput.subclass_from_type(_type)


class _InputHandler(Generic[T]):
    """Iterates over the inputs of one kind that a flow run is sent, each once, in order of arrival."""

    def __init__(
        self,
        run_input_cls: Any,
        key_prefix: str,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: set[str] | None = None,
        flow_run_id: UUID | None = None,
    ) -> None:
        self.run_input_cls = run_input_cls
        self.key_prefix = key_prefix
        self.timeout = timeout
        self.poll_interval = poll_interval
        self.raise_timeout_error = raise_timeout_error
        self.exclude_keys: set[str] = set(exclude_keys or ())
        """Keys of inputs that were given already, or are not wanted."""
        self.flow_run_id = ensure_flow_run_id(flow_run_id)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return cast(T, self.next(_sync=True))  # type: ignore[call-arg]
        except TimeoutError:
            if self.raise_timeout_error:
                raise
            raise StopIteration from None

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.anext()
        except TimeoutError:
            if self.raise_timeout_error:
                raise
            raise StopAsyncIteration from None

    async def filter_for_inputs(self) -> list[FlowRunInput]:
        """The next input that is stored already, as a list of one or none."""
        return await run_plan_async(plan_filter_inputs(self.key_prefix, 1, self.exclude_keys, self.flow_run_id))

    def filter_for_inputs_sync(self) -> list[FlowRunInput]:
        """The next input that is stored already, as a list of one or none."""
        return run_plan(plan_filter_inputs(self.key_prefix, 1, self.exclude_keys, self.flow_run_id))

    def to_instance(self, flow_run_input: FlowRunInput) -> T:
        """Make of a stored input what this iterator gives."""
        return self.run_input_cls.load_from_flow_run_input(flow_run_input)

    def _plan_next(self) -> Plan[T]:
        found = yield from plan_next_input(
            self.key_prefix, self.exclude_keys, self.flow_run_id, self.timeout, self.poll_interval
        )
        self.exclude_keys.add(found.key)
        return self.to_instance(found)

    async def anext(self) -> T:
        """Wait for the next input.

        Raises:
            TimeoutError: None came in time.
        """
        return await run_plan_async(self._plan_next())

    @async_dispatch(anext)
    def next(self) -> T:
        """Wait for the next input.

        Raises:
            TimeoutError: None came in time.
        """
        return run_plan(self._plan_next())


class GetInputHandler(_InputHandler[R], Generic[R]):
    """Iterates over the inputs of one class that a flow run is sent, each once, in order of arrival."""


class GetAutomaticInputHandler(_InputHandler[Any], Generic[T]):
    """Iterates over the values of one type that a flow run is sent, each once, in order of arrival."""

    def __init__(
        self,
        run_input_cls: type[AutomaticRunInput[T]],
        key_prefix: str,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: set[str] | None = None,
        flow_run_id: UUID | None = None,
        with_metadata: bool = False,
    ) -> None:
        """Say what to receive; see `receive_input`."""
        super().__init__(
            run_input_cls, key_prefix, timeout, poll_interval, raise_timeout_error, exclude_keys, flow_run_id
        )
        self.with_metadata = with_metadata

    def to_instance(self, flow_run_input: FlowRunInput) -> T | AutomaticRunInput[T]:
        """Make the value of a stored input, or the wrapper that has its metadata too."""
        wrapper = self.run_input_cls.load_from_flow_run_input(flow_run_input)
        return wrapper if self.with_metadata else wrapper.value


def _default_prefix(run_input_cls: type[BaseRunInput]) -> str:
    return f"{run_input_cls.__name__.lower()}-auto"


def _this_run() -> str | None:
    flow_run_id = _current.flow_run_id()
    return f"{_SENDER_PREFIX}{flow_run_id}" if flow_run_id is not None else None


def _as_run_input(value: Any) -> BaseRunInput:
    if isinstance(value, BaseRunInput):
        return value
    if isinstance(value, pydantic.BaseModel):
        return RunInput.subclass_from_base_model_type(type(value))(**dict(value))
    return AutomaticRunInput.subclass_from_type(type(value))(value=value)


async def asend_input(
    run_input: Any, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None
) -> None:
    """Send a value to a flow run, which gets it with `receive_input`.

    Args:
        run_input: A `RunInput`, a pydantic model, or any other value that JSON can hold.
        flow_run_id: The run; it may receive the input later.
        sender: Who sends it; the current flow run by default.
        key_prefix: What its key begins with; made from the type by default. The receiver must look for the same.
    """
    await run_plan_async(_as_run_input(run_input)._plan_send_to(flow_run_id, sender, key_prefix))


@async_dispatch(asend_input)
def send_input(run_input: Any, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None) -> None:
    """Send a value to a flow run, which gets it with `receive_input`.

    Args:
        run_input: A `RunInput`, a pydantic model, or any other value that JSON can hold.
        flow_run_id: The run; it may receive the input later.
        sender: Who sends it; the current flow run by default.
        key_prefix: What its key begins with; made from the type by default. The receiver must look for the same.
    """
    run_plan(_as_run_input(run_input)._plan_send_to(flow_run_id, sender, key_prefix))


@overload
def receive_input(
    input_type: type[R] | pydantic.BaseModel,
    timeout: float | None = 3600,
    poll_interval: float = 10,
    raise_timeout_error: bool = False,
    exclude_keys: set[str] | None = None,
    key_prefix: str | None = None,
    flow_run_id: UUID | None = None,
    with_metadata: bool = False,
) -> GetInputHandler[R]: ...
@overload
def receive_input(
    input_type: type[T],
    timeout: float | None = 3600,
    poll_interval: float = 10,
    raise_timeout_error: bool = False,
    exclude_keys: set[str] | None = None,
    key_prefix: str | None = None,
    flow_run_id: UUID | None = None,
    with_metadata: bool = False,
) -> GetAutomaticInputHandler[T]: ...
def receive_input(
    input_type: Any,
    timeout: float | None = 3600,
    poll_interval: float = 10,
    raise_timeout_error: bool = False,
    exclude_keys: set[str] | None = None,
    key_prefix: str | None = None,
    flow_run_id: UUID | None = None,
    with_metadata: bool = False,
) -> Any:
    """Receive inputs of one type that are sent to a flow run.

    Iterate over the result with `for` or `async for`, or call its `next()`. Each input comes once, in order of
    arrival; a new iterator begins with the first again.

    Args:
        input_type: A `RunInput` class, a pydantic model class, or any other type.
        timeout: Seconds to wait for each input; None waits for ever.
        poll_interval: Seconds between two looks for an input at most; the first looks follow sooner.
        raise_timeout_error: Raise `TimeoutError` when no input comes in time; otherwise the iteration ends.
        exclude_keys: Keys of inputs to leave out.
        key_prefix: What the keys of the inputs begin with; made from the type by default.
        flow_run_id: The run that the inputs are sent to; the current one by default.
        with_metadata: Give values of plain types in a wrapper with `.value` and `.metadata`.

    Raises:
        RuntimeError: There is no current flow run, and no id was given.
    """
    input_cls = run_input_subclass_from_type(input_type)
    options: dict[str, Any] = {
        "timeout": timeout,
        "poll_interval": poll_interval,
        "raise_timeout_error": raise_timeout_error,
        "exclude_keys": exclude_keys,
        "key_prefix": key_prefix,
        "flow_run_id": flow_run_id,
    }
    if issubclass(input_cls, AutomaticRunInput):
        return input_cls.receive(**options, with_metadata=with_metadata)
    return input_cls.receive(**options)
