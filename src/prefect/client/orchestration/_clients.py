"""The two clients: who they talk to, whether they are open, and which versions fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from typing_extensions import Self

from prefect._version import __version__
from prefect.client._calls._call import Call
from prefect.client._send import embedded_database, send, send_async
from prefect.client.base import ASGIApp, ServerType, determine_server_type
from prefect.client.constants import EMBEDDED_URL
from prefect.client.orchestration._methods import AsyncMethods, SyncMethods
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    import asyncio

    import httpx

T = TypeVar("T")

_checked: set[str] = set()
"""The APIs whose version was found to fit."""


class _Client:
    """What both clients share: who they talk to, and whether they are open."""

    def __init__(
        self,
        api: str | ASGIApp,
        *,
        auth_string: str | None = None,
        api_key: str | None = None,
        api_version: str | None = None,
        httpx_settings: dict[str, Any] | None = None,
        server_type: ServerType | None = None,
    ) -> None:
        """Say who to talk to.

        Args:
            api: The address of an API, such as `http://127.0.0.1:4200/api`, or an ASGI application.
            auth_string: `user:password`, where the API asks for basic authentication; the setting's by default.
            api_key: A key of the API; it has precedence over `auth_string`; the setting's by default.
            api_version: The version of the API's language to ask for.
            httpx_settings: Options for the HTTP client.
            server_type: What kind of API it is; found out by default.
        """
        self.server_type = server_type or (ServerType.EPHEMERAL if callable(api) else _type_of(api))
        self.logger = get_logger("client")
        self._api = api
        options = {
            "auth_string": auth_string,
            "api_key": api_key,
            "api_version": api_version,
            "httpx_settings": httpx_settings,
        }
        self._options = {name: value for name, value in options.items() if value}
        settings = get_current_settings()
        # Clients of the API that the settings name share its connections; others have their own.
        self._is_shared = not self._options and not callable(api) and (not api or api == settings.api.url)
        self._is_embedded = not api and not settings.api.url
        self._own: Any = None
        self._depth = 0

    @property
    def api_url(self) -> httpx.URL:
        """The address of the API."""
        import httpx  # noqa: PLC0415 - only its URL type is wanted, and only here

        api = self._api if isinstance(self._api, str) else None
        return httpx.URL((api or get_current_settings().api.url or EMBEDDED_URL).rstrip("/") + "/")

    def client_version(self) -> str:
        """The version of this package."""
        return __version__

    def _needs_version_check(self) -> bool:
        check = get_current_settings().client.server_version_check_enabled
        # What runs in this process has this version, and the cloud product keeps to old clients' language.
        return check and self.server_type is ServerType.SERVER

    def _check_version(self, theirs: str) -> None:
        try:
            found, ours = _release(theirs), _release(__version__)
        except ValueError as error:
            raise RuntimeError(f"The API at {self.api_url} gives {theirs!r} as its version.") from error
        if found[0] != ours[0]:
            raise RuntimeError(
                f"Found incompatible versions: client: {__version__}, server: {theirs}. Major versions must match."
                " Install the server's major version here, or upgrade the server."
            )
        if found < ours:
            self.logger.warning(
                "The server at %s runs Prefect %s, which is older than this client (%s). Upgrade it if something does"
                " not work as expected.",
                self.api_url,
                theirs,
                __version__,
            )


def _type_of(api: Any) -> ServerType:
    settings = get_current_settings()
    if not api or api == settings.api.url:
        return determine_server_type()
    is_cloud = bool(settings.cloud.api_url) and str(api).startswith(str(settings.cloud.api_url))
    return ServerType.CLOUD if is_cloud else ServerType.SERVER


def _release(version: str) -> tuple[int, ...]:
    public = version.partition("+")[0]
    return tuple(int("".join(filter(str.isdigit, part[:4])) or 0) for part in public.split(".")[:3])


class SyncPrefectClient(_Client, SyncMethods):
    """A client for sync code. Use it in a `with` block."""

    def __enter__(self) -> Self:
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth <= 0 and self._own is not None:
            self._own.close()
            self._own = None

    @property
    def _client(self) -> httpx.Client:  # type: ignore[override]
        return self._http_sender().client

    def _http_sender(self) -> Any:
        from prefect.client import _http  # noqa: PLC0415 - loads httpx, which the embedded core does without

        if self._is_shared and not self._is_embedded:
            return _http.http_sender()
        if self._own is None:
            if self._is_embedded:
                self._own = _http.HTTPSender(_http.PrefectHttpxSyncClient(**_embedded_options()))
            else:
                self._own = _http.HTTPSender.to(get_current_settings(), self._api, **self._options)
        return self._own

    def send(self, call: Call[T]) -> T:
        """Send one call."""
        return send(call) if self._is_shared else self._http_sender().send(call)

    def api_healthcheck(self) -> Exception | None:
        """Try to reach the API; gives the error if that fails."""
        try:
            self.send(Call("GET", "/health"))
        except Exception as error:  # noqa: BLE001 - whatever keeps the API from answering is the answer
            return error
        return None

    def raise_for_api_version_mismatch(self) -> None:
        """Compare the server's version with this package's.

        Raises:
            RuntimeError: They have different major versions, or the server cannot be asked.
        """
        if not self._needs_version_check():
            return
        try:
            theirs = self.api_version()
        except Exception as error:
            raise RuntimeError(f"Failed to reach API at {self.api_url}: {error}") from error
        self._check_version(theirs)

    def raise_for_api_version_mismatch_once(self) -> None:
        """The same, once for each API in this process."""
        if str(self.api_url) not in _checked:
            self.raise_for_api_version_mismatch()
            _checked.add(str(self.api_url))


class PrefectClient(_Client, AsyncMethods):
    """A client for async code. Use it in an `async with` block."""

    async def __aenter__(self) -> Self:
        self._depth += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth <= 0 and self._own is not None:
            own, self._own = self._own, None
            await own.aclose()

    def __enter__(self) -> None:
        raise RuntimeError("This client is for async code: write `async with`, or use get_client(sync_client=True).")

    def __exit__(self, *_: object) -> None:
        raise AssertionError("This client cannot be entered with `with`.")

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that runs here; None where none does."""
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever it matters

        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None

    @property
    def _client(self) -> httpx.AsyncClient:  # type: ignore[override]
        return self._http_sender().client

    def _http_sender(self) -> Any:
        from prefect.client import _http  # noqa: PLC0415 - loads httpx, which the embedded core does without

        if self._is_shared and not self._is_embedded:
            return _http.async_http_sender()
        if self._own is None:
            if self._is_embedded:
                self._own = _http.AsyncHTTPSender(_http.PrefectHttpxAsyncClient(**_embedded_options()))
            else:
                self._own = _http.AsyncHTTPSender.to(get_current_settings(), self._api, **self._options)
        return self._own

    async def send(self, call: Call[T]) -> T:
        """Send one call."""
        return await (send_async(call) if self._is_shared else self._http_sender().send(call))

    async def api_healthcheck(self) -> Exception | None:
        """Try to reach the API; gives the error if that fails."""
        try:
            await self.send(Call("GET", "/health"))
        except Exception as error:  # noqa: BLE001 - whatever keeps the API from answering is the answer
            return error
        return None

    async def raise_for_api_version_mismatch(self) -> None:
        """Compare the server's version with this package's.

        Raises:
            RuntimeError: They have different major versions, or the server cannot be asked.
        """
        if not self._needs_version_check():
            return
        try:
            theirs = await self.api_version()
        except Exception as error:
            raise RuntimeError(f"Failed to reach API at {self.api_url}: {error}") from error
        self._check_version(theirs)

    async def raise_for_api_version_mismatch_once(self) -> None:
        """The same, once for each API in this process."""
        if str(self.api_url) not in _checked:
            await self.raise_for_api_version_mismatch()
            _checked.add(str(self.api_url))


