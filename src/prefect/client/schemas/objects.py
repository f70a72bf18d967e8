"""The models of everything that the API stores, one import path for all of them; each group loads when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.schemas._blocks import (
        DEFAULT_BLOCK_SCHEMA_VERSION,
        BlockDocument,
        BlockDocumentReference,
        BlockSchema,
        BlockSchemaReference,
        BlockType,
    )
    from prefect.client.schemas._cloud import (
        IPAllowlist,
        IPAllowlistEntry,
        IPAllowlistMyAccessResponse,
        Workspace,
    )
    from prefect.client.schemas._deployments import (
        BranchingScheduleHandling,
        ConcurrencyLeaseHolder,
        ConcurrencyLimit,
        ConcurrencyLimitConfig,
        ConcurrencyLimitStrategy,
        ConcurrencyOptions,
        Deployment,
        DeploymentBranchingOptions,
        DeploymentSchedule,
        DeploymentStatus,
        GlobalConcurrencyLimit,
        VersionInfo,
    )
    from prefect.client.schemas._records import (
        Artifact,
        ArtifactCollection,
        Configuration,
        CsrfToken,
        SavedSearch,
        SavedSearchFilter,
        ServerDefaultResultStorage,
        ServerDefaultResultStorageUpdate,
        Variable,
    )
    from prefect.client.schemas._runs import (
        CreatedBy,
        Flow,
        FlowRun,
        FlowRunInput,
        FlowRunPolicy,
        Log,
        TaskRun,
        TaskRunPolicy,
        UpdatedBy,
    )
    from prefect.client.schemas._states import (
        TERMINAL_STATES,
        Constant,
        FlowRunResult,
        Parameter,
        RunInput,
        RunType,
        State,
        StateDetails,
        StateType,
        TaskRunResult,
        data_discriminator,
    )
    from prefect.client.schemas._work_pools import (
        DEFAULT_AGENT_WORK_POOL_NAME,
        Agent,
        Integration,
        QueueFilter,
        Worker,
        WorkerMetadata,
        WorkerStatus,
        WorkPool,
        WorkPoolStatus,
        WorkPoolStorageConfiguration,
        WorkQueue,
        WorkQueueHealthPolicy,
        WorkQueueStatus,
        WorkQueueStatusDetail,
    )

__all__ = [
    "DEFAULT_AGENT_WORK_POOL_NAME",
    "DEFAULT_BLOCK_SCHEMA_VERSION",
    "TERMINAL_STATES",
    "Agent",
    "Artifact",
    "ArtifactCollection",
    "BlockDocument",
    "BlockDocumentReference",
    "BlockSchema",
    "BlockSchemaReference",
    "BlockType",
    "BranchingScheduleHandling",
    "ConcurrencyLeaseHolder",
    "ConcurrencyLimit",
    "ConcurrencyLimitConfig",
    "ConcurrencyLimitStrategy",
    "ConcurrencyOptions",
    "Configuration",
    "Constant",
    "CreatedBy",
    "CsrfToken",
    "Deployment",
    "DeploymentBranchingOptions",
    "DeploymentSchedule",
    "DeploymentStatus",
    "Flow",
    "FlowRun",
    "FlowRunInput",
    "FlowRunPolicy",
    "FlowRunResult",
    "GlobalConcurrencyLimit",
    "IPAllowlist",
    "IPAllowlistEntry",
    "IPAllowlistMyAccessResponse",
    "Integration",
    "Log",
    "Parameter",
    "QueueFilter",
    "RunInput",
    "RunType",
    "SavedSearch",
    "SavedSearchFilter",
    "ServerDefaultResultStorage",
    "ServerDefaultResultStorageUpdate",
    "State",
    "StateDetails",
    "StateType",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
    "UpdatedBy",
    "Variable",
    "VersionInfo",
    "WorkPool",
    "WorkPoolStatus",
    "WorkPoolStorageConfiguration",
    "WorkQueue",
    "WorkQueueHealthPolicy",
    "WorkQueueStatus",
    "WorkQueueStatusDetail",
    "Worker",
    "WorkerMetadata",
    "WorkerStatus",
    "Workspace",
    "data_discriminator",
]

_GROUPS = {
    "prefect.client.schemas._states": (
        "TERMINAL_STATES",
        "Constant",
        "FlowRunResult",
        "Parameter",
        "RunInput",
        "RunType",
        "State",
        "StateDetails",
        "StateType",
        "TaskRunResult",
        "data_discriminator",
    ),
    "prefect.client.schemas._runs": (
        "CreatedBy",
        "Flow",
        "FlowRun",
        "FlowRunInput",
        "FlowRunPolicy",
        "Log",
        "TaskRun",
        "TaskRunPolicy",
        "UpdatedBy",
    ),
    "prefect.client.schemas._deployments": (
        "BranchingScheduleHandling",
        "ConcurrencyLeaseHolder",
        "ConcurrencyLimit",
        "ConcurrencyLimitConfig",
        "ConcurrencyLimitStrategy",
        "ConcurrencyOptions",
        "Deployment",
        "DeploymentBranchingOptions",
        "DeploymentSchedule",
        "DeploymentStatus",
        "GlobalConcurrencyLimit",
        "VersionInfo",
    ),
    "prefect.client.schemas._work_pools": (
        "DEFAULT_AGENT_WORK_POOL_NAME",
        "Agent",
        "Integration",
        "QueueFilter",
        "WorkPool",
        "WorkPoolStatus",
        "WorkPoolStorageConfiguration",
        "WorkQueue",
        "WorkQueueHealthPolicy",
        "WorkQueueStatus",
        "WorkQueueStatusDetail",
        "Worker",
        "WorkerMetadata",
        "WorkerStatus",
    ),
    "prefect.client.schemas._blocks": (
        "DEFAULT_BLOCK_SCHEMA_VERSION",
        "BlockDocument",
        "BlockDocumentReference",
        "BlockSchema",
        "BlockSchemaReference",
        "BlockType",
    ),
    "prefect.client.schemas._records": (
        "Artifact",
        "ArtifactCollection",
        "Configuration",
        "CsrfToken",
        "SavedSearch",
        "SavedSearchFilter",
        "ServerDefaultResultStorage",
        "ServerDefaultResultStorageUpdate",
        "Variable",
    ),
    "prefect.client.schemas._cloud": (
        "IPAllowlist",
        "IPAllowlistEntry",
        "IPAllowlistMyAccessResponse",
        "Workspace",
    ),
}
_HOME = {name: module for module, names in _GROUPS.items() for name in names}
_REMOVED = frozenset({"MinimalDeploymentSchedule"})


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value
    if name in _REMOVED:
        from prefect.exceptions import PrefectImportError  # noqa: PLC0415 - nobody imports it in working code

        raise PrefectImportError(f"`{__name__}:{name}` has been removed. Use `prefect.schedules` instead.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
