"""Automations: what they wait for, and what they do then."""

# pyright: reportIncompatibleVariableOverride=false
# Each model narrows the key that tells it apart from the others; models are not changed after they are made.

import abc
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    Tag,
    model_validator,
)
from pydantic_core import CoreSchema
from typing_extensions import Self

from prefect.client.schemas._base import PrefectBaseModel
from prefect.events.actions import ActionTypes, RunDeployment
from prefect.events.schemas.events import ResourceSpecification
from prefect.utilities.collections import AutoEnum

SHORTEST_PROACTIVE_WINDOW = timedelta(seconds=10)
SHORTEST_METRIC_WINDOW = timedelta(seconds=300)

ResourceSpecificationDict = dict[str, str | list[str]]


class Posture(AutoEnum):
    """Whether a trigger fires because events come, because they stay away, or because of a measured value."""

    Reactive = "Reactive"
    Proactive = "Proactive"
    Metric = "Metric"


class Trigger(PrefectBaseModel, abc.ABC):
    """What an automation waits for.

    A trigger that belongs to a deployment also knows what to do: run it.
    """

    type: str

    _deployment_id: UUID | None = PrivateAttr(default=None)

    @abc.abstractmethod
    def describe_for_cli(self, indent: int = 0) -> str:
        """The trigger in a few words.

        Args:
            indent: How deep it stands in other triggers.
        """

    def set_deployment_id(self, deployment_id: UUID) -> None:
        """Say which deployment the trigger runs."""
        self._deployment_id = deployment_id

    def owner_resource(self) -> str | None:
        """Who owns the automation of this trigger: its deployment."""
        return f"prefect.deployment.{self._deployment_id}" if self._deployment_id is not None else None

    def actions(self) -> list[ActionTypes]:
        """What is done when the trigger fires: a run of its deployment.

        Raises:
            ValueError: The trigger belongs to no deployment.
        """
        return [
            RunDeployment(
                source="selected",
                deployment_id=self._required_deployment_id(),
                parameters=getattr(self, "parameters", None),
                job_variables=getattr(self, "job_variables", None),
                schedule_after=getattr(self, "schedule_after", timedelta(0)),
            )
        ]

    def as_automation(self) -> "AutomationCore":
        """The automation that runs the trigger's deployment when it fires.

        Raises:
            ValueError: The trigger belongs to no deployment.
        """
        return AutomationCore(
            name=getattr(self, "name", None) or f"Automation for deployment {self._required_deployment_id()}",
            description=getattr(self, "description", ""),
            enabled=getattr(self, "enabled", True),
            trigger=self._plain(),
            actions=self.actions(),
            owner_resource=self.owner_resource(),
        )

    def _plain(self) -> "TriggerTypes":
        # A trigger of a deployment also holds what the automation needs; `trigger_type` is the trigger without that.
        plain: type[Trigger] = getattr(self, "trigger_type", type(self))
        if plain is type(self):
            return self  # type: ignore[return-value] - what is instantiated is one of the concrete triggers
        return plain(**{name: getattr(self, name) for name in plain.model_fields})  # type: ignore[return-value]

    def _required_deployment_id(self) -> UUID:
        if self._deployment_id is None:
            raise ValueError("This trigger belongs to no deployment. Call set_deployment_id() first.")
        return self._deployment_id


# -- triggers about resources ----------------------------------------------------------------------------------------


class ResourceTrigger(Trigger, abc.ABC):
    """A trigger that looks at certain resources only.

    Attributes:
        match: What the resource of an event has to be.
        match_related: What a related resource has to be; of a list, each specification has to be met by one.
    """

    type: str
    match: ResourceSpecification = Field(default_factory=lambda: ResourceSpecification({}))
    match_related: ResourceSpecification | list[ResourceSpecification] = Field(
        default_factory=lambda: ResourceSpecification({})
    )


class EventTrigger(ResourceTrigger):
    """Fires when events come, or when they do not come.

    Attributes:
        after: Names of events that arm the trigger; without any, it is always armed.
        expect: Names of events that are counted, with wildcards; without any, all are.
        for_each: Labels; events that differ in one of them are counted apart.
        posture: Reactive fires when `threshold` events have come; Proactive when they have not come within `within`.
        threshold: How many events.
        within: The time in which they are counted; seconds in JSON. For Proactive at least 10, which is its default.
    """

    type: Literal["event"] = "event"
    after: set[str] = Field(default_factory=set)
    expect: set[str] = Field(default_factory=set)
    for_each: set[str] = Field(default_factory=set)
    posture: Literal[Posture.Reactive, Posture.Proactive] = Posture.Reactive
    threshold: int = 1
    within: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(0)

    @model_validator(mode="after")
    def _require_proactive_window(self) -> Self:
        if self.posture is Posture.Proactive:
            if self.within == timedelta(0):
                self.within = SHORTEST_PROACTIVE_WINDOW
            elif self.within < SHORTEST_PROACTIVE_WINDOW:
                raise ValueError(
                    "`within` for Proactive triggers must be greater than or equal to"
                    f" {SHORTEST_PROACTIVE_WINDOW.seconds} seconds"
                )
        return self

    def describe_for_cli(self, indent: int = 0) -> str:
        names = ", ".join(sorted(self.expect)) or "any event"
        text = f"{self.posture.value}: expecting {self.threshold} of {names}"
        if self.posture is Posture.Proactive:
            text += f" within {self.within}"
        return _indented(text, indent)


