"""The states of runs, and how one run refers to another."""

# pyright: reportIncompatibleVariableOverride=false
# Each model narrows the key that tells it apart from the others; models are not changed after they are made.

from collections.abc import Coroutine, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, overload
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from typing_extensions import Self, TypeVar

from prefect import _upcalls
from prefect._compat.dispatch import async_dispatch
from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, TimeSeriesBaseModel, publish
from prefect.types import DateTime
from prefect.types._ids import uuid7
from prefect.utilities.collections import AutoEnum

if TYPE_CHECKING:
    from prefect.client.schemas.actions import StateCreate

__all__ = [
    "TERMINAL_STATES",
    "Constant",
    "FlowRunResult",
    "Parameter",
    "RunInput",
    "RunType",
    "State",
    "StateDetails",
    "StateType",
    "TaskRunInput",
    "TaskRunResult",
    "data_discriminator",
]

R = TypeVar("R", default=Any)


class StateType(AutoEnum):
    """What a state means to the orchestration; its name is for people."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"


TERMINAL_STATES = {StateType.COMPLETED, StateType.CANCELLED, StateType.FAILED, StateType.CRASHED}

_DEFAULT_NAMES = {type_: type_.value.capitalize() for type_ in StateType}


class RunType(AutoEnum):
    """Which kind of run something is about."""

    FLOW_RUN = "flow_run"
    TASK_RUN = "task_run"


# -- what a task run takes in ----------------------------------------------------------------------------------------


class RunInput(PrefectBaseModel):
    """What a task run depends on, or was called with."""

    model_config = ConfigDict(frozen=True)

    input_type: str


class TaskRunResult(RunInput):
    """The result of a task run."""

    input_type: Literal["task_run"] = "task_run"
    id: UUID


class FlowRunResult(RunInput):
    """The result of a flow run."""

    input_type: Literal["flow_run"] = "flow_run"
    id: UUID


class Parameter(RunInput):
    """A parameter of the flow."""

    input_type: Literal["parameter"] = "parameter"
    name: str


class Constant(RunInput):
    """A value, of which the type's name is kept."""

    input_type: Literal["constant"] = "constant"
    type: str


# The first that fits is taken: each refuses the `input_type` of the others.
TaskRunInput = Annotated[TaskRunResult | FlowRunResult | Parameter | Constant, Field(union_mode="left_to_right")]

# -- states ----------------------------------------------------------------------------------------------------------


class StateDetails(PrefectBaseModel):
    """What a state carries for the orchestration, beside its type."""

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    # of a task run that stands for a nested flow run
    child_flow_run_id: UUID | None = None
    scheduled_time: DateTime | None = None
    cache_key: str | None = None
    cache_expiration: DateTime | None = None
    deferred: bool | None = None
    untrackable_result: bool = False
    pause_timeout: DateTime | None = None
    pause_reschedule: bool = False
    pause_key: str | None = None
    run_input_keyset: dict[str, str] | None = None
    refresh_cache: bool | None = None
    retriable: bool | None = None
    transition_id: UUID | None = None
    task_parameters_id: UUID | None = None
    traceparent: str | None = None
    deployment_concurrency_lease_id: UUID | None = None

    def to_run_result(self, run_type: RunType) -> FlowRunResult | TaskRunResult | None:
        """How other runs refer to the result of this state's run; None if the run of that type is not known."""
        if run_type is RunType.FLOW_RUN and self.flow_run_id:
            return FlowRunResult(id=self.flow_run_id)
        if run_type is RunType.TASK_RUN and self.task_run_id:
            return TaskRunResult(id=self.task_run_id)
        return None


def data_discriminator(x: Any) -> str:
    """Which kind of data a state holds: `"ResultRecordMetadata"` (where a result is stored), or `"Any"`."""
    if isinstance(x, dict):
        return "ResultRecordMetadata" if "storage_key" in x else "Any"
    return "ResultRecordMetadata" if type(x).__name__ == "ResultRecordMetadata" else "Any"