def _embedded_options() -> dict[str, Any]:
    from prefect.client._http import EMBEDDED_URL  # noqa: PLC0415 - httpx loads only where its types are wanted
    from prefect.client._in_process_http import InProcessTransport  # noqa: PLC0415

    transport = InProcessTransport(embedded_database(get_current_settings()))
    return {"base_url": EMBEDDED_URL, "transport": transport, "raise_on_all_errors": False}


@overload
def get_client(httpx_settings: dict[str, Any] | None = None, sync_client: Literal[False] = False) -> PrefectClient: ...
@overload
def get_client(httpx_settings: dict[str, Any] | None = None, *, sync_client: Literal[True]) -> SyncPrefectClient: ...
@overload
def get_client(httpx_settings: dict[str, Any] | None, sync_client: Literal[True]) -> SyncPrefectClient: ...
def get_client(
    httpx_settings: dict[str, Any] | None = None, sync_client: bool = False
) -> SyncPrefectClient | PrefectClient:
    """A client of the API that the current settings name: a server, or the core in this process.

    Args:
        httpx_settings: Options for the HTTP client, for this client only.
        sync_client: Give a client for sync code.

    Raises:
        ValueError: There is no API URL, and the embedded mode is switched off.
    """
    settings = get_current_settings()
    if not settings.api.url:
        embedded_database(settings)
        httpx_settings = None  # there is no HTTP to configure
    kind = SyncPrefectClient if sync_client else PrefectClient
    return kind(settings.api.url or "", httpx_settings=httpx_settings)
