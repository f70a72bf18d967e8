"""What the API answers to proposed states."""

from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from prefect.client.schemas._base import PrefectBaseModel, publish
from prefect.client.schemas._states import State
from prefect.utilities.collections import AutoEnum

__all__ = [
    "OrchestrationResult",
    "SetStateStatus",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateRejectDetails",
    "StateResponseDetails",
    "StateWaitDetails",
]

T = TypeVar("T")


class SetStateStatus(AutoEnum):
    """What became of a proposed state."""

    ACCEPT = AutoEnum.auto()
    REJECT = AutoEnum.auto()
    ABORT = AutoEnum.auto()
    WAIT = AutoEnum.auto()


class StateAcceptDetails(PrefectBaseModel):
    """The proposed state was stored."""

    type: Literal["accept_details"] = "accept_details"


class StateRejectDetails(PrefectBaseModel):
    """Another state was stored, or none: the run is in the state that is answered."""

    type: Literal["reject_details"] = "reject_details"
    reason: str | None = None


class StateAbortDetails(PrefectBaseModel):
    """Nothing was stored, and whoever proposed the state is to leave the run alone."""

    type: Literal["abort_details"] = "abort_details"
    reason: str | None = None


class StateWaitDetails(PrefectBaseModel):
    """Nothing was stored; the state may be proposed again after so many seconds."""

    type: Literal["wait_details"] = "wait_details"
    delay_seconds: int
    reason: str | None = None


StateResponseDetails = Annotated[
    StateAcceptDetails | StateWaitDetails | StateRejectDetails | StateAbortDetails, Field(discriminator="type")
]


class OrchestrationResult(PrefectBaseModel, Generic[T]):
    """The answer to a proposed state: the state that the run is in, and how that came."""

    state: State | None
    status: SetStateStatus
    details: StateResponseDetails

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> type["OrchestrationResult"]:
            return cls  # as for `State`: the parameter speaks to type checkers


publish(globals(), __all__, "prefect.client.schemas.responses")
