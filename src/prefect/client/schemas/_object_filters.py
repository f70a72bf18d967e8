"""What blocks, work pools, artifacts and variables can be narrowed down by."""

from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import publish
from prefect.client.schemas._filter_base import PrefectFilterBaseModel, PrefectOperatorFilterBaseModel
from prefect.client.schemas._work_pools import WorkerStatus
from prefect.types import DateTime

__all__ = [
    "ArtifactCollectionFilter",
    "ArtifactCollectionFilterFlowRunId",
    "ArtifactCollectionFilterKey",
    "ArtifactCollectionFilterLatestId",
    "ArtifactCollectionFilterTaskRunId",
    "ArtifactCollectionFilterType",
    "ArtifactFilter",
    "ArtifactFilterFlowRunId",
    "ArtifactFilterId",
    "ArtifactFilterKey",
    "ArtifactFilterTaskRunId",
    "ArtifactFilterType",
    "BlockDocumentFilter",
    "BlockDocumentFilterBlockTypeId",
    "BlockDocumentFilterId",
    "BlockDocumentFilterIsAnonymous",
    "BlockDocumentFilterName",
    "BlockSchemaFilter",
    "BlockSchemaFilterBlockTypeId",
    "BlockSchemaFilterCapabilities",
    "BlockSchemaFilterId",
    "BlockSchemaFilterVersion",
    "BlockTypeFilter",
    "BlockTypeFilterName",
    "BlockTypeFilterSlug",
    "VariableFilter",
    "VariableFilterId",
    "VariableFilterName",
    "VariableFilterTags",
    "WorkPoolFilter",
    "WorkPoolFilterId",
    "WorkPoolFilterName",
    "WorkPoolFilterType",
    "WorkQueueFilter",
    "WorkQueueFilterId",
    "WorkQueueFilterName",
    "WorkerFilter",
    "WorkerFilterLastHeartbeatTime",
    "WorkerFilterStatus",
    "WorkerFilterWorkPoolId",
]

# -- blocks --------------------------------------------------------------------------------------------------------------


class BlockTypeFilterName(PrefectFilterBaseModel):
    """By the name of the block type."""

    like_: str | None = None


class BlockTypeFilterSlug(PrefectFilterBaseModel):
    """By the slug of the block type."""

    any_: list[str] | None = None


class BlockTypeFilter(PrefectFilterBaseModel):
    """Which block types."""

    name: BlockTypeFilterName | None = None
    slug: BlockTypeFilterSlug | None = None


class BlockSchemaFilterBlockTypeId(PrefectFilterBaseModel):
    """By the type of the block schema."""

    any_: list[UUID] | None = None


class BlockSchemaFilterId(PrefectFilterBaseModel):
    """By the id of the block schema."""

    any_: list[UUID] | None = None


class BlockSchemaFilterCapabilities(PrefectFilterBaseModel):
    """By what blocks of the schema can do."""

    all_: list[str] | None = None


class BlockSchemaFilterVersion(PrefectFilterBaseModel):
    """By the version of the block schema."""

    any_: list[str] | None = None


class BlockSchemaFilter(PrefectOperatorFilterBaseModel):
    """Which block schemas."""

    block_type_id: BlockSchemaFilterBlockTypeId | None = None
    block_capabilities: BlockSchemaFilterCapabilities | None = None
    id: BlockSchemaFilterId | None = None
    version: BlockSchemaFilterVersion | None = None


class BlockDocumentFilterIsAnonymous(PrefectFilterBaseModel):
    """By whether the block document is anonymous."""

    eq_: bool | None = None


class BlockDocumentFilterBlockTypeId(PrefectFilterBaseModel):
    """By the type of the block document."""

    any_: list[UUID] | None = None


class BlockDocumentFilterId(PrefectFilterBaseModel):
    """By the id of the block document."""

    any_: list[UUID] | None = None


class BlockDocumentFilterName(PrefectFilterBaseModel):
    """By the name of the block document."""

    any_: list[str] | None = None
    like_: str | None = None


class BlockDocumentFilter(PrefectOperatorFilterBaseModel):
    """Which block documents; by default, anonymous ones are left out."""

    id: BlockDocumentFilterId | None = None
    is_anonymous: BlockDocumentFilterIsAnonymous | None = Field(
        default_factory=lambda: BlockDocumentFilterIsAnonymous(eq_=False)
    )
    block_type_id: BlockDocumentFilterBlockTypeId | None = None
    name: BlockDocumentFilterName | None = None


# -- work pools, queues and workers --------------------------------------------------------------------------------------


class WorkQueueFilterId(PrefectFilterBaseModel):
    """By the id of the work queue."""

    any_: list[UUID] | None = None


