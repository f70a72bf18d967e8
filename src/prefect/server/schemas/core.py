"""The models of what the server stores; those that clients know load when they are used."""

from typing import TYPE_CHECKING, Any

from prefect.client.schemas import objects
from prefect.client.schemas._base import ObjectBaseModel
from prefect.types import KeyValueLabels, Name

if TYPE_CHECKING:
    from prefect.client.schemas.objects import (
        DEFAULT_BLOCK_SCHEMA_VERSION,
        Agent,
        Artifact,
        ArtifactCollection,
        BlockDocument,
        BlockDocumentReference,
        BlockSchema,
        BlockSchemaReference,
        BlockType,
        ConcurrencyLimit,
        ConcurrencyLimitStrategy,
        ConcurrencyOptions,
        Configuration,
        Constant,
        CreatedBy,
        CsrfToken,
        Deployment,
        DeploymentSchedule,
        Flow,
        FlowRun,
        FlowRunInput,
        FlowRunPolicy,
        FlowRunResult,
        Log,
        Parameter,
        QueueFilter,
        RunInput,
        SavedSearch,
        SavedSearchFilter,
        ServerDefaultResultStorage,
        ServerDefaultResultStorageUpdate,
        TaskRun,
        TaskRunPolicy,
        TaskRunResult,
        UpdatedBy,
        Variable,
        VersionInfo,
        Worker,
        WorkPool,
        WorkPoolStorageConfiguration,
        WorkQueue,
        WorkQueueHealthPolicy,
        WorkQueueStatusDetail,
    )

__all__ = [
    "DEFAULT_BLOCK_SCHEMA_VERSION",
    "Agent",
    "Artifact",
    "ArtifactCollection",
    "BlockDocument",
    "BlockDocumentReference",
    "BlockSchema",
    "BlockSchemaReference",
    "BlockType",
    "ConcurrencyLimit",
    "ConcurrencyLimitStrategy",
    "ConcurrencyLimitV2",
    "ConcurrencyOptions",
    "Configuration",
    "Constant",
    "CreatedBy",
    "CsrfToken",
    "Deployment",
    "DeploymentSchedule",
    "Flow",
    "FlowRun",
    "FlowRunInput",
    "FlowRunPolicy",
    "FlowRunResult",
    "KeyValueLabels",
    "Log",
    "Parameter",
    "QueueFilter",
    "RunInput",
    "SavedSearch",
    "SavedSearchFilter",
    "ServerDefaultResultStorage",
    "ServerDefaultResultStorageUpdate",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
    "UpdatedBy",
    "Variable",
    "VersionInfo",
    "WorkPool",
    "WorkPoolStorageConfiguration",
    "WorkQueue",
    "WorkQueueHealthPolicy",
    "WorkQueueStatusDetail",
    "Worker",
]


class ConcurrencyLimitV2(ObjectBaseModel):
    """A global limit, with all that the server knows of it.

    Attributes:
        denied_slots: How many slots were asked for in vain since one was last free.
        slot_decay_per_second: How many slots come free by themselves each second.
        avg_slot_occupancy_seconds: How long a slot is held, on average.
    """

    active: bool = True
    name: Name
    limit: int
    active_slots: int = 0
    denied_slots: int = 0
    slot_decay_per_second: float = 0
    avg_slot_occupancy_seconds: float = 2.0


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(objects, name)
    return value
