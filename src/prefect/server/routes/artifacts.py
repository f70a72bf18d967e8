"""The routes of artifacts and of their collections."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
)
from prefect.client.schemas.objects import Artifact, ArtifactCollection
from prefect.client.schemas.sorting import ArtifactCollectionSort, ArtifactSort
from prefect.server.database.filters.artifacts import ArtifactFilters
from prefect.server.database.store import Transaction
from prefect.server.models import artifacts as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Reply, Whole, route


@route("POST", "/artifacts/", also=(201,))
def create_artifact(tx: Transaction, artifact: Whole[ArtifactCreate]) -> Reply[Artifact]:
    """Create an artifact."""
    return Reply(201, models.create_artifact(tx, artifact))


@route("GET", "/artifacts/{id}", writes=False)
def read_artifact(tx: Transaction, id: UUID) -> Artifact:
    """Read an artifact."""
    return models.read_artifact(tx, id)


@route("GET", "/artifacts/{key}/latest", writes=False)
def read_latest_artifact(tx: Transaction, key: str) -> Artifact:
    """Read the newest artifact with a key."""
    return models.read_latest_artifact(tx, key)


@route("POST", "/artifacts/filter", writes=False)
def read_artifacts(
    tx: Transaction,
    sort: ArtifactSort = ArtifactSort.ID_DESC,
    offset: Annotated[int, Field(ge=0)] = 0,
    artifacts: ArtifactFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    flows: FlowFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
    limit: int = ABSENT,
) -> list[Artifact]:
    """Read the artifacts that meet filters."""
    filters = ArtifactFilters(artifacts, flows, flow_runs, task_runs, deployments)
    return models.read_artifacts(tx, filters, sort, checked_limit(limit), offset)


@route("POST", "/artifacts/latest/filter", writes=False)
def read_latest_artifacts(
    tx: Transaction,
    sort: ArtifactCollectionSort = ArtifactCollectionSort.ID_DESC,
    offset: Annotated[int, Field(ge=0)] = 0,
    artifacts: ArtifactCollectionFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    flows: FlowFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
    limit: int = ABSENT,
) -> list[ArtifactCollection]:
    """Read the collections whose latest artifact meets filters."""
    filters = ArtifactFilters(artifacts, flows, flow_runs, task_runs, deployments)
    return models.read_collections(tx, filters, sort, checked_limit(limit), offset)


@route("POST", "/artifacts/count", writes=False)
def count_artifacts(
    tx: Transaction,
    artifacts: ArtifactFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    flows: FlowFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
) -> int:
    """Count the artifacts that meet filters."""
    return models.count_artifacts(tx, ArtifactFilters(artifacts, flows, flow_runs, task_runs, deployments))


@route("POST", "/artifacts/latest/count", writes=False)
def count_latest_artifacts(
    tx: Transaction,
    artifacts: ArtifactCollectionFilter = ABSENT,
    flow_runs: FlowRunFilter = ABSENT,
    task_runs: TaskRunFilter = ABSENT,
    flows: FlowFilter = ABSENT,
    deployments: DeploymentFilter = ABSENT,
) -> int:
    """Count the collections whose latest artifact meets filters."""
    return models.count_collections(tx, ArtifactFilters(artifacts, flows, flow_runs, task_runs, deployments))


@route("PATCH", "/artifacts/{id}", status=204)
def update_artifact(tx: Transaction, id: UUID, artifact: Whole[ArtifactUpdate]) -> None:
    """Change an artifact."""
    models.update_artifact(tx, id, artifact)


@route("DELETE", "/artifacts/{id}", status=204)
def delete_artifact(tx: Transaction, id: UUID) -> None:
    """Delete an artifact."""
    models.delete_artifact(tx, id)
