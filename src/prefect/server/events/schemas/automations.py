"""Automations as the server has them: triggers know their ids, and decide what they are about.

The models are those of `prefect.events.schemas.automations`, with ids and with what evaluation needs. All decisions
are pure: they look at events and firings, never at a clock or a database.
"""

# pyright: reportIncompatibleVariableOverride=false
# Each model narrows the key that tells it apart from the others; models are not changed after they are made.

import abc
import re
from collections.abc import Sequence
from datetime import timedelta
from fnmatch import translate
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar
from uuid import UUID, uuid4

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

from prefect.client.schemas._base import ActionBaseModel, ObjectBaseModel, PrefectBaseModel
from prefect.client.schemas.sorting import AutomationSort
from prefect.events import actions
from prefect.events.schemas import automations as shared
from prefect.events.schemas.automations import Posture, ResourceSpecificationDict, trigger_discriminator
from prefect.events.schemas.events import (
    RESOURCE_ID,
    RESOURCE_NAME,
    RESOURCE_ROLE,
    ReceivedEvent,
    RelatedResource,
    Resource,
)
from prefect.types import DateTime
from prefect.types._ids import uuid7
from prefect.utilities.collections import AutoEnum

__all__ = [
    "Automation",
    "AutomationCore",
    "AutomationCreate",
    "AutomationPartialUpdate",
    "AutomationSort",
    "AutomationUpdate",
    "CompositeTrigger",
    "CompoundTrigger",
    "EventTrigger",
    "Firing",
    "Posture",
    "ResourceSpecificationDict",
    "ResourceTrigger",
    "SequenceTrigger",
    "ServerActionTypes",
    "ServerTriggerTypes",
    "Trigger",
    "TriggerState",
    "TriggeredAction",
]

T = TypeVar("T", bound="Trigger")

ServerActionTypes = Annotated[
    actions.DoNothing
    | actions.RunDeployment
    | actions.PauseDeployment
    | actions.ResumeDeployment
    | actions.CancelFlowRun
    | actions.DeleteFlowRun
    | actions.ChangeFlowRunState
    | actions.PauseWorkQueue
    | actions.ResumeWorkQueue
    | actions.SendNotification
    | actions.CallWebhook
    | actions.PauseAutomation
    | actions.ResumeAutomation
    | actions.SuspendFlowRun
    | actions.ResumeFlowRun
    | actions.PauseWorkPool
    | actions.ResumeWorkPool,
    Field(discriminator="type"),
]
"""What this server can do."""


class TriggerState(AutoEnum):
    """What happened to a trigger."""

    Triggered = "Triggered"
    Resolved = "Resolved"


# -- triggers --------------------------------------------------------------------------------------------------------


class _Above:
    """What a trigger is part of: not part of what the trigger is, so that equal triggers stay equal."""

    __slots__ = ("value",)

    def __init__(self, value: "Trigger | Automation | None" = None) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Above)

    __hash__ = None  # type: ignore[assignment]


class Trigger(shared.Trigger, abc.ABC):
    """What an automation waits for; ids are given out anew on each save."""

    id: UUID = Field(default_factory=uuid4)

    _above: _Above = PrivateAttr(default_factory=_Above)

    @property
    def parent(self) -> "Trigger | Automation":
        """The trigger, or the automation, that this one is part of.

        Raises:
            ValueError: It is part of none.
        """
        if self._above.value is None:
            raise ValueError(f"Trigger {str(self.id)!r} is part of no automation.")
        return self._above.value

    @property
    def automation(self) -> "Automation":
        """The automation that the trigger is part of.

        Raises:
            ValueError: It is part of none.
        """
        parent = self.parent
        return parent.automation if isinstance(parent, Trigger) else parent

    def set_parent(self, parent: "Trigger | Automation") -> None:
        """Say what the trigger is part of."""
        self._above = _Above(parent)

    def reset_ids(self) -> None:
        """Give new ids to the trigger and to all inside it."""
        for trigger in self.all_triggers():
            trigger.id = uuid4()

    def all_triggers(self) -> Sequence["Trigger"]:
        """The trigger, and all inside it."""
        return [self]

    @abc.abstractmethod
    def create_automation_state_change_event(self, firing: "Firing", trigger_state: TriggerState) -> ReceivedEvent:
        """The event that tells of a firing of the automation."""

    def _state_change_event(
        self, firing: "Firing", trigger_state: TriggerState, labels: dict[str, str]
    ) -> ReceivedEvent:
        automation, cause = self.automation, firing.triggering_event
        related = []
        if cause is not None:
            related.append({RESOURCE_ID: f"prefect.event.{cause.id}", RESOURCE_ROLE: "triggering-event"})
        return ReceivedEvent(
            occurred=firing.triggered,
            event=f"prefect.automation.{trigger_state.value.lower()}",
            resource=Resource(
                {RESOURCE_ID: f"prefect.automation.{automation.id}", RESOURCE_NAME: automation.name, **labels}
            ),
            related=[RelatedResource(each) for each in related],
            payload={
                "triggering_labels": firing.triggering_labels,
                "triggering_event": cause.model_dump(mode="json") if cause is not None else None,
            },
            id=uuid7(),
        )


