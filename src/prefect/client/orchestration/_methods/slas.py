"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import slas as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID


class SlaClient(BaseClient):
    """Methods of the sync client."""

    def apply_slas_for_deployment(self, deployment_id: UUID, slas: list[Any]) -> Any:
        """Replace the service level agreements of a deployment."""
        return self.send(_calls.apply_slas_for_deployment(deployment_id, slas))


class SlaAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def apply_slas_for_deployment(self, deployment_id: UUID, slas: list[Any]) -> Any:
        """Replace the service level agreements of a deployment."""
        return await self.send(_calls.apply_slas_for_deployment(deployment_id, slas))
