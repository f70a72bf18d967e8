"""What becomes of a proposed state: the answer that its sender gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from prefect.server.orchestration.decisions import Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a proposal.

    Attributes:
        decision: What was decided.
        state: The state that the run is in now; None when it has none.
        is_written: Whether that is a new state.
    """

    decision: Decision
    state: State[Any] | None
    is_written: bool

    @property
    def status(self) -> SetStateStatus:
        return self.decision.status

    def result(self) -> OrchestrationResult[Any]:
        """The answer, as the API gives it."""
        return OrchestrationResult(state=self.state, status=self.status, details=_details(self.decision))


def _details(
    decision: Decision,
) -> StateAcceptDetails | StateRejectDetails | StateWaitDetails | StateAbortDetails:
    if decision.status == SetStateStatus.ACCEPT:
        return StateAcceptDetails()
    if decision.status == SetStateStatus.REJECT:
        return StateRejectDetails(reason=decision.reason)
    if decision.status == SetStateStatus.WAIT:
        return StateWaitDetails(delay_seconds=decision.delay_seconds, reason=decision.reason)
    return StateAbortDetails(reason=decision.reason)
