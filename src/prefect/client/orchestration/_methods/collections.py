"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import collections as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    pass


class CollectionsClient(BaseClient):
    """Methods of the sync client."""

    def read_worker_metadata(self) -> dict[str, Any]:
        """Read the worker types that integration packages offer, by package and type."""
        return self.send(_calls.read_worker_metadata())


class CollectionsAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def read_worker_metadata(self) -> dict[str, Any]:
        """Read the worker types that integration packages offer, by package and type."""
        return await self.send(_calls.read_worker_metadata())