class StoredResult(dict[str, Any]):
    """Where a result is stored, as the API tells it: JSON, with the attributes of `ResultRecordMetadata`.

    What results are made of is loaded when an attribute is asked for.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # looked at by tools; no field
            raise AttributeError(name)
        return getattr(_upcalls.resolve("result_record_metadata").model_validate(dict(self)), name)


def _as_known_data(data: Any) -> Any:
    if type(data) is dict:
        # Older clients mark a result that stayed in their process like this; to everyone else it is no data.
        if data.get("type") == "unpersisted":
            return None
        if "storage_key" in data and "serializer" in data:
            return StoredResult(data)
    return data


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class State(TimeSeriesBaseModel, ObjectBaseModel, Generic[R]):
    """A moment in the life of a run.

    `data` is what the run gave back: the value itself (or the exception) where the run took place; where its result is
    stored, once that has been read from the API, with the attributes of `prefect.results.ResultRecordMetadata`.
    """

    type: StateType
    name: str | None = None
    timestamp: DateTime = Field(default_factory=_utc_now)
    message: str | None = None
    state_details: StateDetails = Field(default_factory=StateDetails)
    data: Annotated[Any, BeforeValidator(_as_known_data)] = None

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> type["State"]:
            # The parameter speaks to type checkers; a model class for each result type would cost and bring nothing.
            return cls

    @model_validator(mode="after")
    def _complete(self) -> Self:
        # Set past the model's own `__setattr__`, which costs more than the rest of the validation.
        if not self.name:
            object.__setattr__(self, "name", _DEFAULT_NAMES[self.type])
            self.__pydantic_fields_set__.add("name")
        if self.type is StateType.SCHEDULED and self.state_details.scheduled_time is None:
            details = self.state_details.model_copy(update={"scheduled_time": _utc_now()})
            object.__setattr__(self, "state_details", details)
            self.__pydantic_fields_set__.add("state_details")
        return self

    async def aresult(self, raise_on_failure: bool = True, retry_result_failure: bool = True) -> R | BaseException:
        """Read the result of the run.

        Args:
            raise_on_failure: Raise the exception of a run that did not succeed; otherwise return it.
            retry_result_failure: Try for some seconds to read a stored result that is not there yet.

        Raises:
            PausedRun: The run is paused.
            UnfinishedRun: The run has not ended.
            MissingResult: The run completed, and its result was not persisted.
        """
        return await _upcalls.resolve("get_state_result")(
            self, raise_on_failure=raise_on_failure, retry_result_failure=retry_result_failure
        )

    if TYPE_CHECKING:

        @overload
        def result(
            self,
            raise_on_failure: Literal[True] = ...,
            retry_result_failure: bool = ...,
            *,
            _sync: Literal[True] | None = ...,
        ) -> R: ...
        @overload
        def result(
            self, raise_on_failure: bool = ..., retry_result_failure: bool = ..., *, _sync: Literal[True] | None = ...
        ) -> R | BaseException: ...
        @overload
        def result(
            self, raise_on_failure: bool = ..., retry_result_failure: bool = ..., *, _sync: Literal[False]
        ) -> Coroutine[Any, Any, R | BaseException]: ...
        def result(
            self, raise_on_failure: bool = True, retry_result_failure: bool = True, *, _sync: bool | None = None
        ) -> Any: ...

    else:

        @async_dispatch(aresult)
        def result(self, raise_on_failure: bool = True, retry_result_failure: bool = True) -> R | BaseException:
            """Read the result of the run; where async code runs, await the call.

            Args:
                raise_on_failure: Raise the exception of a run that did not succeed; otherwise return it.
                retry_result_failure: Try for some seconds to read a stored result that is not there yet.

            Raises:
                PausedRun: The run is paused.
                UnfinishedRun: The run has not ended.
                MissingResult: The run completed, and its result was not persisted.
            """
            return _upcalls.resolve("get_state_result_sync")(
                self, raise_on_failure=raise_on_failure, retry_result_failure=retry_result_failure
            )

    def to_state_create(self) -> "StateCreate":
        """Make the form in which a state is proposed to the API.

        The result itself stays in this process: of a stored one its metadata travels, of any other nothing.
        """
        from prefect.client.schemas.actions import StateCreate  # noqa: PLC0415 - it is built from the models here

        data: Any = self.data
        if hasattr(data, "is_persisted"):
            data = data.metadata if data.is_persisted else None
        elif not (isinstance(data, dict) or hasattr(data, "storage_key")):
            data = None
        return StateCreate(
            type=self.type,
            name=self.name,
            message=self.message,
            data=data,
            # What a proposal adds to the details must not show in the state that it was made of.
            state_details=self.state_details.model_copy(),
        )

    def is_scheduled(self) -> bool:
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        return self.type is StateType.RUNNING

    def is_completed(self) -> bool:
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        return self.type is StateType.FAILED

    def is_crashed(self) -> bool:
        return self.type is StateType.CRASHED

    def is_cancelled(self) -> bool:
        return self.type is StateType.CANCELLED

    def is_cancelling(self) -> bool:
        return self.type is StateType.CANCELLING

    def is_paused(self) -> bool:
        return self.type is StateType.PAUSED

    def is_final(self) -> bool:
        """Whether the run has ended: it completed, failed, crashed or was cancelled."""
        return self.type in TERMINAL_STATES

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the state. The copy happens now: it has a timestamp of its own, unless `update` gives one."""
        return super().model_copy(update={"timestamp": _utc_now(), **(update or {})}, deep=deep)

    def fresh_copy(self, **kwargs: Any) -> Self:
        """Make the same state of another moment: with an id and times of its own.

        Args:
            kwargs: Other arguments of pydantic's `model_copy`: `deep`.
        """
        now = _utc_now()
        own = {
            "id": uuid7(),
            "created": now,
            "updated": now,
            "timestamp": now,
            "state_details": self.state_details.model_copy(),
        }
        return super().model_copy(update={**own, **(kwargs.pop("update", None) or {})}, **kwargs)

    def __hash__(self) -> int:
        details = self.state_details
        return hash((details.flow_run_id, details.task_run_id, self.timestamp, self.type))

    def __str__(self) -> str:
        """`Name('message', type=TYPE)`, without the type where the name says it."""
        parts = [repr(self.message)] if self.message else []
        if (self.name or "").lower() != self.type.value.lower():
            parts.append(f"type={self.type.value}")
        return f"{self.name}({', '.join(parts)})"

    def __repr__(self) -> str:
        return f"{self.name}(message={self.message!r}, type={self.type.value}, result={self.data!r})"


publish(globals(), __all__, "prefect.client.schemas.objects")
