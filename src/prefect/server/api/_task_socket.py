"""The websocket of task workers: one background run at a time, the next when the worker has confirmed the one before.

A run is only told of here. A worker has it when its transition to PENDING is accepted, which happens once, whatever
this or another server tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

import orjson
from starlette.websockets import WebSocket

from prefect.client.schemas.objects import TaskRun
from prefect.server.api._alarm import Alarm
from prefect.server.database.notifications import BACKGROUND_RUNS
from prefect.server.database.store import Store
from prefect.server.models.task_workers import ConnectedWorker, read_waiting_runs, task_workers

NOT_UNDERSTOOD = 4001
_LOOK_EVERY_SECONDS = 1.0
"""So often the database is asked for runs that nobody tells of: those whose time has come."""

Run = Callable[[Callable[[], Any]], Coroutine[Any, Any, Any]]


class NotUnderstood(Exception):
    """The worker said something else than what was expected."""


async def offer_task_runs(socket: WebSocket, store: Store, run: Run) -> None:
    """Tell one worker of the runs of its tasks, until it goes.

    Args:
        socket: It is accepted already.
        store: Where the runs are.
        run: Runs a function in a worker thread.

    Raises:
        NotUnderstood: The worker said something else than what was expected.
        WebSocketDisconnect: The worker has gone.
    """
    worker = _subscriber(await socket.receive_text())
    listening = asyncio.ensure_future(socket.receive_text())
    task_workers.see(socket, worker)
    alarm = Alarm(store, BACKGROUND_RUNS)
    try:
        while True:
            offered = await _next_run(store, run, worker, listening, alarm)
            if offered is None:
                break
            is_taken = False
            try:
                await socket.send_text(offered.model_dump_json())
                reply = _message(await listening).get("type")
                is_taken = reply == "ack"
            finally:
                (task_workers.taken if is_taken else task_workers.not_taken)(offered.id)
            if reply == "quit":
                break
            if not is_taken:
                raise NotUnderstood("Expected 'ack' or 'quit'.")
            task_workers.see(socket, _heard_now(worker))
            listening = asyncio.ensure_future(socket.receive_text())
        await socket.close(1000)
    finally:
        alarm.close()
        listening.cancel()
        task_workers.lose(socket)


async def _next_run(
    store: Store, run: Run, worker: ConnectedWorker, listening: asyncio.Future[str], alarm: Alarm
) -> TaskRun | None:
    """Wait for a run that nobody else is told of; None when the worker quits meanwhile."""
    while True:
        alarm.reset()
        if listening.done():
            if _message(listening.result()).get("type") == "quit":
                return None
            raise NotUnderstood("Expected nothing but 'quit' before a task run.")
        passed = task_workers.on_their_way()
        waiting = await run(
            lambda passed=passed: store.read(lambda tx: read_waiting_runs(tx, worker.task_keys, passed))
        )
        found = task_workers.offer(waiting)
        if found is not None:
            return found
        await alarm.wait_beside(listening, _LOOK_EVERY_SECONDS)


def _message(text: str) -> dict[str, Any]:
    try:
        message = orjson.loads(text)
    except ValueError:
        raise NotUnderstood("Expected JSON as text.") from None
    if not isinstance(message, dict):
        raise NotUnderstood("Expected a JSON object.")
    return message


def _subscriber(text: str) -> ConnectedWorker:
    message = _message(text)
    if message.get("type") != "subscribe":
        raise NotUnderstood("Expected 'subscribe' message.")
    keys, identifier = message.get("keys"), message.get("client_id")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise NotUnderstood("Expected 'keys' in 'subscribe' message: a list of task keys.")
    if not isinstance(identifier, str) or not identifier:
        raise NotUnderstood("Expected 'client_id' in 'subscribe' message.")
    return ConnectedWorker(identifier, tuple(dict.fromkeys(keys)), datetime.now(timezone.utc))


def _heard_now(worker: ConnectedWorker) -> ConnectedWorker:
    return ConnectedWorker(worker.identifier, worker.task_keys, datetime.now(timezone.utc))
