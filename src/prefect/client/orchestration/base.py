"""What every API client can do: send a call, follow several, and make a request of the caller's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from prefect.client._calls._call import Call, Steps
from prefect.client.base import ServerType, determine_server_type

if TYPE_CHECKING:
    import httpx

    from prefect.client.orchestration.routes import ServerRoutes

T = TypeVar("T")

HTTP_METHODS = Literal["GET", "POST", "PUT", "DELETE", "PATCH"]


class BaseClient:
    """Sends requests for sync code. `SyncPrefectClient` is made of its children."""

    server_type: ServerType

    def __init__(self, client: httpx.Client) -> None:
        """Send through an HTTP client whose base URL is the address of the API."""
        self._client = client
        self.server_type = determine_server_type()

    def send(self, call: Call[T]) -> T:
        """Send one call."""
        from prefect.client._http import HTTPSender  # noqa: PLC0415 - loads httpx, which the embedded core does without

        return HTTPSender(self._client).send(call)

    def _respond(self, call: Call[Any]) -> httpx.Response:
        return self.send(call.for_response())

    def _follow(self, steps: Steps[T]) -> T:
        resume: Any = steps.send
        reply: Any = None
        while True:
            try:
                call = resume(reply)
            except StopIteration as finished:
                return finished.value
            try:
                resume, reply = steps.send, self.send(call)
            except Exception as error:  # noqa: BLE001 - raised where the call was made
                resume, reply = steps.throw, error

    def request(
        self,
        method: HTTP_METHODS,
        path: ServerRoutes,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Make a request of your own.

        Args:
            method: The HTTP method.
            path: The path below the address of the API, with `{names}`.
            params: Query parameters.
            path_params: The values of the names in the path.
            kwargs: What `httpx.Client.request` takes besides, such as `json`.

        Raises:
            PrefectHTTPStatusError: The answer is not a success.
        """
        url = path.format(**path_params) if path_params else path
        return self._client.request(method, url, params=params, **kwargs).raise_for_status()


class BaseAsyncClient:
    """Sends requests for async code. `PrefectClient` is made of its children."""

    server_type: ServerType

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Send through an HTTP client whose base URL is the address of the API."""
        self._client = client
        self.server_type = determine_server_type()

    async def send(self, call: Call[T]) -> T:
        """Send one call."""
        from prefect.client._http import AsyncHTTPSender  # noqa: PLC0415 - loads httpx, as above

        return await AsyncHTTPSender(self._client).send(call)

    async def _respond(self, call: Call[Any]) -> httpx.Response:
        return await self.send(call.for_response())

    async def _follow(self, steps: Steps[T]) -> T:
        resume: Any = steps.send
        reply: Any = None
        while True:
            try:
                call = resume(reply)
            except StopIteration as finished:
                return finished.value
            try:
                resume, reply = steps.send, await self.send(call)
            except Exception as error:  # noqa: BLE001 - raised where the call was made
                resume, reply = steps.throw, error

    async def request(
        self,
        method: HTTP_METHODS,
        path: ServerRoutes,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> httpx.Response:
        """Make a request of your own; see `BaseClient.request`.

        Raises:
            PrefectHTTPStatusError: The answer is not a success.
        """
        url = path.format(**path_params) if path_params else path
        return (await self._client.request(method, url, params=params, **kwargs)).raise_for_status()
