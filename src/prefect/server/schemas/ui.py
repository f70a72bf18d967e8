"""What the UI asks for, and nobody else."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._runs import TaskRun
from prefect.client.schemas._states import StateType
from prefect.types import DateTime

__all__ = ["SimpleFlowRun", "SimpleNextFlowRun", "UISettings", "UITaskRun"]


class UISettings(PrefectBaseModel):
    """How the UI finds the API, and what it may offer.

    Attributes:
        auth: How users sign in, if they do.
        default_ui: The UI that is shown to those who do not choose.
    """

    api_url: str
    csrf_enabled: bool
    auth: str | None
    flags: list[str] = Field(default_factory=list)
    default_ui: Literal["v1", "v2"]
    available_uis: list[Literal["v1", "v2"]] = Field(default_factory=list)
    v1_base_url: str | None = None
    v2_base_url: str | None = None


class UITaskRun(TaskRun):
    """A task run, with the name of its flow run."""

    flow_run_name: str | None = None


class SimpleFlowRun(PrefectBaseModel):
    """A flow run, as a dot in a chart of many.

    Attributes:
        timestamp: When it started, or else was expected to.
        duration: Seconds for which it has run.
        lateness: Seconds by which it started late, or is late by now.
    """

    id: UUID
    state_type: StateType
    timestamp: DateTime
    duration: float
    lateness: float


class SimpleNextFlowRun(PrefectBaseModel):
    """The flow run of a flow that is to start next."""

    id: UUID
    flow_id: UUID
    name: str
    state_name: str
    state_type: StateType
    next_scheduled_start_time: DateTime
