"""Answers HTTP requests from the route table: one worker thread a request reads, runs and writes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from prefect.logging import get_logger
from prefect.server.api._audit import AuditTrail, address_of
from prefect.server.api._auth import ANYBODY, FREE, Gate, Identity
from prefect.server.api._bodies import read_body, write_body, write_problem
from prefect.server.api._callers import read_caller
from prefect.server.api._csrf import CsrfGuard
from prefect.server.api._matching import RouteTree
from prefect.server.api._observing import ROUTE
from prefect.server.api._pages import Pages
from prefect.server.api._responses import Answer, Headers, send_answer
from prefect.server.api._waiting import ROUTES as WAITING_ROUTES
from prefect.server.api._waiting import answer_when_due, preferred_wait
from prefect.server.database.errors import (
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnavailable,
)
from prefect.server.database.store import Store
from prefect.server.routes import ApiError, Route, dispatch
from prefect.server.schemas.access import Role

logger = get_logger("server.api")

MOST_BODY_BYTES = 64 * 1024 * 1024
_QUICK = frozenset({"/health", "/hello", "/version"})
"""Touch no database, and must answer when all worker threads wait for one."""
_UNVERSIONED = frozenset({"/health", "/version"})
_UNUSABLE = (DatabaseUnavailable, DatabaseDamaged, DatabaseForeign, DatabaseNewer)
_RETRY_AFTER_SECONDS = "1"
_SILENT_SECONDS = 60.0
"""After saying why the database cannot be used; who asks is many, and asks again."""
_QUICK_PATIENCE_SECONDS = 0.5
"""What touches no database does not wait longer to hear from it of new keys."""

Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, as `dispatch` takes it."""

    method: str
    template: str
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any


