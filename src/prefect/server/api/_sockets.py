"""The websockets of the API: events in, events out, logs out."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort
from prefect.client.schemas.worker_channel import WorkerChannelCloseReason
from prefect.events.filters import EventFilter, EventOrder
from prefect.events.schemas.events import Event, ReceivedEvent
from prefect.logging import get_logger
from prefect.server.api._audit import AuditTrail, address_of
from prefect.server.api._auth import ANYBODY, Gate, Identity
from prefect.server.api._hub import Hub
from prefect.server.api._task_socket import NOT_UNDERSTOOD, NotUnderstood, offer_task_runs
from prefect.server.api._worker_channel import close_channel, pool_of_channel, serve_worker
from prefect.server.database.errors import RequestTooLarge, StorageError
from prefect.server.database.filters.clauses import all_of, is_in
from prefect.server.database.filters.logs import log_clause
from prefect.server.database.store import Store, Transaction
from prefect.server.models.errors import ApiError
from prefect.server.models.event_queries import Position, read_events
from prefect.server.models.events import record_events_apart
from prefect.server.models.logs import read_logs
from prefect.server.schemas.access import Role
from prefect.settings import Settings

T = TypeVar("T")
Model = TypeVar("Model", ReceivedEvent, Log)

logger = get_logger("server.api")

_SUBPROTOCOL = "prefect"
_REFUSED, _MALFORMED = 1008, 1002
_MOST_QUEUED_EVENTS = 2000
"""A client that sends events faster than they are stored is no longer read from while so many wait."""
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Between two attempts to store them."""
_MOST_AT_ONCE = 200
_MOST_REMEMBERED = 5000
_LONGEST_REASON_BYTES = 120
_FUTURE = timedelta(days=366)
_FOR_OPERATORS = frozenset({"/events/in", "/task_runs/subscriptions/scheduled"})
"""What changes something, beside the channels of workers. The others only show it."""
_LOOK_EVERY_SECONDS = 1.0
"""So often a socket looks whether its key is still good."""


