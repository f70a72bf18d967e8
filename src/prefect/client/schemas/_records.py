"""Small things that are stored beside the runs: artifacts, variables, searches, settings of the server."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field
from typing_extensions import Self

from prefect.client.schemas._base import ObjectBaseModel, PrefectBaseModel, publish
from prefect.types import MAX_VARIABLE_NAME_LENGTH, DateTime, StrictVariableValue

__all__ = [
    "Artifact",
    "ArtifactCollection",
    "Configuration",
    "CsrfToken",
    "SavedSearch",
    "SavedSearchFilter",
    "ServerDefaultResultStorage",
    "ServerDefaultResultStorageUpdate",
    "Variable",
]

MAX_METADATA_LENGTH = 500


def _cut_values(metadata: dict[str, str] | None) -> dict[str, str] | None:
    if not metadata:
        return metadata
    return {
        key: f"{value[:MAX_METADATA_LENGTH]}..." if len(value) > MAX_METADATA_LENGTH else value
        for key, value in metadata.items()
    }


ArtifactMetadata = Annotated[dict[str, str] | None, AfterValidator(_cut_values)]


def artifact_fields_from_result(data: Any) -> dict[str, Any]:
    """Split the result of a run into the fields of the artifact that records it.

    A dictionary's keys `artifact_type` and `artifact_description` become the type and description.
    """
    if not isinstance(data, dict):
        return {"data": data}
    rest = dict(data)
    type_, description = rest.pop("artifact_type", None), rest.pop("artifact_description", None)
    return {"type": type_, "description": description, "data": rest}


class Artifact(ObjectBaseModel):
    """Something that a run made to be looked at."""

    key: str | None = None
    type: str | None = None
    description: str | None = None  # Markdown
    data: dict[str, Any] | Any | None = None
    metadata_: ArtifactMetadata = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None

    @classmethod
    def from_result(cls, data: Any) -> Self:
        """Make the artifact that records the result of a run."""
        return cls(**artifact_fields_from_result(data))


class ArtifactCollection(ObjectBaseModel):
    """All artifacts with one key, shown as the latest of them."""

    key: str
    latest_id: UUID
    type: str | None = None
    description: str | None = None
    data: dict[str, Any] | Any | None = None
    metadata_: ArtifactMetadata = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class Variable(ObjectBaseModel):
    """A named value."""

    name: Annotated[str, Field(max_length=MAX_VARIABLE_NAME_LENGTH)]
    value: StrictVariableValue
    tags: list[str] = Field(default_factory=list)


class SavedSearchFilter(PrefectBaseModel):
    """One condition of a saved search."""

    object: str
    property: str
    type: str
    operation: str
    value: Any


class SavedSearch(ObjectBaseModel):
    """A named set of conditions, kept for the UI."""

    name: str
    filters: list[SavedSearchFilter] = Field(default_factory=list)


class Configuration(ObjectBaseModel):
    """A value that the server keeps about itself."""

    key: str
    value: dict[str, Any]


class CsrfToken(ObjectBaseModel):
    """A token that a client sends along with what changes something."""

    token: str
    client: str
    expiration: DateTime


class ServerDefaultResultStorage(PrefectBaseModel):
    """Where results go when nobody says otherwise."""

    default_result_storage_block_id: UUID | None = None


class ServerDefaultResultStorageUpdate(PrefectBaseModel):
    """A request to change where results go when nobody says otherwise."""

    default_result_storage_block_id: UUID


publish(globals(), __all__, "prefect.client.schemas.objects")
