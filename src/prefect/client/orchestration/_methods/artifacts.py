"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import artifacts as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
    from prefect.client.schemas.objects import Artifact, ArtifactCollection


class ArtifactClient(BaseClient):
    """Methods of the sync client."""

    def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        """Create an artifact."""
        return self.send(_calls.create_artifact(artifact))

    def delete_artifact(self, artifact_id: UUID) -> None:
        """Delete an artifact."""
        return self.send(_calls.delete_artifact(artifact_id))

    def read_artifacts(self, **kwargs: Any) -> list[Artifact]:
        """Read artifacts; takes artifact_filter, flow_run_filter, task_run_filter, sort, limit, offset."""
        return self.send(_calls.read_artifacts(**kwargs))

    def update_artifact(self, artifact_id: UUID, artifact: ArtifactUpdate) -> None:
        """Change an artifact."""
        return self.send(_calls.update_artifact(artifact_id, artifact))


class ArtifactAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        """Create an artifact."""
        return await self.send(_calls.create_artifact(artifact))

    async def delete_artifact(self, artifact_id: UUID) -> None:
        """Delete an artifact."""
        return await self.send(_calls.delete_artifact(artifact_id))

    async def read_artifacts(self, **kwargs: Any) -> list[Artifact]:
        """Read artifacts; takes artifact_filter, flow_run_filter, task_run_filter, sort, limit, offset."""
        return await self.send(_calls.read_artifacts(**kwargs))

    async def update_artifact(self, artifact_id: UUID, artifact: ArtifactUpdate) -> None:
        """Change an artifact."""
        return await self.send(_calls.update_artifact(artifact_id, artifact))


class ArtifactCollectionClient(BaseClient):
    """Methods of the sync client."""

    def read_latest_artifacts(self, **kwargs: Any) -> list[ArtifactCollection]:
        """Read the latest artifact of each key; takes what `read_artifacts` takes."""
        return self.send(_calls.read_latest_artifacts(**kwargs))


class ArtifactCollectionAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def read_latest_artifacts(self, **kwargs: Any) -> list[ArtifactCollection]:
        """Read the latest artifact of each key; takes what `read_artifacts` takes."""
        return await self.send(_calls.read_latest_artifacts(**kwargs))
