"""Triggers of deployments: what starts a deployment, and how that run is to be."""

import abc
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Discriminator, Tag

from prefect.client.schemas._base import PrefectBaseModel
from prefect.events.schemas.automations import (
    CompoundTrigger,
    EventTrigger,
    MetricTrigger,
    SequenceTrigger,
    Trigger,
    trigger_discriminator,
)
from prefect.types import NonNegativeTimeDelta


class BaseDeploymentTrigger(PrefectBaseModel, abc.ABC):
    """What a trigger of a deployment says besides when it fires.

    Attributes:
        name: The name of the automation that comes of it.
        enabled: Whether that automation is enabled.
        parameters: Parameters of the run that differ from those of the deployment.
        job_variables: Job variables of the run that differ from those of the deployment.
        schedule_after: How long after the firing the run is to start; seconds in JSON.
    """

    trigger_type: ClassVar[type[Trigger]]

    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: NonNegativeTimeDelta = timedelta(0)


class DeploymentEventTrigger(BaseDeploymentTrigger, EventTrigger):
    """Runs a deployment when events come, or when they do not come."""

    trigger_type: ClassVar[type[Trigger]] = EventTrigger


class DeploymentMetricTrigger(BaseDeploymentTrigger, MetricTrigger):
    """Runs a deployment when a measured value is out of the ordinary."""

    trigger_type: ClassVar[type[Trigger]] = MetricTrigger


class DeploymentCompoundTrigger(BaseDeploymentTrigger, CompoundTrigger):
    """Runs a deployment when some, or all, of several triggers have fired."""

    trigger_type: ClassVar[type[Trigger]] = CompoundTrigger


class DeploymentSequenceTrigger(BaseDeploymentTrigger, SequenceTrigger):
    """Runs a deployment when several triggers have fired in their order."""

    trigger_type: ClassVar[type[Trigger]] = SequenceTrigger


def deployment_trigger_discriminator(value: Any) -> str:
    """Which kind of trigger something describes that does not have to say so."""
    return trigger_discriminator(value)


DeploymentTriggerTypes = Annotated[
    Annotated[DeploymentEventTrigger, Tag("event")]
    | Annotated[DeploymentMetricTrigger, Tag("metric")]
    | Annotated[DeploymentCompoundTrigger, Tag("compound")]
    | Annotated[DeploymentSequenceTrigger, Tag("sequence")],
    Discriminator(deployment_trigger_discriminator),
]
