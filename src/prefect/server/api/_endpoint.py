"""Answers HTTP requests from the route table: one worker thread a request reads, runs and writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from prefect.logging import get_logger
from prefect.server.api._auth import Gate
from prefect.server.api._bodies import read_body, write_body, write_problem
from prefect.server.api._callers import read_caller
from prefect.server.api._csrf import CsrfGuard
from prefect.server.api._matching import RouteTree
from prefect.server.api._observing import ROUTE
from prefect.server.api._pages import Pages
from prefect.server.api._responses import Answer, Headers, send_answer
from prefect.server.database.errors import (
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnavailable,
)
from prefect.server.database.store import Store
from prefect.server.routes import ApiError, Route, dispatch

logger = get_logger("server.api")

MOST_BODY_BYTES = 64 * 1024 * 1024
_QUICK = frozenset({"/health", "/hello", "/version"})
"""Touch no database, and must answer when all worker threads wait for one."""
_UNVERSIONED = frozenset({"/health", "/version"})
_UNUSABLE = (DatabaseUnavailable, DatabaseDamaged, DatabaseForeign, DatabaseNewer)
_RETRY_AFTER_SECONDS = "1"

Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, as `dispatch` takes it."""

    method: str
    template: str
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any


class _TooLarge(Exception):
    """A body is larger than the server takes."""


class _Gone(Exception):
    """The client has hung up before its request was complete."""


