"""Tells that runs are alive: one thread a process, for all runs in it, so that busy code cannot silence it."""

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
from prefect.client._holder import call_on_new_lease
from prefect.client._send import keep_runs_alive
from prefect.events.schemas.events import Event, RelatedResource, Resource
from prefect.settings import get_current_settings
from prefect.settings.context import activate_settings

MINIMUM_HEARTBEAT_INTERVAL = 30
_ROUND_SECONDS = 20.0
"""At most so long between two looks at what is due."""
_SOON_SECONDS = 5.0
"""Until the next look where it failed, or where nobody knows yet whether anybody wants to hear."""
_MOST_ATTENDED = 16
_LEAST_SECONDS = 0.05


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


class _Place:
    """Settings that name an API, and the seconds until the next look at the leases there."""

    __slots__ = ("pause", "settings")

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.pause = _ROUND_SECONDS


_lock = threading.Lock()
_beats: dict[Any, _Beat] = {}
_places: dict[Any, Any] = {}
"""The settings of every run in this process, by a key of its own: they name the API that holds leases on it."""
_attended: dict[int, _Place] = {}
"""The settings that the thread looks after, by their identity; also for a while after the last run."""
_thread: threading.Thread | None = None
_wake = threading.Event()


def _after_fork() -> None:
    # The runs of the parent are the parent's to tell of.
    global _lock, _thread, _wake
    _lock, _thread, _wake = threading.Lock(), None, threading.Event()
    _beats.clear()
    _places.clear()
    _attended.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def runs_here() -> Generator[None, None, None]:
    """Tell the API that this process is alive while in this block, from the first `keep_alive` or `beat_for` on."""
    key, settings = object(), get_current_settings()
    with _lock:
        _places[key] = settings
    try:
        yield
    finally:
        with _lock:
            _places.pop(key, None)


def hold_runs(key: object, settings: Any) -> None:
    """Look after the leases at the API that settings name, until `let_go_of_runs` is called with the same key."""
    with _lock:
        _places[key] = settings
    keep_alive(settings)


def let_go_of_runs(key: object) -> None:
    """There are no more runs to look after; see `hold_runs`."""
    with _lock:
        _places.pop(key, None)


def keep_alive(settings: Any = None) -> None:
    """Look after the lease on a run, which has been taken or will be, from now on: the run may take its time.

    Args:
        settings: They name the API that holds the lease; the current ones by default.
    """
    global _thread
    settings = settings or get_current_settings()
    if id(settings) in _attended and _thread is not None and _thread.is_alive():
        return
    with _lock:
        _attended[id(settings)] = _Place(settings)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_loop, name="prefect-heartbeats", daemon=True)
            _thread.start()
        else:
            _wake.set()


@contextmanager
def beat_for(flow_run: Any, flow: Any) -> Generator[None, None, None]:
    """Emit `prefect.flow-run.heartbeat` at once, and every `flows.heartbeat_frequency` seconds while in this block.

    The lease by which the API knows that this process runs the flow is renewed as well.
    """
    frequency = get_current_settings().flows.heartbeat_frequency
    if frequency is None:
        keep_alive()
        yield
        return
    beat = _Beat(flow_run, flow, max(float(frequency), MINIMUM_HEARTBEAT_INTERVAL))
    beat.emit()
    with _lock:
        _beats[flow_run.id] = beat
    keep_alive()
    try:
        yield
    finally:
        with _lock:
            _beats.pop(flow_run.id, None)


call_on_new_lease(lambda: _wake.set())


def _loop() -> None:
    while True:
        _wake.clear()
        with _lock:
            now = time.monotonic()
            due = [beat for beat in _beats.values() if beat.due <= now]
            for beat in due:
                beat.due = now + beat.interval
            used = {id(settings) for settings in _places.values()}
            if len(_attended) > _MOST_ATTENDED:
                for unused in _attended.keys() - used:
                    del _attended[unused]
            attended = list(_attended.values())
        for beat in due:
            beat.emit()
        for place in attended:
            if id(place.settings) in used:
                place.pause = _renew(place.settings)
        _wake.wait(max(min((place.pause for place in attended), default=_ROUND_SECONDS), _LEAST_SECONDS))


def _renew(settings: Any) -> float:
    """Renew the leases at one API, if it is time; returns the seconds until it is."""
    try:
        with activate_settings(settings):
            pause = keep_runs_alive()
    except Exception:
        # One renewal that fails costs nothing, the next comes within the lease; a run must not fail for it.
        logging.getLogger("prefect.flow_runs").debug("Renewing leases failed", exc_info=True)
        return _SOON_SECONDS
    return _SOON_SECONDS if pause is None else min(pause, _ROUND_SECONDS)
