"""Where to ask which worker types integration packages offer."""

from __future__ import annotations

from typing import Any, Protocol

from prefect.client.base import ServerType, determine_server_type


class CollectionsMetadataClient(Protocol):
    """A client that knows the worker types."""

    async def read_worker_metadata(self) -> dict[str, Any]:
        """Read the worker types, by package and type."""
        ...

    async def __aenter__(self) -> CollectionsMetadataClient: ...

    async def __aexit__(self, *exc_info: Any) -> Any: ...


def get_collections_metadata_client(httpx_settings: dict[str, Any] | None = None) -> CollectionsMetadataClient:
    """The client to ask: the cloud's where the settings name the cloud, else that of the API."""
    if determine_server_type() is ServerType.CLOUD:
        from prefect.client.cloud import get_cloud_client  # noqa: PLC0415 - loads httpx

        return get_cloud_client(httpx_settings=httpx_settings, infer_cloud_url=True)
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - only one of the two is needed

    return get_client(httpx_settings=httpx_settings)
