"""What clients know about the API that they talk to, and the HTTP clients below them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from prefect.settings import get_current_settings
from prefect.settings._derive import kind_of_server
from prefect.utilities.collections import AutoEnum

if TYPE_CHECKING:
    pass

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HTTPX = {
    name: "prefect.client._httpx_clients"
    for name in ("PrefectHttpxAsyncClient", "PrefectHttpxSyncClient", "PrefectResponse")
}
"""Names whose module loads httpx, which the embedded core does without."""


def __getattr__(name: str) -> Any:
    if name not in _HTTPX:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HTTPX[name]), name)
    return value


class ASGIApp(Protocol):
    """An application that speaks ASGI."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class ServerType(AutoEnum):
    """What kind of API a client talks to."""

    EPHEMERAL = AutoEnum.auto()
    SERVER = AutoEnum.auto()
    CLOUD = AutoEnum.auto()
    UNCONFIGURED = AutoEnum.auto()


def determine_server_type() -> ServerType:
    """What kind of API the current settings name."""
    return ServerType(kind_of_server(get_current_settings()).upper())


# -- applications in this process --------------------------------------------------------------------------------------

APP_LIFESPANS: dict[tuple[int, int], Any] = {}
"""The started applications, by thread and application; all uses in one thread share one start."""
APP_LIFESPANS_REF_COUNTS: dict[tuple[int, int], int] = {}
APP_LIFESPANS_LOCKS: defaultdict[int, Any] = defaultdict(threading.Lock)


@asynccontextmanager
async def app_lifespan_context(app: ASGIApp) -> AsyncGenerator[None, None]:
    """Have an ASGI application started, and stopped when its last user in this thread leaves.

    Raises:
        RuntimeError: The application says that it could not start.
    """
    thread = threading.get_ident()
    key = (thread, id(app))
    with APP_LIFESPANS_LOCKS[thread]:
        is_first = key not in APP_LIFESPANS
        if is_first:
            APP_LIFESPANS[key] = _Lifespan(app)
        APP_LIFESPANS_REF_COUNTS[key] = APP_LIFESPANS_REF_COUNTS.get(key, 0) + 1
    lifespan = APP_LIFESPANS[key]
    try:
        await lifespan.start()
        yield
    finally:
        with APP_LIFESPANS_LOCKS[thread]:
            APP_LIFESPANS_REF_COUNTS[key] -= 1
            is_last = APP_LIFESPANS_REF_COUNTS[key] == 0
            if is_last:
                del APP_LIFESPANS[key], APP_LIFESPANS_REF_COUNTS[key]
        if is_last:
            await lifespan.stop()


class _Lifespan:
    """The start and the stop of one application, as ASGI's lifespan protocol has them."""

    def __init__(self, app: ASGIApp) -> None:
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever an application runs

        self._asyncio: Any = asyncio
        self._app = app
        self._events: Any = asyncio.Queue()
        self._started, self._stopped = asyncio.Event(), asyncio.Event()
        self._failure: str | None = None
        self._task: Any = None

    async def start(self) -> None:
        if self._task is None:
            await self._events.put({"type": "lifespan.startup"})
            self._task = self._asyncio.ensure_future(self._run())
        await self._started.wait()
        if self._failure is not None:
            raise RuntimeError(f"The application {self._app!r} did not start: {self._failure}")

    async def stop(self) -> None:
        await self._events.put({"type": "lifespan.shutdown"})
        await self._stopped.wait()
        await self._task

    async def _run(self) -> None:
        try:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, self._events.get, self._take)
        except Exception as error:  # noqa: BLE001 - an application without lifespan refuses the scope, which is allowed
            if self._started.is_set():
                self._failure = str(error)
        finally:
            self._started.set()
            self._stopped.set()

    async def _take(self, message: Message) -> None:
        kind = message["type"]
        if kind.endswith(".failed"):
            self._failure = message.get("message") or kind
        if kind.startswith("lifespan.startup"):
            self._started.set()
        else:
            self._stopped.set()
