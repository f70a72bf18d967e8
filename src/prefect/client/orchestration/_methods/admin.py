"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import admin as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from prefect.client.schemas.objects import ServerDefaultResultStorage


class AdminClient(BaseClient):
    """Methods of the sync client."""

    def api_version(self) -> str:
        """The release of the API's package."""
        return self.send(_calls.api_version())

    def clear_server_default_result_storage(self) -> None:
        """Store results locally by default again."""
        return self.send(_calls.clear_server_default_result_storage())

    def hello(self) -> httpx.Response:
        """Ask the API for a greeting."""
        return self._respond(_calls.hello())

    def read_server_default_result_storage(self) -> ServerDefaultResultStorage:
        """Read which block stores results by default."""
        return self.send(_calls.read_server_default_result_storage())

    def update_server_default_result_storage(self, default_result_storage_block_id: UUID) -> Any:
        """Choose the block that stores results by default."""
        return self.send(_calls.update_server_default_result_storage(default_result_storage_block_id))


class AdminAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def api_version(self) -> str:
        """The release of the API's package."""
        return await self.send(_calls.api_version())

    async def clear_server_default_result_storage(self) -> None:
        """Store results locally by default again."""
        return await self.send(_calls.clear_server_default_result_storage())

    async def hello(self) -> httpx.Response:
        """Ask the API for a greeting."""
        return await self._respond(_calls.hello())

    async def read_server_default_result_storage(self) -> ServerDefaultResultStorage:
        """Read which block stores results by default."""
        return await self.send(_calls.read_server_default_result_storage())

    async def update_server_default_result_storage(self, default_result_storage_block_id: UUID) -> Any:
        """Choose the block that stores results by default."""
        return await self.send(_calls.update_server_default_result_storage(default_result_storage_block_id))