@dataclass(frozen=True, slots=True)
class _Work:
    """A request that may be answered: its route, the values in its path, what it brings, and who asks."""

    route: Route
    values: dict[str, Any]
    scope: Scope
    headers: Headers
    content: bytes
    identity: Identity
    waited: float = 0.0
    """For how many seconds the client has been waiting for something to be told."""


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
        audit: AuditTrail,
        readers: Executor,
        writers: Executor,
        base_path: str,
        log_retryable: bool,
        has_changed: Callable[[str], None] | None = None,
        csrf: CsrfGuard | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._store = store
        self._routes = routes
        self._gate = gate
        self._audit = audit
        self._readers = readers
        self._writers = writers
        self._base_path = base_path
        self._log_retryable = log_retryable
        self._is_silent_until = 0.0
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
        found = self._find(scope, method, path)
        route = None if found is None else found[0]
        if route is not None:
            scope[ROUTE] = route.path
        try:
            identity = await self._identify(method, path, headers)
        except Exception as error:  # noqa: BLE001 - the edge: whatever failed, the client gets an answer
            await send_answer(send, self._failure(error, method, path), headers, self._readers)
            return
        if identity is None:
            answer = Answer(401, _UNAUTHORIZED)
        elif route is not None and not identity.role.includes(route.role):
            answer = Answer(403, write_problem({"detail": _too_weak(identity, route)}))
        else:
            try:
                answer = await self._answer(scope, method, path, headers, receive, found, identity)
            except _Gone:
                return
        if identity is not ANYBODY:
            await self._leave_trail(scope, identity, route, method, path, answer.status)
        await send_answer(send, answer, headers, self._readers)

    def _find(self, scope: Scope, method: str, path: str) -> tuple[Route, dict[str, Any]] | None:
        """The route of a request, and the values in its path."""
        literal = self._routes.find_literal(method, path)
        return (literal, {}) if literal is not None else self._routes.find(method, self._segments(scope, path))

    async def _identify(self, method: str, path: str, headers: Headers) -> Identity | None:
        """Who asks; None for somebody who must not."""
        if method == "GET" and path in FREE:
            return ANYBODY
        if path not in _QUICK:
            await self._gate.freshen()
        else:
            with suppress(Exception):
                await asyncio.wait_for(self._gate.freshen(), _QUICK_PATIENCE_SECONDS)
        return self._gate.identify(headers.get(b"authorization"))

    async def _leave_trail(
        self, scope: Scope, identity: Identity | None, route: Route | None, method: str, path: str, status: int
    ) -> None:
        """Note in the audit trail what was refused, what may have changed something, and who reads secrets."""
        if identity is not None:
            self._audit.note_use(identity)
        is_harmless = route is None or (route.role is Role.VIEWER and not route.may_show_secrets)
        if identity is not None and is_harmless and status != 403:
            return
        self._audit.note(identity, method, None if route is None else route.path, path, status, address_of(scope))
        if route is not None and route.role is Role.ADMIN and identity is not None:
            # What admins do is stored before they are answered; all else within a second.
            try:
                await asyncio.to_thread(self._audit.flush)
            except Exception:  # the request itself is done; the trail is kept, and stored later
                logger.exception("The audit trail could not be stored")

    async def _answer(
        self,
        scope: Scope,
        method: str,
        path: str,
        headers: Headers,
        receive: Any,
        found: tuple[Route, dict[str, Any]] | None,
        identity: Identity,
    ) -> Answer:
        if found is None:
            page = self._pages.get(path) if method == "GET" else None
            if page is not None:
                scope[ROUTE] = path
                return await asyncio.get_running_loop().run_in_executor(self._readers, page)
            return self._astray(scope, headers, self._segments(scope, path))
        route, values = found
        try:
            content = await _read(receive, headers)
        except _TooLarge:
            return Answer(413, write_problem({"detail": f"The body is larger than {MOST_BODY_BYTES} bytes."}))
        work = _Work(route, values, scope, headers, content, identity)
        if route.path in _QUICK:
            return self._run(work)
        wait = preferred_wait(headers) if route.path in WAITING_ROUTES else 0.0
        if wait:
            return await answer_when_due(
                self._store, scope, receive, wait, lambda waited: self._in_thread(replace(work, waited=waited))
            )
        return await self._in_thread(work)

    async def _in_thread(self, work: _Work) -> Answer:
        threads = self._writers if work.route.writes else self._readers
        return await asyncio.get_running_loop().run_in_executor(threads, self._run, work)

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

    def _run(self, work: _Work) -> Answer:
        try:
            return self._respond(work)
        except Exception as error:  # noqa: BLE001 - the edge: whatever failed, the client gets an answer
            return self._failure(error, work.route.method, work.route.path)

    def _failure(self, error: Exception, method: str, path: str) -> Answer:
        """What to answer where a request failed."""
        if isinstance(error, ApiError):
            if error.status >= 500:
                logger.error("%s %s failed: %s", method, path, error)
            return Answer(error.status, write_problem(error.body), headers=error.headers)
        if isinstance(error, _UNUSABLE) or _is_passing(error):
            if self._log_retryable:
                logger.error("%s %s could not use the database", method, path, exc_info=error)
            elif isinstance(error, _UNUSABLE) and time.monotonic() >= self._is_silent_until:
                self._is_silent_until = time.monotonic() + _SILENT_SECONDS
                logger.error("Requests are answered with 503: %s", error)
            return Answer(503, _UNAVAILABLE, headers={"Retry-After": _RETRY_AFTER_SECONDS})
        logger.error("%s %s failed", method, path, exc_info=error)
        return Answer(500, _FAILED)

    def _respond(self, work: _Work) -> Answer:
        route, scope, headers, content = work.route, work.scope, work.headers, work.content
        if self._csrf is not None:
            self._csrf.check(route.method, headers)
        base_url = _base_url(scope, headers, self._base_path)
        caller = read_caller({} if route.path in _UNVERSIONED else headers, base_url)
        if not work.identity.sees_secrets:
            caller = replace(caller, sees_secrets=False)
        if work.waited:
            caller = replace(caller, waited=timedelta(seconds=work.waited))
        body = read_body(content, headers.get(b"content-type", b"").decode("latin-1")) if content else None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)) if route.query else {}
        reply = dispatch(self._store, _Request(route.method, route.path, work.values, query, body), caller)
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


def _too_weak(identity: Identity, route: Route) -> str:
    return (
        f"The API key {identity.name!r} has the role {identity.role.value}, but {route.method} {route.path} needs the "
        f"role {route.role.value}. Use another key; `prefect server api-key create` makes one."
    )


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
