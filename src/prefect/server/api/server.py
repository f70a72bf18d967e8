"""Makes the ASGI application of a server: the API, its websockets, and what stands around them."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from starlette.middleware.cors import CORSMiddleware

from prefect._extras import import_extra
from prefect.logging import get_logger
from prefect.server.api._access_log import log_exchange, open_access_log
from prefect.server.api._audit import AuditTrail
from prefect.server.api._auth import Gate, KeyRing
from prefect.server.api._csrf import CsrfGuard
from prefect.server.api._endpoint import ApiEndpoint
from prefect.server.api._matching import RouteTree
from prefect.server.api._observing import Observer, observed
from prefect.server.api._pages import api_pages, outer_pages
from prefect.server.api._responses import Answer, send_answer
from prefect.server.api._sockets import Sockets
from prefect.server.database.store import Store, forget_store, open_store
from prefect.server.models.csrf import read_csrf_key
from prefect.server.routes import all_routes
from prefect.server.services.runner import ServiceRunner
from prefect.settings import Settings, get_current_settings

__all__ = ["ServerApp", "create_app"]

logger = get_logger("server")

_READERS = 8
"""Requests that only read are run by threads of their own: long ones must not hold up the transitions of runs."""


class ServerApp:
    """The ASGI application of a server. It opens its database when it is started, and closes it when it is stopped."""

    def __init__(self, settings: Settings, *, webserver_only: bool = False) -> None:
        self.settings = settings
        self.webserver_only = webserver_only
        self.base_path = _base_path(settings)
        self._below = self.base_path + "/"
        self._pages = outer_pages(settings, self.base_path, lambda: self._gate.is_closed)
        url = settings.server.database.connection_url
        assert url is not None  # the settings derive one from the home folder
        self._url = url.get_secret_value()
        self._store: Store | None = None
        self._api: ApiEndpoint | None = None
        self._sockets: Sockets | None = None
        self._services: ServiceRunner | None = None
        self._metrics: Any = None
        self.observers: list[Observer] = []
        """Are told of every request. Nobody watches by default: it costs time."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        if scope["type"] == "websocket" and self._sockets is not None:
            await self._sockets(scope, path.removeprefix(self.base_path), receive, send)
        elif scope["type"] == "http" and self._api is not None:
            if path.startswith(self._below):
                await self._api(scope, path[len(self.base_path) :], receive, send)
            else:
                page = self._pages.get(path) if scope["method"] == "GET" else None
                with suppress(Exception):  # a page can be shown without the newest keys
                    await self._gate.freshen()
                answer = Answer(404, b'{"detail":"Not Found"}') if page is None else page()
                await send_answer(send, answer, dict(scope["headers"]), self._readers)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await asyncio.to_thread(self._start)
            assert self._store is not None
            self._sockets = Sockets(self._store, self.settings, self._gate, self._audit, self._readers)
            if self._metrics is not None:
                self._metrics.watch(self._store, self._sockets.count_open)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server must say why it does not start
            logger.error("The server cannot start: %s", error)
            await send({"type": "lifespan.startup.failed"})  # with a message, it would be logged once more
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._stop)
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        server = self.settings.server
        pages = dict(api_pages())
        if server.metrics_enabled:
            self._metrics = _make_metrics()
            self.observers.append(self._metrics.see_exchange)
            pages["/metrics"] = self._metrics.page
        if open_access_log():
            self.observers.append(log_exchange)
        self._store = open_store(self._url, durable=True)
        self._readers = ThreadPoolExecutor(_READERS, "prefect-reader")
        self._writers = ThreadPoolExecutor(self._store.good_writers, "prefect-writer")
        if not self.webserver_only:
            self._services = ServiceRunner(
                self._store, observe=None if self._metrics is None else self._metrics.see_round
            )
            self._services.start()
        auth = server.api.auth_string
        keys = KeyRing(self._store)
        keys.refresh()
        self._gate = Gate(None if auth is None else auth.get_secret_value(), keys)
        self._audit = AuditTrail(self._store)
        self._audit.start()
        self._api = ApiEndpoint(
            self._store,
            RouteTree(all_routes()),
            self._gate,
            self._audit,
            self._readers,
            self._writers,
            self.base_path,
            server.log_retryable_errors,
            self._has_changed,
            CsrfGuard(self._store.write(read_csrf_key)) if server.api.csrf_protection_enabled else None,
            pages,
        )

    def _has_changed(self, segment: str) -> None:
        if segment == "api_keys":
            self._gate.forget()
        if self._services is not None:
            self._services.wake_for(segment)

    def _stop(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._audit.stop()
        if self._services is not None:
            self._services.stop()
        forget_store(self._url)


def create_app(settings: Settings | None = None, *, webserver_only: bool | None = None) -> Any:
    """Make the ASGI application of a server.

    Args:
        settings: What it is made with; the current settings by default.
        webserver_only: Leave the background services to other processes.
    """
    if webserver_only is None:
        webserver_only = os.environ.get("PREFECT__SERVER_WEBSERVER_ONLY", "").lower() in ("1", "true")
    settings = settings or get_current_settings()
    api = settings.server.api
    app = ServerApp(settings, webserver_only=webserver_only)
    across_origins = CORSMiddleware(
        app,
        allow_origins=_listed(api.cors_allowed_origins),
        allow_methods=_listed(api.cors_allowed_methods),
        allow_headers=_listed(api.cors_allowed_headers),
    )

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        # Only browsers name an origin; for the others the middleware would cost a tenth of the time of a request.
        is_from_browser = scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"])
        answering = across_origins if is_from_browser else app
        if app.observers and scope["type"] == "http":
            await observed(answering, app.observers, scope, receive, send)
        else:
            await answering(scope, receive, send)

    return serve


def _make_metrics() -> Any:
    return import_extra("prefect.server.api._metrics", "metrics", "PREFECT_SERVER_METRICS_ENABLED").ServerMetrics()


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _base_path(settings: Settings) -> str:
    path = (settings.server.api.base_path or "/api").strip("/")
    return f"/{path}" if path else ""
