"""The requests that create and change things."""

from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import to_json

from prefect.client.schemas._base import ActionBaseModel
from prefect.client.schemas.actions import (
    ArtifactCreate,
    ArtifactUpdate,
    BlockDocumentCreate,
    BlockDocumentReferenceCreate,
    BlockDocumentUpdate,
    BlockSchemaCreate,
    BlockTypeCreate,
    BlockTypeUpdate,
    ConcurrencyLimitCreate,
    ConcurrencyLimitV2Create,
    ConcurrencyLimitV2Update,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
    FlowCreate,
    FlowRunCreate,
    FlowRunUpdate,
    FlowUpdate,
    LogCreate,
    NormalizedSchedule,
    SavedSearchCreate,
    StateCreate,
    TaskRunCreate,
    TaskRunUpdate,
    VariableCreate,
    VariableUpdate,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueueCreate,
    WorkQueueUpdate,
    validate_base_job_template,
)

__all__ = [
    "ActionBaseModel",
    "ArtifactCreate",
    "ArtifactUpdate",
    "BlockDocumentCreate",
    "BlockDocumentReferenceCreate",
    "BlockDocumentUpdate",
    "BlockSchemaCreate",
    "BlockTypeCreate",
    "BlockTypeUpdate",
    "ConcurrencyLimitCreate",
    "ConcurrencyLimitV2Create",
    "ConcurrencyLimitV2Update",
    "DeploymentCreate",
    "DeploymentFlowRunCreate",
    "DeploymentScheduleCreate",
    "DeploymentScheduleUpdate",
    "DeploymentUpdate",
    "FlowCreate",
    "FlowRunCreate",
    "FlowRunUpdate",
    "FlowUpdate",
    "LogCreate",
    "NormalizedSchedule",
    "SavedSearchCreate",
    "SizedParameters",
    "StateCreate",
    "TaskRunCreate",
    "TaskRunUpdate",
    "VariableCreate",
    "VariableUpdate",
    "WorkPoolCreate",
    "WorkPoolUpdate",
    "WorkQueueCreate",
    "WorkQueueUpdate",
    "require_small_parameters",
    "validate_base_job_template",
]


def require_small_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run if they are no larger than the server accepts.

    Raises:
        ValueError: As JSON they have more bytes than `server.api.max_parameter_size`.
    """
    from prefect.settings import get_current_settings  # noqa: PLC0415 - models must not load the settings on import

    maximum = get_current_settings().server.api.max_parameter_size
    if maximum > 0 and parameters and (size := len(to_json(parameters, fallback=str))) > maximum:
        raise ValueError(
            f"Flow run parameters must be less than {maximum:,} bytes when serialized (got {size:,} bytes)."
        )
    return parameters


SizedParameters = Annotated[dict[str, Any], AfterValidator(require_small_parameters)]