class PrefectMetric(Enum):
    """What can be measured about runs."""

    lateness = "lateness"
    duration = "duration"
    successes = "successes"


class MetricTriggerOperator(Enum):
    """How a measured value is compared."""

    LT = "<"
    LTE = "<="
    GT = ">"
    GTE = ">="


def _require_metric_window(value: timedelta) -> timedelta:
    if value < SHORTEST_METRIC_WINDOW:
        raise ValueError("The minimum range is 300 seconds (5 minutes)")
    return value


_MetricWindow = Annotated[timedelta, AfterValidator(_require_metric_window)]


class MetricTriggerQuery(PrefectBaseModel):
    """What is measured, and what value is out of the ordinary.

    Attributes:
        range: The time over which runs are looked at, at least 300 seconds.
        firing_for: How long the comparison has to hold, at least 300 seconds.
    """

    name: PrefectMetric
    threshold: float
    operator: MetricTriggerOperator
    range: _MetricWindow = SHORTEST_METRIC_WINDOW
    firing_for: _MetricWindow = SHORTEST_METRIC_WINDOW


class MetricTrigger(ResourceTrigger):
    """Fires when a measured value is out of the ordinary; only the cloud product measures."""

    type: Literal["metric"] = "metric"
    posture: Literal[Posture.Metric] = Posture.Metric
    metric: MetricTriggerQuery

    def describe_for_cli(self, indent: int = 0) -> str:
        metric = self.metric
        text = f"Metric: {metric.name.value} {metric.operator.value} {metric.threshold} for {metric.firing_for}"
        return _indented(text, indent)


# -- triggers made of triggers ---------------------------------------------------------------------------------------


if TYPE_CHECKING:
    AnyTrigger: TypeAlias = "TriggerTypes"
else:

    class AnyTrigger:
        """Stands for `TriggerTypes` in the triggers that are among them: what it means is asked when it is needed."""

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            return handler.generate_schema(TriggerTypes)


class CompositeTrigger(Trigger, abc.ABC):
    """A trigger that fires when others do."""

    type: Literal["compound", "sequence"]
    triggers: list[AnyTrigger]
    within: timedelta | None = None

    def _describe(self, heading: str, indent: int) -> str:
        return "\n".join(
            [_indented(heading, indent), *(trigger.describe_for_cli(indent + 1) for trigger in self.triggers)]
        )


class CompoundTrigger(CompositeTrigger):
    """Fires when some, or all, of its triggers have fired.

    Attributes:
        require: How many of them: a number, `"any"` or `"all"`.
        within: The time in which they have to fire; seconds in JSON, None for any time.
    """

    type: Literal["compound"] = "compound"
    require: int | Literal["any", "all"]

    @model_validator(mode="after")
    def _require_possible_number(self) -> Self:
        if isinstance(self.require, int):
            if self.require < 1:
                raise ValueError(f"require must be at least 1, got {self.require}")
            if self.require > len(self.triggers):
                raise ValueError(
                    "require must be less than or equal to the number of triggers:"
                    f" got {self.require}, there are {len(self.triggers)}"
                )
        return self

    def describe_for_cli(self, indent: int = 0) -> str:
        return self._describe(f"{str(self.require).capitalize()} of:", indent)


class SequenceTrigger(CompositeTrigger):
    """Fires when its triggers have fired in their order.

    Attributes:
        within: The time in which they have to fire; seconds in JSON, None for any time.
    """

    type: Literal["sequence"] = "sequence"

    def describe_for_cli(self, indent: int = 0) -> str:
        return self._describe("In this order:", indent)


def _indented(text: str, indent: int) -> str:
    return "  " * indent + text


def trigger_discriminator(value: Any) -> str:
    """Which kind of trigger something describes that does not have to say so."""
    if not isinstance(value, dict):
        return getattr(value, "type", "event")
    if "type" in value:
        return value["type"]
    if "triggers" in value:
        return "compound" if "require" in value else "sequence"
    posture = value.get("posture")
    return "metric" if posture in (Posture.Metric, Posture.Metric.value) else "event"


TriggerTypes = Annotated[
    Annotated[EventTrigger, Tag("event")]
    | Annotated[MetricTrigger, Tag("metric")]
    | Annotated[CompoundTrigger, Tag("compound")]
    | Annotated[SequenceTrigger, Tag("sequence")],
    Discriminator(trigger_discriminator),
]

# -- automations -----------------------------------------------------------------------------------------------------


class AutomationFields(PrefectBaseModel):
    """What is said about every automation."""

    name: str
    description: str = ""
    enabled: bool = True
    tags: list[str] = Field(default_factory=list)


class AutomationCore(AutomationFields):
    """An automation to be: what it waits for, and what it does then.

    Attributes:
        actions: What is done when the trigger fires or resolves.
        actions_on_trigger: What is done besides when it fires.
        actions_on_resolve: What is done besides when it resolves; only metric triggers do.
        owner_resource: The resource that the automation belongs to, and is replaced together with.
    """

    trigger: TriggerTypes
    actions: list[ActionTypes]
    actions_on_trigger: list[ActionTypes] = Field(default_factory=list)
    actions_on_resolve: list[ActionTypes] = Field(default_factory=list)
    owner_resource: str | None = None


class Automation(AutomationCore):
    """An automation."""

    id: UUID
