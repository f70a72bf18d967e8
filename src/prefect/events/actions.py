"""What an automation does when it fires."""

# pyright: reportIncompatibleVariableOverride=false
# Each model narrows the key that tells it apart from the others; models are not changed after they are made.

import abc
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import to_json
from typing_extensions import Self

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._states import StateType
from prefect.types import NonNegativeTimeDelta


class Action(PrefectBaseModel, abc.ABC):
    """Something that an automation does."""

    type: str

    def describe_for_cli(self) -> str:
        """The action in a few words."""
        return self.type.replace("-", " ").capitalize()


class DoNothing(Action):
    """Do nothing, for automations that only have to be seen firing."""

    type: Literal["do-nothing"] = "do-nothing"


def _require_id_if_selected(source: str, name: str, value: UUID | None) -> None:
    if source == "selected" and value is None:
        raise ValueError(f"{name} is required: the source is 'selected'.")
    if source == "inferred" and value is not None:
        raise ValueError(f"{name} is not allowed: the source is 'inferred', got {str(value)!r}.")


# -- deployments -----------------------------------------------------------------------------------------------------


class DeploymentAction(Action):
    """Does something to a deployment: a selected one, or the one that the event is about."""

    source: Literal["selected", "inferred"] = "selected"
    deployment_id: UUID | None = None

    @model_validator(mode="after")
    def _require_deployment_if_selected(self) -> Self:
        _require_id_if_selected(self.source, "deployment_id", self.deployment_id)
        return self


class RunDeployment(DeploymentAction):
    """Run a deployment.

    Attributes:
        parameters: Parameters that differ from those of the deployment; texts in them may be templates.
        job_variables: Job variables that differ from those of the deployment.
        schedule_after: How long after the firing the run is to start; seconds in JSON.
    """

    type: Literal["run-deployment"] = "run-deployment"
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: NonNegativeTimeDelta = timedelta(0)


class PauseDeployment(DeploymentAction):
    """Pause the schedules of a deployment."""

    type: Literal["pause-deployment"] = "pause-deployment"


class ResumeDeployment(DeploymentAction):
    """Resume the schedules of a deployment."""

    type: Literal["resume-deployment"] = "resume-deployment"


# -- flow runs -------------------------------------------------------------------------------------------------------


class ChangeFlowRunState(Action):
    """Set the state of the flow run that the event is about."""

    type: Literal["change-flow-run-state"] = "change-flow-run-state"
    name: str | None = None
    state: StateType
    message: str | None = None
    force: bool = False


class CancelFlowRun(Action):
    """Cancel the flow run that the event is about."""

    type: Literal["cancel-flow-run"] = "cancel-flow-run"


class ResumeFlowRun(Action):
    """Resume the flow run that the event is about."""

    type: Literal["resume-flow-run"] = "resume-flow-run"


class SuspendFlowRun(Action):
    """Suspend the flow run that the event is about."""

    type: Literal["suspend-flow-run"] = "suspend-flow-run"


class DeleteFlowRun(Action):
    """Delete the flow run that the event is about."""

    type: Literal["delete-flow-run"] = "delete-flow-run"


# -- messages --------------------------------------------------------------------------------------------------------


def _write_as_text(payload: Any) -> Any:
    return to_json(payload, indent=2).decode() if isinstance(payload, dict | list) else payload


class CallWebhook(Action):
    """Call a webhook.

    Attributes:
        block_document_id: The webhook block.
        payload: The body, as a template; an object is kept as its JSON text.
    """

    type: Literal["call-webhook"] = "call-webhook"
    block_document_id: UUID
    payload: Annotated[str, BeforeValidator(_write_as_text)] = ""


class SendNotification(Action):
    """Send a message through a notification block; subject and body are templates."""

    type: Literal["send-notification"] = "send-notification"
    block_document_id: UUID
    subject: str = "Prefect automated notification"
    body: str


# -- work pools and queues -------------------------------------------------------------------------------------------


class WorkPoolAction(Action):
    """Does something to a work pool: a selected one, or the one that the event is about."""

    source: Literal["selected", "inferred"] = "selected"
    work_pool_id: UUID | None = None

    @model_validator(mode="after")
    def _require_work_pool_if_selected(self) -> Self:
        _require_id_if_selected(self.source, "work_pool_id", self.work_pool_id)
        return self


class PauseWorkPool(WorkPoolAction):
    """Pause a work pool."""

    type: Literal["pause-work-pool"] = "pause-work-pool"


class ResumeWorkPool(WorkPoolAction):
    """Resume a work pool."""

    type: Literal["resume-work-pool"] = "resume-work-pool"


class WorkQueueAction(Action):
    """Does something to a work queue: a selected one, or the one that the event is about."""

    source: Literal["selected", "inferred"] = "selected"
    work_queue_id: UUID | None = None

    @model_validator(mode="after")
    def _require_work_queue_if_selected(self) -> Self:
        _require_id_if_selected(self.source, "work_queue_id", self.work_queue_id)
        return self


class PauseWorkQueue(WorkQueueAction):
    """Pause a work queue."""

    type: Literal["pause-work-queue"] = "pause-work-queue"


class ResumeWorkQueue(WorkQueueAction):
    """Resume a work queue."""

    type: Literal["resume-work-queue"] = "resume-work-queue"


# -- automations -----------------------------------------------------------------------------------------------------


class AutomationAction(Action):
    """Does something to an automation: a selected one, or the one that the event is about."""

    source: Literal["selected", "inferred"] = "selected"
    automation_id: UUID | None = None

    @model_validator(mode="after")
    def _require_automation_if_selected(self) -> Self:
        _require_id_if_selected(self.source, "automation_id", self.automation_id)
        return self


class PauseAutomation(AutomationAction):
    """Disable an automation."""

    type: Literal["pause-automation"] = "pause-automation"


class ResumeAutomation(AutomationAction):
    """Enable an automation."""

    type: Literal["resume-automation"] = "resume-automation"


class DeclareIncident(Action):
    """Declare an incident; only the cloud product can."""

    type: Literal["declare-incident"] = "declare-incident"


ActionTypes = Annotated[
    DoNothing
    | RunDeployment
    | PauseDeployment
    | ResumeDeployment
    | ResumeFlowRun
    | CancelFlowRun
    | DeleteFlowRun
    | ChangeFlowRunState
    | PauseWorkQueue
    | ResumeWorkQueue
    | SendNotification
    | CallWebhook
    | PauseAutomation
    | ResumeAutomation
    | SuspendFlowRun
    | PauseWorkPool
    | ResumeWorkPool
    | DeclareIncident,
    Field(discriminator="type"),
]
