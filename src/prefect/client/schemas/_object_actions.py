"""The requests that create and change limits, work pools, blocks, artifacts, variables and searches."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from prefect.client.schemas._base import ActionBaseModel, publish
from prefect.client.schemas._blocks import DEFAULT_BLOCK_SCHEMA_VERSION, require_name_unless_anonymous
from prefect.client.schemas._records import ArtifactMetadata, SavedSearchFilter, artifact_fields_from_result
from prefect.client.schemas._work_pools import QueueFilter, WorkPoolStorageConfiguration
from prefect.types import (
    DateTime,
    LaxUrl,
    Name,
    NonEmptyishName,
    NonNegativeFloat,
    NonNegativeInteger,
    PositiveInteger,
    StrictVariableValue,
)
from prefect.types.names import ArtifactKey, BlockDocumentName, BlockTypeSlug, VariableName

# -- limits ----------------------------------------------------------------------------------------------------------

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
    "GlobalConcurrencyLimitCreate",
    "GlobalConcurrencyLimitUpdate",
    "SavedSearchCreate",
    "VariableCreate",
    "VariableUpdate",
    "WorkPoolCreate",
    "WorkPoolUpdate",
    "WorkQueueCreate",
    "WorkQueueUpdate",
    "validate_base_job_template",
]


class ConcurrencyLimitCreate(ActionBaseModel):
    """A limit on how many task runs with a tag may go at once."""

    tag: str
    concurrency_limit: int


class ConcurrencyLimitV2Create(ActionBaseModel):
    """A global limit to be created."""

    active: bool = True
    name: Name
    limit: NonNegativeInteger
    active_slots: NonNegativeInteger = 0
    denied_slots: NonNegativeInteger = 0
    slot_decay_per_second: NonNegativeFloat = 0


class ConcurrencyLimitV2Update(ActionBaseModel):
    """What changes about a global limit; only what is given changes."""

    active: bool | None = None
    name: Name | None = None
    limit: NonNegativeInteger | None = None
    active_slots: NonNegativeInteger | None = None
    denied_slots: NonNegativeInteger | None = None
    slot_decay_per_second: NonNegativeFloat | None = None


class GlobalConcurrencyLimitCreate(ActionBaseModel):
    """A global limit to be created, as the SDK writes it."""

    name: Name
    limit: NonNegativeInteger
    active: bool | None = True
    active_slots: NonNegativeInteger | None = 0
    slot_decay_per_second: NonNegativeFloat | None = 0.0


class GlobalConcurrencyLimitUpdate(ActionBaseModel):
    """What changes about a global limit, as the SDK writes it; only what is given changes."""

    name: Name | None = None
    limit: NonNegativeInteger | None = None
    active: bool | None = None
    active_slots: NonNegativeInteger | None = None
    slot_decay_per_second: NonNegativeFloat | None = None


# -- work pools and queues -------------------------------------------------------------------------------------------


def validate_base_job_template(v: dict[str, Any]) -> dict[str, Any]:
    """Return a base job template if it is empty, or complete.

    Raises:
        ValueError: `job_configuration` or `variables` is missing, or the first has placeholders that are no property
            of the second.
    """
    if not v:
        return v
    if "job_configuration" not in v or "variables" not in v:
        raise ValueError(
            "The `base_job_template` must contain both a `job_configuration` key and a `variables` key,"
            f" got {sorted(v)}."
        )
    from prefect.utilities.templating import find_placeholders  # noqa: PLC0415 - few requests bring a template

    variables: Any = v["variables"] or {}
    properties: Any = variables.get("properties") or {} if isinstance(variables, dict) else None
    if not isinstance(properties, dict):
        raise ValueError("The `variables` of a `base_job_template` must be a JSON schema of an object.")
    declared = set(properties)
    undeclared = sorted({placeholder.name for placeholder in find_placeholders(v["job_configuration"])} - declared)
    if undeclared:
        raise ValueError(
            "The variables specified in the job configuration template must be present as properties in the variables"
            f" schema. Your job configuration uses the following undeclared variable(s): {', '.join(undeclared)}."
        )
    return v


_BaseJobTemplate = Annotated[dict[str, Any], AfterValidator(validate_base_job_template)]


class WorkPoolCreate(ActionBaseModel):
    """A work pool to be created."""

    name: NonEmptyishName
    description: str | None = None
    type: str = "prefect-agent"
    base_job_template: _BaseJobTemplate = Field(default_factory=dict)
    is_paused: bool = False
    concurrency_limit: NonNegativeInteger | None = None
    storage_configuration: WorkPoolStorageConfiguration = Field(default_factory=WorkPoolStorageConfiguration)


class WorkPoolUpdate(ActionBaseModel):
    """What changes about a work pool; only what is given changes."""

    description: str | None = None
    is_paused: bool | None = None
    base_job_template: _BaseJobTemplate | None = None
    concurrency_limit: NonNegativeInteger | None = None
    storage_configuration: WorkPoolStorageConfiguration | None = None


class WorkQueueCreate(ActionBaseModel):
    """A work queue to be created."""

    name: Name
    description: str | None = None
    is_paused: bool = False
    concurrency_limit: NonNegativeInteger | None = None
    priority: PositiveInteger | None = None
    filter: QueueFilter | None = Field(default=None, deprecated=True)


class WorkQueueUpdate(ActionBaseModel):
    """What changes about a work queue; only what is given changes."""

    name: str | None = None
    description: str | None = None
    is_paused: bool = False
    concurrency_limit: NonNegativeInteger | None = None
    priority: PositiveInteger | None = None
    last_polled: DateTime | None = None
    filter: QueueFilter | None = Field(default=None, deprecated=True)


# -- blocks ----------------------------------------------------------------------------------------------------------


class BlockTypeCreate(ActionBaseModel):
    """A kind of block to be registered."""

    name: Name
    slug: BlockTypeSlug
    logo_url: LaxUrl | None = None
    documentation_url: LaxUrl | None = None
    description: str | None = None
    code_example: str | None = None


class BlockTypeUpdate(ActionBaseModel):
    """What changes about a kind of block; only what is given changes."""

    logo_url: LaxUrl | None = None
    documentation_url: LaxUrl | None = None
    description: str | None = None
    code_example: str | None = None

    @classmethod
    def updatable_fields(cls) -> set[str]:
        """The names of the fields that may change."""
        return set(cls.model_fields)


class BlockSchemaCreate(ActionBaseModel):
    """The fields of a kind of block to be registered."""

    fields: dict[str, Any] = Field(default_factory=dict)
    block_type_id: UUID | None = None
    capabilities: list[str] = Field(default_factory=list)
    version: str = DEFAULT_BLOCK_SCHEMA_VERSION


class BlockDocumentCreate(ActionBaseModel):
    """A block to be stored."""

    name: BlockDocumentName | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    block_schema_id: UUID
    block_type_id: UUID
    is_anonymous: bool = False

    @model_validator(mode="after")
    def _require_name(self) -> Self:
        require_name_unless_anonymous(self.name, self.is_anonymous)
        return self


class BlockDocumentUpdate(ActionBaseModel):
    """What changes about a block."""

    block_schema_id: UUID | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    merge_existing_data: bool = True


class BlockDocumentReferenceCreate(ActionBaseModel):
    """That one block holds another."""

    id: UUID = Field(default_factory=uuid4)
    parent_block_document_id: UUID
    reference_block_document_id: UUID
    name: str


# -- artifacts, variables, searches ----------------------------------------------------------------------------------


class ArtifactCreate(ActionBaseModel):
    """An artifact to be stored."""

    key: ArtifactKey | None = None
    type: str | None = None
    description: str | None = None
    data: dict[str, Any] | Any | None = None
    metadata_: ArtifactMetadata = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None

    @classmethod
    def from_result(cls, data: Any) -> Self:
        """Make the request for the artifact that records the result of a run."""
        return cls(**artifact_fields_from_result(data))


class ArtifactUpdate(ActionBaseModel):
    """What changes about an artifact; only what is given changes."""

    data: dict[str, Any] | Any | None = None
    description: str | None = None
    metadata_: ArtifactMetadata = None


class VariableCreate(ActionBaseModel):
    """A variable to be created."""

    name: VariableName
    value: StrictVariableValue
    tags: list[str] | None = None


class VariableUpdate(ActionBaseModel):
    """What changes about a variable; only what is given changes."""

    name: VariableName | None = None
    value: StrictVariableValue = None
    tags: list[str] | None = None


class SavedSearchCreate(ActionBaseModel):
    """A search to be kept."""

    name: str
    filters: list[SavedSearchFilter] = Field(default_factory=list)


publish(globals(), __all__, "prefect.client.schemas.actions")
