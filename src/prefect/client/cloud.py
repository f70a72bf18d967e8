"""The client of Prefect Cloud's own API: accounts and workspaces."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx
from typing_extensions import Self

from prefect.client._http import client_options
from prefect.client._httpx_clients import PrefectHttpxAsyncClient
from prefect.client.schemas.objects import IPAllowlist, IPAllowlistMyAccessResponse, Workspace
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import get_current_settings

PARSE_API_URL_REGEX = re.compile(r"accounts/(.{36})/workspaces/(.{36})")


class CloudUnauthorizedError(PrefectException):
    """The cloud does not accept the API key, or it has not the right to what was asked."""


def get_cloud_client(
    host: str | None = None,
    api_key: str | None = None,
    httpx_settings: dict[str, Any] | None = None,
    infer_cloud_url: bool = False,
) -> CloudClient:
    """A client of Prefect Cloud.

    Args:
        host: Its address; that of the settings by default.
        api_key: The key; that of the settings by default.
        httpx_settings: Options for the HTTP client.
        infer_cloud_url: Take the address, with account and workspace, from `PREFECT_API_URL`.

    Raises:
        ValueError: The address cannot be inferred, because `PREFECT_API_URL` is not set.
    """
    settings = get_current_settings()
    if infer_cloud_url and not host:
        if not settings.api.url:
            raise ValueError("The address of the cloud cannot be inferred: PREFECT_API_URL is not set.")
        host = settings.api.url
    key = api_key or (settings.api.key.get_secret_value() if settings.api.key else "")
    return CloudClient(host or str(settings.cloud.api_url), key, httpx_settings)


class CloudClient:
    """Asks Prefect Cloud about accounts and workspaces. Use it in an `async with` block."""

    account_id: str | None = None
    workspace_id: str | None = None

    def __init__(self, host: str, api_key: str, httpx_settings: dict[str, Any] | None = None) -> None:
        """Say where the cloud is; an address with account and workspace says which ones are meant."""
        options = client_options(get_current_settings(), host, api_key=api_key, httpx_settings=httpx_settings)
        self._client = PrefectHttpxAsyncClient(**{**options, "enable_csrf_support": False})
        match = PARSE_API_URL_REGEX.search(host)
        if match is not None:
            self.account_id, self.workspace_id = match.groups()
        # Accounts and workspaces are named in the paths of requests, below the address of the whole.
        self._root = re.sub(r"accounts/.{36}/workspaces/.{36}/?.*$", "", host).rstrip("/")

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._client.__aexit__(*exc_info)

    def __enter__(self) -> None:
        raise RuntimeError("The cloud client is for async code: write `async with`.")

    def __exit__(self, *_: object) -> None:
        raise AssertionError("This client cannot be entered with `with`.")

    @property
    def account_base_url(self) -> str:
        """The path of the account.

        Raises:
            ValueError: The client's address names no account.
        """
        if not self.account_id:
            raise ValueError("Account ID not set: give an address with an account.")
        return f"accounts/{self.account_id}"

    @property
    def workspace_base_url(self) -> str:
        """The path of the workspace.

        Raises:
            ValueError: The client's address names no workspace.
        """
        if not self.workspace_id:
            raise ValueError("Workspace ID not set: give an address with a workspace.")
        return f"{self.account_base_url}/workspaces/{self.workspace_id}"

    async def api_healthcheck(self) -> None:
        """Try to reach the cloud with this key; raises what keeps it from answering."""
        await self.get(self._url("me/workspaces"))

    async def read_workspaces(self) -> list[Workspace]:
        """Read the workspaces that the key may use."""
        return [Workspace.model_validate(each) for each in await self.get(self._url("me/workspaces"))]

    async def read_current_workspace(self) -> Workspace:
        """Read the workspace that the address names.

        Raises:
            ValueError: The key may not use it, or there is none.
        """
        for workspace in await self.read_workspaces():
            if self.workspace_id is not None and workspace.workspace_id == UUID(self.workspace_id):
                return workspace
        raise ValueError("Current workspace not found")

    async def read_worker_metadata(self) -> dict[str, Any]:
        """Read the worker types that integration packages offer."""
        return await self.get(self._url(f"{self.workspace_base_url}/collections/work_pool_types"))

    async def read_account_settings(self) -> dict[str, Any]:
        """Read the account's settings."""
        answer = await self.get(self._url(f"{self.account_base_url}/settings"))
        return answer.get("settings", {}) if isinstance(answer, dict) else answer

    async def update_account_settings(self, settings: dict[str, Any]) -> None:
        """Change the account's settings."""
        await self.request("PATCH", self._url(f"{self.account_base_url}/settings"), json=settings)

    async def read_account_ip_allowlist(self) -> IPAllowlist:
        """Read which networks may reach the account."""
        answer = await self.get(self._url(f"{self.account_base_url}/ip_allowlist"))
        return IPAllowlist.model_validate(answer)

    async def update_account_ip_allowlist(self, updated_allowlist: IPAllowlist) -> None:
        """Replace which networks may reach the account."""
        body = updated_allowlist.model_dump(mode="json")
        await self.request("PUT", self._url(f"{self.account_base_url}/ip_allowlist"), json=body)

    async def check_ip_allowlist_access(self) -> IPAllowlistMyAccessResponse:
        """Ask whether this address may reach the account."""
        answer = await self.get(self._url(f"{self.account_base_url}/ip_allowlist/my_access"))
        return IPAllowlistMyAccessResponse.model_validate(answer)

    def _url(self, path: str) -> str:
        return f"{self._root}/{path}"

    async def get(self, route: str, **kwargs: Any) -> Any:
        """Make a GET request; see `request`."""
        return await self.request("GET", route, **kwargs)

    async def raw_request(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Make a request of your own, and take the response as it is, error or not."""
        url = path.format(**path_params) if path_params else path
        return await self._client.request(method, url, params=params, **kwargs)

    async def request(self, method: str, route: str, **kwargs: Any) -> Any:
        """Make a request of your own; gives the JSON of the answer, or None where it has none.

        Raises:
            CloudUnauthorizedError: The key is not accepted, or has not the right.
            ObjectNotFound: There is no such thing.
            PrefectHTTPStatusError: It failed otherwise.
        """
        response = await self._client.request(method, route, **kwargs)
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            if response.status_code in (401, 403):
                raise CloudUnauthorizedError(str(error)) from error
            if response.status_code == 404:
                raise ObjectNotFound(http_exc=error) from error
            raise
        return None if response.status_code == 204 or not response.content else response.json()
