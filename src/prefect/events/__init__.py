"""Events and automations: their models, and what sends and receives them. Each name loads when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.events.actions import (
        Action,
        ActionTypes,
        CallWebhook,
        CancelFlowRun,
        ChangeFlowRunState,
        DeclareIncident,
        DeleteFlowRun,
        DoNothing,
        PauseAutomation,
        PauseDeployment,
        PauseWorkPool,
        PauseWorkQueue,
        ResumeAutomation,
        ResumeDeployment,
        ResumeWorkPool,
        ResumeWorkQueue,
        RunDeployment,
        SendNotification,
        SuspendFlowRun,
    )
    from prefect.events.clients import get_events_client, get_events_subscriber
    from prefect.events.schemas.automations import (
        Automation,
        AutomationCore,
        CompositeTrigger,
        CompoundTrigger,
        EventTrigger,
        MetricTrigger,
        MetricTriggerOperator,
        MetricTriggerQuery,
        Posture,
        ResourceTrigger,
        SequenceTrigger,
        Trigger,
        TriggerTypes,
    )
    from prefect.events.schemas.deployment_triggers import (
        DeploymentCompoundTrigger,
        DeploymentEventTrigger,
        DeploymentMetricTrigger,
        DeploymentSequenceTrigger,
        DeploymentTriggerTypes,
    )
    from prefect.events.schemas.events import (
        Event,
        ReceivedEvent,
        RelatedResource,
        Resource,
        ResourceSpecification,
    )
    from prefect.events.subscribers import FlowRunSubscriber
    from prefect.events.utilities import emit_event

__all__ = [
    "Action",
    "ActionTypes",
    "Automation",
    "AutomationCore",
    "CallWebhook",
    "CancelFlowRun",
    "ChangeFlowRunState",
    "CompositeTrigger",
    "CompoundTrigger",
    "DeclareIncident",
    "DeleteFlowRun",
    "DeploymentCompoundTrigger",
    "DeploymentEventTrigger",
    "DeploymentMetricTrigger",
    "DeploymentSequenceTrigger",
    "DeploymentTriggerTypes",
    "DoNothing",
    "Event",
    "EventTrigger",
    "FlowRunSubscriber",
    "MetricTrigger",
    "MetricTriggerOperator",
    "MetricTriggerQuery",
    "PauseAutomation",
    "PauseDeployment",
    "PauseWorkPool",
    "PauseWorkQueue",
    "Posture",
    "ReceivedEvent",
    "RelatedResource",
    "Resource",
    "ResourceSpecification",
    "ResourceTrigger",
    "ResumeAutomation",
    "ResumeDeployment",
    "ResumeWorkPool",
    "ResumeWorkQueue",
    "RunDeployment",
    "SendNotification",
    "SequenceTrigger",
    "SuspendFlowRun",
    "Trigger",
    "TriggerTypes",
    "emit_event",
    "get_events_client",
    "get_events_subscriber",
]

_GROUPS = {
    "prefect.events.actions": (
        "Action",
        "ActionTypes",
        "CallWebhook",
        "CancelFlowRun",
        "ChangeFlowRunState",
        "DeclareIncident",
        "DeleteFlowRun",
        "DoNothing",
        "PauseAutomation",
        "PauseDeployment",
        "PauseWorkPool",
        "PauseWorkQueue",
        "ResumeAutomation",
        "ResumeDeployment",
        "ResumeWorkPool",
        "ResumeWorkQueue",
        "RunDeployment",
        "SendNotification",
        "SuspendFlowRun",
    ),
    "prefect.events.clients": (
        "get_events_client",
        "get_events_subscriber",
    ),
    "prefect.events.schemas.automations": (
        "Automation",
        "AutomationCore",
        "CompositeTrigger",
        "CompoundTrigger",
        "EventTrigger",
        "MetricTrigger",
        "MetricTriggerOperator",
        "MetricTriggerQuery",
        "Posture",
        "ResourceTrigger",
        "SequenceTrigger",
        "Trigger",
        "TriggerTypes",
    ),
    "prefect.events.schemas.deployment_triggers": (
        "DeploymentCompoundTrigger",
        "DeploymentEventTrigger",
        "DeploymentMetricTrigger",
        "DeploymentSequenceTrigger",
        "DeploymentTriggerTypes",
    ),
    "prefect.events.schemas.events": (
        "Event",
        "ReceivedEvent",
        "RelatedResource",
        "Resource",
        "ResourceSpecification",
    ),
    "prefect.events.subscribers": ("FlowRunSubscriber",),
    "prefect.events.utilities": ("emit_event",),
}
_HOME = {name: module for module, names in _GROUPS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