class Refused(Exception):
    """The client did not say what it must; the socket is closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")


class MayNot(Refused):
    """The client is known, and has not the role that it needs."""


class Sockets:
    """Serves the websockets of one server."""

    def __init__(self, store: Store, settings: Settings, gate: Gate, audit: AuditTrail, threads: Executor) -> None:
        self._store, self._settings, self._gate, self._threads = store, settings, gate, threads
        self._audit = audit
        self._hub = Hub(store, self._run)
        self._open: Counter[str] = Counter()
        events, logs = settings.server.events, settings.server.logs
        self._routes: dict[str, Callable[[WebSocket], Awaitable[None]]] = {
            "/events/in": self._take_events,
            "/task_runs/subscriptions/scheduled": self._offer_task_runs,
        }
        if events.stream_out_enabled:
            self._routes["/events/out"] = self._send_events
        # Clients that follow a run end when they are refused, and do well without its logs.
        streams_logs = logs.stream_out_enabled and logs.stream_publishing_enabled
        self._routes["/logs/out"] = self._send_logs if streams_logs else self._send_no_logs

    async def __call__(self, scope: Any, path: str, receive: Any, send: Any) -> None:
        """Serve one websocket; `path` stands below the root of the API."""
        socket = WebSocket(scope, receive, send)
        pool = pool_of_channel(path)
        if pool is not None:
            await self._serve_worker(socket, path, pool)
            return
        serve = self._routes.get(path)
        if serve is None:
            await socket.close(_REFUSED, "There is no websocket here.")
            return
        try:
            identity = await self._admit(socket, path)
            if identity is not None:
                self._open[path] += 1
                try:
                    await self._serve_while_admitted(socket, serve, identity)
                finally:
                    self._open[path] -= 1
        except Refused as refusal:
            await socket.close(refusal.code, refusal.reason)
        except (ApiError, RequestTooLarge) as error:  # what was asked for cannot be read
            refusal = Refused(_MALFORMED, str(error))
            await socket.close(refusal.code, refusal.reason)
        except (WebSocketDisconnect, asyncio.CancelledError):
            pass
        except Exception:  # the edge: one socket's trouble is not the server's
            logger.exception("The websocket %s failed", path)
            await _close(socket, 1011)

    def count_open(self) -> dict[str, int]:
        """How many clients are connected now, by path."""
        return {path: self._open[path] for path in self._routes}

    async def _admit(self, socket: WebSocket, path: str) -> Identity | None:
        """Shake hands; who it is, or None for somebody to whom the socket is closed already."""
        await self._gate.freshen()
        if _SUBPROTOCOL not in socket.scope.get("subprotocols", ()):
            if self._gate.is_closed:
                self._leave_trail(socket, path, None, 401)
                await socket.close(_MALFORMED, "The subprotocol 'prefect' is needed.")
                return None
            await socket.accept()
            return ANYBODY
        await socket.accept(subprotocol=_SUBPROTOCOL)
        first = await _receive(socket)
        if not isinstance(first, dict) or first.get("type") != "auth":
            raise Refused(_REFUSED, "The first message must be of type 'auth'.")
        await self._gate.freshen()  # the message may have been long in coming
        identity = self._gate.identify_token(first.get("token"))
        if identity is None:
            self._leave_trail(socket, path, None, 401)
            raise Refused(_REFUSED, "The token is not the right one.")
        changes = path in _FOR_OPERATORS or pool_of_channel(path) is not None
        needed = Role.OPERATOR if changes else Role.VIEWER
        if not identity.role.includes(needed):
            self._leave_trail(socket, path, identity, 403)
            raise MayNot(_REFUSED, f"The key has the role {identity.role.value}; {needed.value} is needed.")
        if identity is not ANYBODY:
            self._leave_trail(socket, path, identity, 101)
        await socket.send_text('{"type":"auth_success"}')
        return identity

    def _leave_trail(self, socket: WebSocket, path: str, identity: Identity | None, status: int) -> None:
        if identity is not None:
            self._audit.note_use(identity)
        self._audit.note(identity, "WEBSOCKET", path, path, status, address_of(socket.scope))

    async def _serve_while_admitted(
        self, socket: WebSocket, serve: Callable[[WebSocket], Awaitable[None]], identity: Identity
    ) -> None:
        serving = asyncio.ensure_future(serve(socket))
        watching = asyncio.ensure_future(self._wait_for_refusal(identity))
        try:
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
                return
        finally:
            serving.cancel()
            watching.cancel()
            await asyncio.gather(serving, watching, return_exceptions=True)
        raise Refused(_REFUSED, "The key is no longer good.")

    async def _wait_for_refusal(self, identity: Identity) -> None:
        """Return when somebody who was let in would not be any more."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            with suppress(Exception):  # without the database nobody is turned out
                await self._gate.freshen()
            if not self._gate.still_admits(identity):
                return

    async def _serve_worker(self, socket: WebSocket, path: str, pool: str) -> None:
        if _SUBPROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.close()  # before it is accepted, this answers 403
            return
        try:
            identity = await self._admit(socket, path)
            assert identity is not None  # only those without the subprotocol are sent away without an error
            await self._serve_while_admitted(
                socket, lambda socket: serve_worker(socket, pool, self._store, self._run), identity
            )
        except MayNot:
            await close_channel(socket, WorkerChannelCloseReason.AUTHORIZATION_FAILED)
        except Refused:
            await close_channel(socket, WorkerChannelCloseReason.AUTHENTICATION_FAILED)
        except (WebSocketDisconnect, asyncio.CancelledError):
            pass
        except Exception:  # the edge, as above
            logger.exception("The channel of a worker of the work pool %r failed", pool)
            await _close(socket, 1011, WorkerChannelCloseReason.TRANSIENT_SERVER_ERROR.value)

    async def _run(self, unit: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, unit)

    # -- in ----------------------------------------------------------------------------------------------------------

    async def _take_events(self, socket: WebSocket) -> None:
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_MOST_QUEUED_EVENTS)
        storing = asyncio.ensure_future(self._store_events(queue))
        try:
            while True:
                text = await _receive_text(socket)
                try:
                    await queue.put(Event.model_validate_json(text))
                except ValidationError as error:
                    raise Refused(_MALFORMED, f"This is no event: {_first_problem(error)}") from None
        finally:
            # What had arrived is stored, also when the client has gone.
            await queue.put(None)
            await storing

    async def _store_events(self, queue: asyncio.Queue[Event | None]) -> None:
        """Store what has queued up, as much as there is at a time."""
        is_open = True
        while is_open:
            batch = [await queue.get()]
            while not queue.empty():
                batch.append(queue.get_nowait())
            is_open = batch[-1] is not None
            events = [event for event in batch if event is not None]
            if events:
                await self._store_batch(events)

    async def _store_batch(self, events: list[Event]) -> None:
        """Store events, however long the database is away: nobody has them any more but this process."""
        pause = _SHORTEST_PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._run(lambda: record_events_apart(self._store, events))
                    return
                except StorageError as error:
                    if pause == _SHORTEST_PAUSE_SECONDS:
                        logger.warning("%s events wait for the database: %s", len(events), error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        except asyncio.CancelledError:
            logger.error("%s events are lost: the server was stopped while they waited for its database", len(events))
            raise

    # -- out ---------------------------------------------------------------------------------------------------------

    async def _send_events(self, socket: WebSocket) -> None:
        asked, wanted = await _asked(socket, EventFilter)
        wanted.order = EventOrder.ASC
        subscription = await self._hub.subscribe("event")
        seen: OrderedDict[UUID, None] = OrderedDict()
        try:
            if asked.get("backfill", True):
                await self._send_past_events(socket, wanted, seen)
            wanted.occurred = wanted.occurred.model_copy(update={"until": datetime.now(timezone.utc) + _FUTURE})
            async for ids in _news(socket, subscription.take):
                events = await self._read(lambda tx, ids=ids: read_events(tx, wanted, len(ids), among=ids))
                await _send_new_events(socket, _as_stored(events, ids), seen)
        finally:
            self._hub.unsubscribe("event", subscription)

    async def _send_past_events(self, socket: WebSocket, wanted: EventFilter, seen: OrderedDict[UUID, None]) -> None:
        bounds = self._settings.server.events
        now = datetime.now(timezone.utc)
        # The filter's own end may be the moment when it was read: what came between that and the subscription belongs here.
        span = {
            "since": max(wanted.occurred.since, now - bounds.maximum_websocket_backfill),
            "until": max(wanted.occurred.until, now),
        }
        past = wanted.model_copy(update={"occurred": wanted.occurred.model_copy(update=span)})
        size, after = bounds.websocket_backfill_page_size, None
        while True:
            page = await self._read(lambda tx, after=after: read_events(tx, past, size, after))
            await _send_new_events(socket, page, seen)
            if len(page) < size:
                return
            after = Position(page[-1].occurred, page[-1].id)

    async def _send_logs(self, socket: WebSocket) -> None:
        _, wanted = await _asked(socket, LogFilter)
        where = log_clause(self._store.dialect, wanted)
        subscription = await self._hub.subscribe("log")
        try:
            async for ids in _news(socket, subscription.take):
                chosen = all_of(where, is_in("log.id", ids))
                logs = await self._read(lambda tx, chosen=chosen, most=len(ids): read_logs(
                    tx, chosen, LogSort.TIMESTAMP_ASC, most
                ))  # fmt: skip
                for log in _as_stored(logs, ids):
                    await socket.send_text(_framed("log", log))
        finally:
            self._hub.unsubscribe("log", subscription)

    async def _send_no_logs(self, socket: WebSocket) -> None:
        await _asked(socket, LogFilter)
        await _wait_for_end(socket)

    async def _offer_task_runs(self, socket: WebSocket) -> None:
        try:
            await offer_task_runs(socket, self._store, self._run)
        except NotUnderstood as error:
            raise Refused(NOT_UNDERSTOOD, str(error)) from None

    async def _read(self, unit: Callable[[Transaction], T]) -> T:
        return await self._run(lambda: self._store.read(unit))


async def _asked(socket: WebSocket, model: type[Any]) -> tuple[dict[str, Any], Any]:
    """The message in which a client says what it wants to see, and the filter in it."""
    message = await _receive(socket)
    if not isinstance(message, dict) or message.get("type") != "filter":
        raise Refused(_MALFORMED, "Expected a message of type 'filter'.")
    try:
        return message, model.model_validate(message.get("filter") or {})
    except ValidationError as error:
        raise Refused(_MALFORMED, f"Invalid filter: {_first_problem(error)}") from None


async def _receive_text(socket: WebSocket) -> str:
    try:
        return await socket.receive_text()
    except KeyError:  # it holds bytes
        raise Refused(_MALFORMED, "Expected JSON as text.") from None


async def _receive(socket: WebSocket) -> Any:
    try:
        return orjson.loads(await _receive_text(socket))
    except ValueError:
        raise Refused(_MALFORMED, "Expected JSON as text.") from None


async def _news(socket: WebSocket, take: Callable[[int], Awaitable[list[UUID]]]) -> AsyncIterator[list[UUID]]:
    """Yield ids as they come, until the client hangs up."""
    hung_up = asyncio.ensure_future(_wait_for_end(socket))
    try:
        while True:
            taking = asyncio.ensure_future(take(_MOST_AT_ONCE))
            await asyncio.wait({taking, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                taking.cancel()
                return
            yield taking.result()
    finally:
        hung_up.cancel()


def _as_stored(found: list[Model], ids: list[UUID]) -> list[Model]:
    places = {id: place for place, id in enumerate(ids)}
    return sorted(found, key=lambda each: places[each.id])


async def _wait_for_end(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send_new_events(socket: WebSocket, events: list[ReceivedEvent], seen: OrderedDict[UUID, None]) -> None:
    for event in events:
        if event.id in seen:
            continue
        seen[event.id] = None
        if len(seen) > _MOST_REMEMBERED:
            seen.popitem(last=False)
        await socket.send_text(_framed("event", event))


def _framed(kind: str, model: BaseModel) -> str:
    return f'{{"type":"{kind}","{kind}":{model.model_dump_json()}}}'


async def _close(socket: WebSocket, code: int, reason: str = "") -> None:
    try:
        await socket.close(code, reason)
    except RuntimeError:
        pass  # it is closed already


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the message'}: {problem['msg']}"
