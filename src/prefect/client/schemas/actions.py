"""The requests that create and change things, one import path for all of them; each group loads when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.schemas._deployment_actions import (
        DeploymentBranch,
        DeploymentCreate,
        DeploymentScheduleCreate,
        DeploymentScheduleUpdate,
        DeploymentUpdate,
        NormalizedSchedule,
    )
    from prefect.client.schemas._object_actions import (
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
        GlobalConcurrencyLimitCreate,
        GlobalConcurrencyLimitUpdate,
        SavedSearchCreate,
        VariableCreate,
        VariableUpdate,
        WorkPoolCreate,
        WorkPoolUpdate,
        WorkQueueCreate,
        WorkQueueUpdate,
        validate_base_job_template,
    )
    from prefect.client.schemas._run_actions import (
        DeploymentFlowRunCreate,
        FlowCreate,
        FlowRunCreate,
        FlowRunUpdate,
        FlowUpdate,
        LogCreate,
        StateCreate,
        TaskRunCreate,
        TaskRunUpdate,
    )

_HOME = {
    "ArtifactCreate": "prefect.client.schemas._object_actions",
    "ArtifactUpdate": "prefect.client.schemas._object_actions",
    "BlockDocumentCreate": "prefect.client.schemas._object_actions",
    "BlockDocumentReferenceCreate": "prefect.client.schemas._object_actions",
    "BlockDocumentUpdate": "prefect.client.schemas._object_actions",
    "BlockSchemaCreate": "prefect.client.schemas._object_actions",
    "BlockTypeCreate": "prefect.client.schemas._object_actions",
    "BlockTypeUpdate": "prefect.client.schemas._object_actions",
    "ConcurrencyLimitCreate": "prefect.client.schemas._object_actions",
    "ConcurrencyLimitV2Create": "prefect.client.schemas._object_actions",
    "ConcurrencyLimitV2Update": "prefect.client.schemas._object_actions",
    "DeploymentBranch": "prefect.client.schemas._deployment_actions",
    "DeploymentCreate": "prefect.client.schemas._deployment_actions",
    "DeploymentFlowRunCreate": "prefect.client.schemas._run_actions",
    "DeploymentScheduleCreate": "prefect.client.schemas._deployment_actions",
    "DeploymentScheduleUpdate": "prefect.client.schemas._deployment_actions",
    "DeploymentUpdate": "prefect.client.schemas._deployment_actions",
    "FlowCreate": "prefect.client.schemas._run_actions",
    "FlowRunCreate": "prefect.client.schemas._run_actions",
    "FlowRunUpdate": "prefect.client.schemas._run_actions",
    "FlowUpdate": "prefect.client.schemas._run_actions",
    "GlobalConcurrencyLimitCreate": "prefect.client.schemas._object_actions",
    "GlobalConcurrencyLimitUpdate": "prefect.client.schemas._object_actions",
    "LogCreate": "prefect.client.schemas._run_actions",
    "NormalizedSchedule": "prefect.client.schemas._deployment_actions",
    "SavedSearchCreate": "prefect.client.schemas._object_actions",
    "StateCreate": "prefect.client.schemas._run_actions",
    "TaskRunCreate": "prefect.client.schemas._run_actions",
    "TaskRunUpdate": "prefect.client.schemas._run_actions",
    "VariableCreate": "prefect.client.schemas._object_actions",
    "VariableUpdate": "prefect.client.schemas._object_actions",
    "WorkPoolCreate": "prefect.client.schemas._object_actions",
    "WorkPoolUpdate": "prefect.client.schemas._object_actions",
    "WorkQueueCreate": "prefect.client.schemas._object_actions",
    "WorkQueueUpdate": "prefect.client.schemas._object_actions",
    "validate_base_job_template": "prefect.client.schemas._object_actions",
}
"""Where each name is defined."""

__all__ = [
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
    "DeploymentBranch",
    "DeploymentCreate",
    "DeploymentFlowRunCreate",
    "DeploymentScheduleCreate",
    "DeploymentScheduleUpdate",
    "DeploymentUpdate",
    "FlowCreate",
    "FlowRunCreate",
    "FlowRunUpdate",
    "FlowUpdate",
    "GlobalConcurrencyLimitCreate",
    "GlobalConcurrencyLimitUpdate",
    "LogCreate",
    "NormalizedSchedule",
    "SavedSearchCreate",
    "StateCreate",
    "TaskRunCreate",
    "TaskRunUpdate",
    "VariableCreate",
    "VariableUpdate",
    "WorkPoolCreate",
    "WorkPoolUpdate",
    "WorkQueueCreate",
    "WorkQueueUpdate",
    "validate_base_job_template",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
