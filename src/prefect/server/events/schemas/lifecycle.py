"""The events that tell of the life of stored objects: that they were created, updated or deleted."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._blocks import BlockDocument, BlockType
from prefect.client.schemas._deployments import ConcurrencyLimit
from prefect.client.schemas._records import ArtifactCollection, Variable
from prefect.client.schemas._runs import Flow
from prefect.events.schemas.events import RESOURCE_ID, RESOURCE_NAME, RESOURCE_ROLE, Event, RelatedResource, Resource
from prefect.server.events.schemas.automations import Automation
from prefect.server.schemas.core import ConcurrencyLimitV2
from prefect.types import DateTime, KeyValueLabelsField, StrictVariableValue
from prefect.types._ids import uuid7

RelatedResourceList = list[dict[str, str]]

Change = Literal["created", "updated", "deleted"]

# -- what is told about each kind of object --------------------------------------------------------------------------


class FlowEventPayload(PrefectBaseModel):
    """What events tell about a flow."""

    name: str
    tags: list[str] = Field(default_factory=list)
    labels: KeyValueLabelsField = Field(default_factory=dict)


class ArtifactCollectionEventPayload(PrefectBaseModel):
    """What events tell about the latest artifact of a key."""

    key: str
    type: str | None = None
    data: Any | None = None
    description: str | None = None


class BlockTypeEventPayload(PrefectBaseModel):
    """What events tell about a kind of block."""

    name: str
    slug: str
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None
    is_protected: bool = False


class BlockDocumentBlockType(PrefectBaseModel):
    """Which kind of block a block is."""

    id: UUID
    name: str


class BlockSchemaEventPayload(PrefectBaseModel):
    """What events tell about the schema of a block."""

    capabilities: list[str] = Field(default_factory=list)
    block_type: BlockDocumentBlockType | None = None


class BlockDocumentEventPayload(PrefectBaseModel):
    """What events tell about a block: of its data, texts that are no secrets."""

    name: str | None = None
    data: dict[str, str] = Field(default_factory=dict)
    block_schema: BlockSchemaEventPayload | None = None


class ConcurrencyLimitEventPayload(PrefectBaseModel):
    """What events tell about the limit of a tag."""

    tag: str
    concurrency_limit: int


class ConcurrencyLimitV2EventPayload(PrefectBaseModel):
    """What events tell about a global limit."""

    name: str
    limit: int
    active: bool
    slot_decay_per_second: float


class VariableEventPayload(PrefectBaseModel):
    """What events tell about a variable."""

    name: str
    value: StrictVariableValue
    tags: list[str] = Field(default_factory=list)


# -- how the events look ---------------------------------------------------------------------------------------------


def _event(
    kind: str,
    change: Change,
    id: UUID,
    name: str | None,
    payload: dict[str, Any],
    occurred: DateTime,
    related: RelatedResourceList | None = None,
) -> Event:
    labels = {RESOURCE_ID: f"prefect.{kind}.{id}"}
    if name is not None:
        labels[RESOURCE_NAME] = name
    return Event(
        occurred=occurred,
        event=f"prefect.{kind}.{change}",
        resource=Resource(labels),
        related=[RelatedResource(each) for each in related or ()],
        payload=payload,
        id=uuid7(),
    )


def _told(payload: type[PrefectBaseModel], obj: PrefectBaseModel) -> dict[str, Any]:
    values = {name: getattr(obj, name) for name in payload.model_fields}
    return payload.model_validate(values).model_dump(mode="json")


def _resource(kind: str, id: UUID, role: str, name: str | None = None) -> dict[str, str]:
    labels = {RESOURCE_ID: f"prefect.{kind}.{id}", RESOURCE_ROLE: role}
    return labels if name is None else {**labels, RESOURCE_NAME: name}


def _flow_event(change: Change, flow: Flow, occurred: DateTime) -> Event:
    return _event("flow", change, flow.id, flow.name, _told(FlowEventPayload, flow), occurred)


def _artifact_collection_event(change: Change, collection: ArtifactCollection, occurred: DateTime) -> Event:
    related = [_resource("artifact", collection.latest_id, "latest")]
    if collection.flow_run_id is not None:
        related.append(_resource("flow-run", collection.flow_run_id, "flow-run"))
    if collection.task_run_id is not None:
        related.append(_resource("task-run", collection.task_run_id, "task-run"))
    payload = _told(ArtifactCollectionEventPayload, collection)
    return _event("artifact-collection", change, collection.id, collection.key, payload, occurred, related)


def _automation_event(change: Change, automation: Automation, occurred: DateTime) -> Event:
    payload = automation.model_dump(mode="json")
    return _event("automation", change, automation.id, automation.name, payload, occurred)


def _block_type_event(change: Change, block_type: BlockType, occurred: DateTime) -> Event:
    payload = _told(BlockTypeEventPayload, block_type)
    return _event("block-type", change, block_type.id, block_type.name, payload, occurred)


def _block_document_event(change: Change, document: BlockDocument, occurred: DateTime) -> Event:
    schema = document.block_schema
    # Without the schema nobody can tell which values are secrets.
    secrets = {field.partition(".")[0] for field in schema.fields.get("secret_fields") or ()} if schema else None
    data = {} if secrets is None else {key: value for key, value in document.data.items() if key not in secrets}
    payload = BlockDocumentEventPayload(
        name=document.name,
        data={key: value for key, value in data.items() if isinstance(value, str)},
        block_schema=_told_schema(document),
    )
    related = [
        _resource("block-type", document.block_type_id, "block-type", document.block_type_name),
        _resource("block-schema", document.block_schema_id, "block-schema"),
    ]
    return _event(
        "block-document", change, document.id, document.name, payload.model_dump(mode="json"), occurred, related
    )


def _told_schema(document: BlockDocument) -> BlockSchemaEventPayload | None:
    schema = document.block_schema
    if schema is None:
        return None
    block_type = schema.block_type or document.block_type
    return BlockSchemaEventPayload(
        capabilities=schema.capabilities,
        block_type=BlockDocumentBlockType(id=block_type.id, name=block_type.name) if block_type is not None else None,
    )


def _concurrency_limit_event(change: Change, limit: ConcurrencyLimit, occurred: DateTime) -> Event:
    payload = _told(ConcurrencyLimitEventPayload, limit)
    return _event("concurrency-limit", change, limit.id, limit.tag, payload, occurred)


def _concurrency_limit_v2_event(change: Change, limit: ConcurrencyLimitV2, occurred: DateTime) -> Event:
    payload = _told(ConcurrencyLimitV2EventPayload, limit)
    return _event("concurrency-limit", change, limit.id, limit.name, payload, occurred)


def _variable_event(change: Change, variable: Variable, occurred: DateTime) -> Event:
    payload = _told(VariableEventPayload, variable)
    return _event("variable", change, variable.id, variable.name, payload, occurred)


# -- one function for each event -------------------------------------------------------------------------------------


def flow_created_event(flow: Flow, occurred: DateTime) -> Event:
    """A flow was created."""
    return _flow_event("created", flow, occurred)


def flow_updated_event(flow: Flow, occurred: DateTime) -> Event:
    """A flow was updated."""
    return _flow_event("updated", flow, occurred)


def flow_deleted_event(flow: Flow, occurred: DateTime) -> Event:
    """A flow was deleted."""
    return _flow_event("deleted", flow, occurred)


def artifact_collection_created_event(artifact_collection: ArtifactCollection, occurred: DateTime) -> Event:
    """A key got its first artifact."""
    return _artifact_collection_event("created", artifact_collection, occurred)


def artifact_collection_updated_event(artifact_collection: ArtifactCollection, occurred: DateTime) -> Event:
    """A key got another latest artifact, or that one changed."""
    return _artifact_collection_event("updated", artifact_collection, occurred)


def artifact_collection_deleted_event(artifact_collection: ArtifactCollection, occurred: DateTime) -> Event:
    """The last artifact of a key was deleted."""
    return _artifact_collection_event("deleted", artifact_collection, occurred)


def automation_created_event(automation: Automation, occurred: DateTime) -> Event:
    """An automation was created."""
    return _automation_event("created", automation, occurred)


def automation_updated_event(automation: Automation, occurred: DateTime) -> Event:
    """An automation was updated."""
    return _automation_event("updated", automation, occurred)


def automation_deleted_event(automation: Automation, occurred: DateTime) -> Event:
    """An automation was deleted."""
    return _automation_event("deleted", automation, occurred)


def block_document_created_event(block_document: BlockDocument, occurred: DateTime) -> Event:
    """A block was created."""
    return _block_document_event("created", block_document, occurred)


def block_document_updated_event(block_document: BlockDocument, occurred: DateTime) -> Event:
    """A block was updated."""
    return _block_document_event("updated", block_document, occurred)


def block_document_deleted_event(block_document: BlockDocument, occurred: DateTime) -> Event:
    """A block was deleted."""
    return _block_document_event("deleted", block_document, occurred)


def block_type_created_event(block_type: BlockType, occurred: DateTime) -> Event:
    """A kind of block was created."""
    return _block_type_event("created", block_type, occurred)


def block_type_updated_event(block_type: BlockType, occurred: DateTime) -> Event:
    """A kind of block was updated."""
    return _block_type_event("updated", block_type, occurred)


def block_type_deleted_event(block_type: BlockType, occurred: DateTime) -> Event:
    """A kind of block was deleted."""
    return _block_type_event("deleted", block_type, occurred)


def concurrency_limit_created_event(concurrency_limit: ConcurrencyLimit, occurred: DateTime) -> Event:
    """A limit of a tag was created."""
    return _concurrency_limit_event("created", concurrency_limit, occurred)


def concurrency_limit_updated_event(concurrency_limit: ConcurrencyLimit, occurred: DateTime) -> Event:
    """A limit of a tag was updated."""
    return _concurrency_limit_event("updated", concurrency_limit, occurred)


def concurrency_limit_deleted_event(concurrency_limit: ConcurrencyLimit, occurred: DateTime) -> Event:
    """A limit of a tag was deleted."""
    return _concurrency_limit_event("deleted", concurrency_limit, occurred)


def concurrency_limit_v2_created_event(concurrency_limit: ConcurrencyLimitV2, occurred: DateTime) -> Event:
    """A global limit was created."""
    return _concurrency_limit_v2_event("created", concurrency_limit, occurred)


def concurrency_limit_v2_updated_event(concurrency_limit: ConcurrencyLimitV2, occurred: DateTime) -> Event:
    """A global limit was updated."""
    return _concurrency_limit_v2_event("updated", concurrency_limit, occurred)


def concurrency_limit_v2_deleted_event(concurrency_limit: ConcurrencyLimitV2, occurred: DateTime) -> Event:
    """A global limit was deleted."""
    return _concurrency_limit_v2_event("deleted", concurrency_limit, occurred)


def variable_created_event(variable: Variable, occurred: DateTime) -> Event:
    """A variable was created."""
    return _variable_event("created", variable, occurred)


def variable_updated_event(variable: Variable, occurred: DateTime) -> Event:
    """A variable was updated."""
    return _variable_event("updated", variable, occurred)


def variable_deleted_event(variable: Variable, occurred: DateTime) -> Event:
    """A variable was deleted."""
    return _variable_event("deleted", variable, occurred)