class ResourceTrigger(shared.ResourceTrigger, Trigger, abc.ABC):
    """A trigger that looks at certain resources only."""

    def covers_resources(self, resource: Resource, related: Sequence[RelatedResource]) -> bool:
        """Whether the resources of an event are those that the trigger looks at."""
        if not self.match.includes([resource]):
            return False
        wanted = self.match_related if isinstance(self.match_related, list) else [self.match_related]
        return all(specification.includes(related) for specification in wanted)


class EventTrigger(shared.EventTrigger, ResourceTrigger):
    """Fires when events come, or when they do not come."""

    posture: Literal[Posture.Reactive, Posture.Proactive] = Field(...)

    def covers(self, event: ReceivedEvent) -> bool:
        """Whether the resources of an event are those that the trigger looks at."""
        return self.covers_resources(event.resource, event.related)

    @property
    def immediate(self) -> bool:
        """Whether the trigger fires as soon as enough events have come, however long that took."""
        return self.posture is Posture.Reactive and self.within == timedelta(0)

    @property
    def event_pattern(self) -> re.Pattern[str]:
        """What the names of events look like that the trigger has to see."""
        names = sorted(self.after | self.expect) if self.expect else ["*"]
        return re.compile("|".join(translate(name) for name in names))

    def starts_after(self, event: str) -> bool:
        """Whether an event of this name arms the trigger. Without `after` none does, as it needs none."""
        return _is_one_of(event, self.after)

    def expects(self, event: str) -> bool:
        """Whether an event of this name is counted."""
        return not self.expect or _is_one_of(event, self.expect)

    def bucketing_key(self, event: ReceivedEvent) -> tuple[str, ...]:
        """What tells apart the events that are counted apart: the values of the `for_each` labels, in their order."""
        return tuple(event.find_resource_label(label) or "" for label in sorted(self.for_each))

    def meets_threshold(self, event_count: int) -> bool:
        """Whether the trigger may fire after so many events: enough of them if reactive, too few if proactive."""
        if self.posture is Posture.Reactive:
            return event_count >= self.threshold
        return event_count < self.threshold

    def create_automation_state_change_event(self, firing: "Firing", trigger_state: TriggerState) -> ReceivedEvent:
        return self._state_change_event(firing, trigger_state, {"prefect.posture": self.posture.value})


def _is_one_of(name: str, patterns: set[str]) -> bool:
    return any(re.match(translate(pattern), name) for pattern in patterns)


if TYPE_CHECKING:
    AnyServerTrigger: TypeAlias = "ServerTriggerTypes"
else:

    class AnyServerTrigger:
        """Stands for `ServerTriggerTypes` in the triggers that are among them."""

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            return handler.generate_schema(ServerTriggerTypes)


class CompositeTrigger(shared.CompositeTrigger, Trigger, abc.ABC):
    """A trigger that fires when others do."""

    type: Literal["compound", "sequence"]
    triggers: list[AnyServerTrigger]
    within: timedelta | None = Field(...)

    @model_validator(mode="after")
    def _adopt_triggers(self) -> Self:
        for trigger in self.triggers:
            trigger.set_parent(self)
        return self

    def all_triggers(self) -> Sequence[Trigger]:
        return [self, *(inner for trigger in self.triggers for inner in trigger.all_triggers())]

    @property
    def child_trigger_ids(self) -> list[UUID]:
        """The ids of the triggers directly inside, in their order."""
        return [trigger.id for trigger in self.triggers]

    @property
    def num_expected_firings(self) -> int:
        """How many of the triggers inside have to fire."""
        return len(self.triggers)

    @abc.abstractmethod
    def ready_to_fire(self, firings: Sequence["Firing"]) -> bool:
        """Whether the trigger fires, given those firings of the triggers inside that are recent enough."""

    def create_automation_state_change_event(self, firing: "Firing", trigger_state: TriggerState) -> ReceivedEvent:
        return self._state_change_event(firing, trigger_state, {})


class CompoundTrigger(shared.CompoundTrigger, CompositeTrigger):
    """Fires when some, or all, of its triggers have fired."""

    triggers: list[AnyServerTrigger]
    within: timedelta | None = Field(...)

    @property
    def num_expected_firings(self) -> int:
        if isinstance(self.require, int):
            return self.require
        return 1 if self.require == "any" else len(self.triggers)

    def ready_to_fire(self, firings: Sequence["Firing"]) -> bool:
        return len({firing.trigger.id for firing in firings}) >= self.num_expected_firings