class ApiEndpoint:
    """The ASGI application of the API, for HTTP; `path` in its scope stands below the root of the API."""

    def __init__(
        self,
        store: Store,
        routes: RouteTree,
        gate: Gate,
        threads: Executor,
        base_path: str,
        log_retryable: bool,
        has_changed: Callable[[str], None] | None = None,
        csrf: CsrfGuard | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._store = store
        self._routes = routes
        self._gate = gate
        self._threads = threads
        self._base_path = base_path
        self._log_retryable = log_retryable
        self._has_changed = has_changed
        """Is told the first segment of the path of every request that has changed something."""
        self._csrf = csrf
        self._pages = pages or {}

    async def __call__(self, scope: Scope, path: str, receive: Any, send: Any) -> None:
        """Answer one request.

        Args:
            scope: Of ASGI.
            path: Below the root of the API, decoded.
            receive: Of ASGI.
            send: Of ASGI.
        """
        headers: Headers = dict(scope["headers"])
        method: str = scope["method"]
        if not self._gate.admits_request(method, path, headers.get(b"authorization")):
            answer = Answer(401, _UNAUTHORIZED)
        else:
            try:
                answer = await self._answer(scope, method, path, headers, receive)
            except _Gone:
                return
        await send_answer(send, answer, headers, self._threads)

    async def _answer(self, scope: Scope, method: str, path: str, headers: Headers, receive: Any) -> Answer:
        route, values = self._routes.find_literal(method, path), {}
        if route is None:
            segments = self._segments(scope, path)
            found = self._routes.find(method, segments)
            if found is None:
                page = self._pages.get(path) if method == "GET" else None
                if page is not None:
                    scope[ROUTE] = path
                    return await asyncio.get_running_loop().run_in_executor(self._threads, page)
                return self._astray(scope, headers, segments)
            route, values = found
        scope[ROUTE] = route.path
        try:
            content = await _read(receive, headers)
        except _TooLarge:
            return Answer(413, write_problem({"detail": f"The body is larger than {MOST_BODY_BYTES} bytes."}))
        if route.path in _QUICK:
            return self._run(route, values, scope, headers, content)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, route, values, scope, headers, content)

    def _segments(self, scope: Scope, path: str) -> list[str]:
        # A name may hold a slash, which stands as %2F in the path as it was sent, and only there.
        raw = scope.get("raw_path")
        if raw and b"%2" in raw:
            root = quote(scope.get("root_path", "")) + self._base_path
            return [unquote(each) for each in raw.decode("latin-1").partition("?")[0].removeprefix(root).split("/")]
        return path.split("/")

    def _astray(self, scope: Scope, headers: Headers, segments: list[str]) -> Answer:
        """What to say of a path or a method that there is not."""
        allowed = self._routes.allowed(segments)
        if allowed:
            return Answer(405, _NOT_ALLOWED, headers={"Allow": ", ".join(allowed)})
        other = segments[:-1] if segments[-1] == "" else [*segments, ""]
        if len(other) > 1 and self._routes.allowed(other):
            query = scope["query_string"].decode("latin-1")
            path = "/".join(quote(each, safe="") for each in other)
            location = _base_url(scope, headers, self._base_path) + path + (f"?{query}" if query else "")
            return Answer(307, headers={"Location": location})
        return Answer(404, _NOT_FOUND)

    # -- in a worker thread ------------------------------------------------------------------------------------------

    def _run(self, route: Route, values: dict[str, Any], scope: Scope, headers: Headers, content: bytes) -> Answer:
        try:
            return self._respond(route, values, scope, headers, content)
        except ApiError as error:
            if error.status >= 500:
                logger.error("%s %s failed: %s", route.method, route.path, error)
            return Answer(error.status, write_problem(error.body), headers=error.headers)
        except Exception as error:  # the edge: whatever failed, the client gets an answer
            if isinstance(error, _UNUSABLE) or _is_passing(error):
                if self._log_retryable:
                    logger.exception("%s %s could not use the database", route.method, route.path)
                return Answer(503, _UNAVAILABLE, headers={"Retry-After": _RETRY_AFTER_SECONDS})
            logger.exception("%s %s failed", route.method, route.path)
            return Answer(500, _FAILED)

    def _respond(self, route: Route, values: dict[str, Any], scope: Scope, headers: Headers, content: bytes) -> Answer:
        if self._csrf is not None:
            self._csrf.check(route.method, headers)
        base_url = _base_url(scope, headers, self._base_path)
        caller = read_caller({} if route.path in _UNVERSIONED else headers, base_url)
        body = read_body(content, headers.get(b"content-type", b"").decode("latin-1")) if content else None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)) if route.query else {}
        reply = dispatch(self._store, _Request(route.method, route.path, values, query, body), caller)
        if route.writes and self._has_changed is not None:
            self._has_changed(route.path.split("/", 2)[1])
        if reply.media_type != "application/json":
            pieces = iter((reply.body,)) if isinstance(reply.body, str) else iter(reply.body or ())
            return Answer(reply.status, b"", reply.media_type, reply.headers, pieces)
        if reply.status == 204:
            return Answer(204, headers=reply.headers)
        return Answer(reply.status, write_body(reply.body), headers=reply.headers)


_UNAUTHORIZED = b'{"exception_message":"Unauthorized"}'
_NOT_FOUND = b'{"detail":"Not Found"}'
_NOT_ALLOWED = b'{"detail":"Method Not Allowed"}'
_UNAVAILABLE = b'{"exception_message":"Service Unavailable"}'
_FAILED = b'{"exception_message":"Internal Server Error"}'


def _is_passing(error: Exception) -> bool:
    # What a driver says when the connection went away or two transactions were in each other's way (PEP 249); no
    # driver may be imported here.
    return any(each.__name__ in ("OperationalError", "InterfaceError") for each in type(error).__mro__)


def _base_url(scope: Scope, headers: Headers, base_path: str) -> str:
    host = headers.get(b"host")
    if host is None:
        server = scope.get("server") or ("localhost", None)
        host = f"{server[0]}:{server[1]}".encode() if server[1] else str(server[0]).encode()
    return f"{scope.get('scheme', 'http')}://{host.decode('latin-1')}{scope.get('root_path', '')}{base_path}"


async def _read(receive: Any, headers: Headers) -> bytes:
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > MOST_BODY_BYTES:
        raise _TooLarge
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _Gone
    content: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return content
    parts, size = [content], len(content)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY_BYTES:
            raise _TooLarge
    return b"".join(parts)
