"""Tells that flow runs are alive: one thread a process, for all runs in it, so that busy code cannot silence it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from prefect._engine.related import flow_run_resources
from prefect._recorder import get_recorder
from prefect.client._send import keep_runs_alive
from prefect.events.schemas.events import Event, RelatedResource, Resource
from prefect.settings import get_current_settings
from prefect.settings.context import activate_settings

MINIMUM_HEARTBEAT_INTERVAL = 30
_LEASE_RENEWAL_SECONDS = 20.0
_NEVER = float("inf")


class _Beat:
    __slots__ = ("due", "flow", "flow_run", "interval", "recorder", "settings")

    def __init__(self, flow_run: Any, flow: Any, interval: float) -> None:
        self.flow_run, self.flow, self.interval = flow_run, flow, interval
        self.settings = get_current_settings()
        self.recorder = get_recorder()
        self.due = time.monotonic() + interval

    def emit(self) -> None:
        run = self.flow_run
        self.recorder.event(
            Event(
                event="prefect.flow-run.heartbeat",
                resource=Resource(
                    {"prefect.resource.id": f"prefect.flow-run.{run.id}", "prefect.resource.name": run.name}
                ),
                related=[RelatedResource(related) for related in flow_run_resources(run, self.flow)[1:]],
            )
        )


_lock = threading.Lock()
_beats: dict[Any, _Beat] = {}
_thread: threading.Thread | None = None


def _after_fork() -> None:
    # The runs of the parent are the parent's to tell of.
    global _lock, _thread
    _lock, _thread = threading.Lock(), None
    _beats.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def beat_for(flow_run: Any, flow: Any) -> Generator[None, None, None]:
    """Emit `prefect.flow-run.heartbeat` at once, and every `flows.heartbeat_frequency` seconds while in this block.

    The lease by which the core knows that this process runs the flow is renewed as well.
    """
    frequency = get_current_settings().flows.heartbeat_frequency
    beat = _Beat(flow_run, flow, _NEVER if frequency is None else max(float(frequency), MINIMUM_HEARTBEAT_INTERVAL))
    if frequency is not None:
        beat.emit()
    _add(flow_run.id, beat)
    try:
        yield
    finally:
        with _lock:
            _beats.pop(flow_run.id, None)


def _add(key: Any, beat: _Beat) -> None:
    global _thread
    with _lock:
        _beats[key] = beat
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_loop, name="prefect-heartbeats", daemon=True)
            _thread.start()


def _loop() -> None:
    while True:
        with _lock:
            now = time.monotonic()
            due = [beat for beat in _beats.values() if beat.due <= now]
            for beat in due:
                beat.due = now + beat.interval
            places = {id(beat.settings): beat.settings for beat in _beats.values()}
        for beat in due:
            beat.emit()
        for settings in places.values():
            _renew(settings)
        time.sleep(_LEASE_RENEWAL_SECONDS)


def _renew(settings: Any) -> None:
    try:
        with activate_settings(settings):
            keep_runs_alive()
    except Exception:
        # One renewal that fails costs nothing, the next comes within the lease; a run must not fail for it.
        logging.getLogger("prefect.flow_runs").debug("Renewing leases failed", exc_info=True)