class WorkQueueFilterName(PrefectFilterBaseModel):
    """By the name of the work queue."""

    any_: list[str] | None = None
    startswith_: list[str] | None = None


class WorkQueueFilter(PrefectOperatorFilterBaseModel):
    """Which work queues."""

    id: WorkQueueFilterId | None = None
    name: WorkQueueFilterName | None = None


class WorkPoolFilterId(PrefectFilterBaseModel):
    """By the id of the work pool."""

    any_: list[UUID] | None = None


class WorkPoolFilterName(PrefectFilterBaseModel):
    """By the name of the work pool."""

    any_: list[str] | None = None


class WorkPoolFilterType(PrefectFilterBaseModel):
    """By the type of the work pool."""

    any_: list[str] | None = None


class WorkPoolFilter(PrefectOperatorFilterBaseModel):
    """Which work pools."""

    id: WorkPoolFilterId | None = None
    name: WorkPoolFilterName | None = None
    type: WorkPoolFilterType | None = None


class WorkerFilterWorkPoolId(PrefectFilterBaseModel):
    """By the work pool of the worker."""

    any_: list[UUID] | None = None


class WorkerFilterStatus(PrefectFilterBaseModel):
    """By the status of the worker."""

    any_: list[WorkerStatus] | None = None
    not_any_: list[WorkerStatus] | None = None


class WorkerFilterLastHeartbeatTime(PrefectFilterBaseModel):
    """By the time at which the worker was last heard of."""

    before_: DateTime | None = None
    after_: DateTime | None = None


class WorkerFilter(PrefectOperatorFilterBaseModel):
    """Which workers."""

    last_heartbeat_time: WorkerFilterLastHeartbeatTime | None = None
    status: WorkerFilterStatus | None = None


# -- artifacts -----------------------------------------------------------------------------------------------------------


class ArtifactFilterId(PrefectFilterBaseModel):
    """By the id of the artifact."""

    any_: list[UUID] | None = None


class ArtifactFilterKey(PrefectFilterBaseModel):
    """By the key of the artifact."""

    any_: list[str] | None = None
    like_: str | None = None
    exists_: bool | None = None


class ArtifactFilterFlowRunId(PrefectFilterBaseModel):
    """By the flow run of the artifact."""

    any_: list[UUID] | None = None


class ArtifactFilterTaskRunId(PrefectFilterBaseModel):
    """By the task run of the artifact."""

    any_: list[UUID] | None = None


class ArtifactFilterType(PrefectFilterBaseModel):
    """By the type of the artifact."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class ArtifactFilter(PrefectOperatorFilterBaseModel):
    """Which artifacts."""

    id: ArtifactFilterId | None = None
    key: ArtifactFilterKey | None = None
    flow_run_id: ArtifactFilterFlowRunId | None = None
    task_run_id: ArtifactFilterTaskRunId | None = None
    type: ArtifactFilterType | None = None


class ArtifactCollectionFilterLatestId(PrefectFilterBaseModel):
    """By the id of the latest artifact."""

    any_: list[UUID] | None = None


class ArtifactCollectionFilterKey(PrefectFilterBaseModel):
    """By the key of the latest artifact."""

    any_: list[str] | None = None
    like_: str | None = None
    exists_: bool | None = None


class ArtifactCollectionFilterFlowRunId(PrefectFilterBaseModel):
    """By the flow run of the latest artifact."""

    any_: list[UUID] | None = None


class ArtifactCollectionFilterTaskRunId(PrefectFilterBaseModel):
    """By the task run of the latest artifact."""

    any_: list[UUID] | None = None


class ArtifactCollectionFilterType(PrefectFilterBaseModel):
    """By the type of the latest artifact."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class ArtifactCollectionFilter(PrefectOperatorFilterBaseModel):
    """Which keys of artifacts, by the latest artifact of each."""

    latest_id: ArtifactCollectionFilterLatestId | None = None
    key: ArtifactCollectionFilterKey | None = None
    flow_run_id: ArtifactCollectionFilterFlowRunId | None = None
    task_run_id: ArtifactCollectionFilterTaskRunId | None = None
    type: ArtifactCollectionFilterType | None = None


# -- variables -----------------------------------------------------------------------------------------------------------


class VariableFilterId(PrefectFilterBaseModel):
    """By the id of the variable."""

    any_: list[UUID] | None = None


class VariableFilterName(PrefectFilterBaseModel):
    """By the name of the variable."""

    any_: list[str] | None = None
    like_: str | None = None


class VariableFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the variable."""

    all_: list[str] | None = None
    is_null_: bool | None = None


class VariableFilter(PrefectOperatorFilterBaseModel):
    """Which variables."""

    id: VariableFilterId | None = None
    name: VariableFilterName | None = None
    tags: VariableFilterTags | None = None


publish(globals(), __all__, "prefect.client.schemas.filters")