class SequenceTrigger(shared.SequenceTrigger, CompositeTrigger):
    """Fires when its triggers have fired in their order."""

    triggers: list[AnyServerTrigger]
    within: timedelta | None = Field(...)

    @property
    def expected_firing_order(self) -> list[UUID]:
        """The ids of the triggers inside, in the order in which they have to fire."""
        return self.child_trigger_ids

    def ready_to_fire(self, firings: Sequence["Firing"]) -> bool:
        in_order = sorted(firings, key=lambda firing: firing.triggered)
        return [firing.trigger.id for firing in in_order] == self.expected_firing_order


ServerTriggerTypes = Annotated[
    Annotated[EventTrigger, Tag("event")]
    | Annotated[CompoundTrigger, Tag("compound")]
    | Annotated[SequenceTrigger, Tag("sequence")],
    Discriminator(trigger_discriminator),
]
"""What this server can wait for."""

# -- automations -----------------------------------------------------------------------------------------------------


class AutomationCore(shared.AutomationFields):
    """What an automation waits for, and what it does then."""

    trigger: ServerTriggerTypes
    actions: list[ServerActionTypes]
    actions_on_trigger: list[ServerActionTypes] = Field(default_factory=list)
    actions_on_resolve: list[ServerActionTypes] = Field(default_factory=list)

    def triggers(self) -> Sequence[Trigger]:
        """The trigger, and all inside it."""
        return self.trigger.all_triggers()

    def triggers_of_type(self, trigger_type: type[T]) -> Sequence[T]:
        """Those of all triggers that are of one type."""
        return [trigger for trigger in self.triggers() if isinstance(trigger, trigger_type)]

    def trigger_by_id(self, trigger_id: UUID) -> Trigger | None:
        """The trigger that has an id, if there is one."""
        return next((trigger for trigger in self.triggers() if trigger.id == trigger_id), None)


class Automation(ObjectBaseModel, AutomationCore):
    """An automation."""

    @model_validator(mode="after")
    def _adopt_trigger(self) -> Self:
        self.trigger.set_parent(self)
        return self


class AutomationCreate(AutomationCore, ActionBaseModel):
    """An automation to be created."""

    owner_resource: str | None = None


class AutomationUpdate(AutomationCore, ActionBaseModel):
    """What an automation is to become, as a whole."""


class AutomationPartialUpdate(ActionBaseModel):
    """What changes about an automation."""

    enabled: bool = True


# -- firings ---------------------------------------------------------------------------------------------------------


def _require_trigger_state(states: set[TriggerState]) -> set[TriggerState]:
    if not states:
        raise ValueError("At least one trigger state must be provided")
    return states


class Firing(PrefectBaseModel):
    """That a trigger fired.

    Attributes:
        triggered: When it fired, by the clock of the server.
        triggering_labels: The values of the `for_each` labels.
        triggering_firings: Of a composite trigger, the firings that made it fire.
        triggering_event: The event that made it fire; there is none when it fired because none came.
    """

    id: UUID = Field(default_factory=uuid7)
    trigger: ServerTriggerTypes
    trigger_states: Annotated[set[TriggerState], AfterValidator(_require_trigger_state)]
    triggered: DateTime
    triggering_labels: dict[str, str] = Field(default_factory=dict)
    triggering_firings: list["Firing"] = Field(default_factory=list)
    triggering_event: ReceivedEvent | None = None
    triggering_value: Any | None = None

    def all_firings(self) -> Sequence["Firing"]:
        """The firing, and those that led to it."""
        return [self, *(inner for firing in self.triggering_firings for inner in firing.all_firings())]

    def all_events(self) -> Sequence[ReceivedEvent]:
        """The events that led to the firing, each once."""
        events = [firing.triggering_event for firing in self.all_firings() if firing.triggering_event is not None]
        return list({event.id: event for event in events}.values())


class TriggeredAction(PrefectBaseModel):
    """One action that is to be done because an automation fired.

    Attributes:
        id: Tells this invocation apart from others of the same action.
        action_index: The place of the action among all of the automation that are done this time.
        automation_triggered_event_id: The event that tells of the firing.
    """

    id: UUID = Field(default_factory=uuid7)
    automation: Automation
    firing: Firing | None = None
    triggered: DateTime
    triggering_labels: dict[str, str]
    triggering_event: ReceivedEvent | None
    action: ServerActionTypes
    action_index: int = 0
    automation_triggered_event_id: UUID | None = None

    def idempotency_key(self) -> str:
        """What makes sure that the action is done once, where what it does takes such a key."""
        return f"automation {self.automation.id}, action {self.action_index}, invocation {self.id}"

    def all_firings(self) -> Sequence[Firing]:
        """The firings that led to the action."""
        return self.firing.all_firings() if self.firing is not None else []

    def all_events(self) -> Sequence[ReceivedEvent]:
        """The events that led to the action, each once."""
        return self.firing.all_events() if self.firing is not None else []
