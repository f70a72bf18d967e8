"""Requests about artifacts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import NOT_FOUND, Call, given, many, nothing, one
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.objects import Artifact, ArtifactCollection


def create_artifact(artifact: ArtifactCreate) -> Call[Artifact]:
    """Create an artifact."""
    return Call("POST", "/artifacts/", body=artifact, parse=one(Artifact))


def update_artifact(artifact_id: UUID, artifact: ArtifactUpdate) -> Call[None]:
    """Change an artifact."""
    return Call("PATCH", "/artifacts/{id}", {"id": artifact_id}, body=artifact, parse=nothing)


def delete_artifact(artifact_id: UUID) -> Call[None]:
    """Delete an artifact."""
    return Call("DELETE", "/artifacts/{id}", {"id": artifact_id}, parse=nothing, errors=NOT_FOUND)


def _body(options: dict[str, Any]) -> dict[str, Any]:
    names = {"artifact_filter": "artifacts", "flow_run_filter": "flow_runs", "task_run_filter": "task_runs"}
    return given(**{names.get(name, name): value for name, value in options.items()})


def read_artifacts(**kwargs: Any) -> Call[list[Artifact]]:
    """Read artifacts; takes artifact_filter, flow_run_filter, task_run_filter, sort, limit, offset."""
    return Call("POST", "/artifacts/filter", body=_body(kwargs), parse=many(Artifact))


def read_latest_artifacts(**kwargs: Any) -> Call[list[ArtifactCollection]]:
    """Read the latest artifact of each key; takes what `read_artifacts` takes."""
    return Call("POST", "/artifacts/latest/filter", body=_body(kwargs), parse=many(ArtifactCollection))
