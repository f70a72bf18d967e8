"""The buffer between the running code and the place where records are stored."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from prefect._recorder._records import RelatedSet, StateRecord, TaskRunRecord, snapshot
from prefect.settings import get_current_settings

_LINGER_SECONDS = 0.1
"""How long a record waits for company before its batch leaves."""
_BATCH_RECORDS = 2_000
"""A batch leaves at once when it has this many records."""
_MAX_RECORDS = 20_000
"""Writers wait while this many records are buffered: memory stays bounded, and nothing is dropped."""
_EXIT_PATIENCE_SECONDS = 30.0
_NAP_SECONDS, _URGENT_NAP_SECONDS = 1.0, 0.05
_RETRY_SECONDS = (0.05, 0.2, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class Batch:
    """Records that leave together, each kind in the order in which it came."""

    transitions: list[tuple[tuple[Any, ...], StateRecord, StateRecord | None, RelatedSet | None]] = field(
        default_factory=list
    )
    """(snapshot of the run, its new state, the state before, related resources)"""
    logs: list[tuple[str, int, str, float | datetime, UUID | None, UUID | None]] = field(default_factory=list)
    """(logger name, level, message, time, flow run id, task run id)"""
    events: list[Any] = field(default_factory=list)
    """`prefect.events.schemas.events.Event` objects, complete."""

    def __len__(self) -> int:
        return len(self.transitions) + len(self.logs) + len(self.events)


class Sink(Protocol):
    """Where batches go. Delivering the same batch twice must be harmless."""

    def deliver(self, batch: Batch) -> None:
        """Store a batch, or keep it safe until it can be stored."""
        ...

    def close(self) -> None:
        """Let go of what it has open: nothing more will be delivered."""
        ...


class KeepingSink(Sink, Protocol):
    """A sink that may take a batch before it can store it."""

    exit_patience_seconds: float
    """How long the end of the process waits for what is kept."""

    @property
    def has_more(self) -> bool:
        """Whether it has more to do than what this process recorded."""
        ...

    def settle(self, urgent: bool) -> bool:
        """Store what is kept, if it is time to try; True when all that was delivered is stored."""
        ...


class _Marker:
    """Travels through the queue to tell a flush that all before it is stored."""

    __slots__ = ("passed",)

    def __init__(self) -> None:
        self.passed = threading.Event()


_TRANSITION, _LOG, _EVENT = range(3)


class Recorder:
    """Collects records and delivers them from a background thread, in order, at least once.

    Adding a record costs a few microseconds and never waits for the database or the network, except while
    20,000 records are already waiting.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._keeper: Any = sink if hasattr(sink, "settle") else None
        self._has_kept = False
        """Whether the sink keeps something that is not stored yet."""
        # One deque for everything, never replaced: appending is atomic, so no record can fall between two batches.
        self._queue: deque[tuple[int, Any] | _Marker] = deque()
        self._wake_at = 1
        """A writer that finds this many records queued wakes the thread."""
        self._delivering = False
        self._has_transitions = False
        self._stopping = False
        # Entered through the bare lock: an interrupt inside the condition's own `__enter__` would leave it locked.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    # -- adding --------------------------------------------------------------------------------------------------

    def transition(self, run: TaskRunRecord, previous: StateRecord | None) -> None:
        """Record that a task run entered `run.state`."""
        self._queue.append((_TRANSITION, (snapshot(run), run.state, previous, run.related)))
        self._has_transitions = True  # after the append: the thread that takes the queue clears it before
        if len(self._queue) >= self._wake_at:
            self._wake()

    def log(
        self,
        name: str,
        level: int,
        message: str,
        timestamp: float | datetime,
        flow_run_id: UUID | None,
        task_run_id: UUID | None = None,
    ) -> None:
        """Record a log line. `timestamp` is an aware datetime or seconds since the epoch."""
        self._queue.append((_LOG, (name, level, message, timestamp, flow_run_id, task_run_id)))
        if len(self._queue) >= self._wake_at:
            self._wake()

    def event(self, event: Any) -> None:
        """Record an event, complete with its related resources."""
        self._queue.append((_EVENT, event))
        if len(self._queue) >= self._wake_at:
            self._wake()

    def adopt(self, batch: Batch) -> None:
        """Take over the records of another process."""
        self._queue.extend((_TRANSITION, transition) for transition in batch.transitions)
        self._has_transitions = True
        self._queue.extend((_LOG, log) for log in batch.logs)
        self._queue.extend((_EVENT, event) for event in batch.events)
        if len(self._queue) >= self._wake_at:
            self._wake()

    def _wake(self) -> None:
        if threading.current_thread() is self._thread:
            return  # a record that delivering itself caused
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefect-recorder", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            while len(self._queue) >= _MAX_RECORDS and not self._stopping:
                self._changed.wait(1.0)

    # -- flushing ------------------------------------------------------------------------------------------------

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything recorded before this call is stored.

        Args:
            timeout: Seconds to wait at most; None waits for ever.

        Returns:
            False when time ran out first, or the recorder has been stopped; the records are still kept and delivered later.
        """
        if threading.current_thread() is self._thread or not (self._queue or self._delivering or self._has_kept):
            return True
        if self._stopping:
            return False  # nobody delivers them here any more
        marker = _Marker()
        self._queue.append(marker)
        self._wake()
        return marker.passed.wait(timeout)

    def flush_transitions(self, timeout: float | None = None) -> bool:
        """Wait until every transition recorded before this call is stored. As `flush`, but not for logs and events."""
        return self.flush(timeout) if self._has_transitions or self._delivering else True

    def stop(self, timeout: float) -> bool:
        """Flush, then end the background thread."""
        stored = self.flush(timeout)
        with self._lock:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        has_ended = thread is None or not thread.is_alive()
        if has_ended:
            self._sink.close()
        if not stored and not (has_ended and self._keeper is not None):
            print("prefect: this process ends with records that could not be stored", file=sys.stderr)
        return stored

    @property
    def exit_patience_seconds(self) -> float:
        """How long the end of the process waits for the records."""
        return _EXIT_PATIENCE_SECONDS if self._keeper is None else self._keeper.exit_patience_seconds

    # -- the background thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        waiting: list[_Marker] = []
        while self._wait_for_work(bool(waiting)):
            batch, markers = self._take()
            waiting += markers
            if batch:
                self._deliver(batch)
            if self._settle(bool(waiting)):
                for marker in waiting:
                    marker.passed.set()
                waiting.clear()
            with self._lock:
                self._delivering = False
                self._changed.notify_all()

    def _settle(self, urgent: bool) -> bool:
        """Whether all that was delivered is stored."""
        if self._keeper is None:
            return True
        is_settled = self._keeper.settle(urgent)
        self._has_kept = not is_settled
        return is_settled

    def _wait_for_work(self, is_urgent: bool) -> bool:
        with self._lock:
            while not self._queue:
                if self._stopping:
                    return False
                self._wake_at = 1
                if not self._queue:  # looked at again after `_wake_at` told the writers: none is overlooked
                    self._changed.wait(_URGENT_NAP_SECONDS if is_urgent else _NAP_SECONDS)
                if not self._queue and self._keeper is not None and (self._has_kept or self._keeper.has_more):
                    return True
            if not self._must_hurry():
                self._wake_at = _BATCH_RECORDS
                self._changed.wait(_LINGER_SECONDS)
            self._wake_at = _MAX_RECORDS
            self._delivering = True
            return True

    def _must_hurry(self) -> bool:
        return self._stopping or len(self._queue) >= _BATCH_RECORDS or type(self._queue[-1]) is _Marker

    def _take(self) -> tuple[Batch, list[_Marker]]:
        batch, markers = Batch(), []
        lists: tuple[list[Any], ...] = (batch.transitions, batch.logs, batch.events)
        self._has_transitions = False
        pop = self._queue.popleft
        for _ in range(len(self._queue)):
            item = pop()
            if type(item) is tuple:
                lists[item[0]].append(item[1])
            else:
                markers.append(item)
        return batch, markers

    def _deliver(self, batch: Batch) -> None:
        """Deliver one batch, however long it takes; say so once when it takes long."""
        attempt = 0
        while True:
            try:
                self._sink.deliver(batch)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the records must not be lost
                if attempt == 0:
                    print(f"prefect: recording is delayed, {len(batch)} records wait: {error}", file=sys.stderr)
                if self._stopping:
                    return
                time.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
            else:
                return


# -- the recorders of this process ---------------------------------------------------------------------------------

_recorders: dict[str, Recorder] = {}
_registry_lock = threading.Lock()
_by_settings: tuple[Any, Recorder] | None = None


_only: Recorder | None = None
"""The one recorder of a process whose records another process delivers."""


def use_recorder(recorder: Recorder) -> None:
    """Let everything in this process go through one recorder, whatever the settings say."""
    global _only
    _only = recorder


def get_recorder() -> Recorder:
    """The recorder for the API that the current settings name."""
    global _by_settings
    if _only is not None:
        return _only
    settings = get_current_settings()
    known = _by_settings
    if known is not None and known[0] is settings:
        return known[1]
    recorder = _recorder_for(settings)
    _by_settings = (settings, recorder)
    return recorder


def _recorder_for(settings: Any) -> Recorder:
    api_url = settings.api.url
    target = api_url or _database_url(settings)
    with _registry_lock:
        recorder = _recorders.get(target)
        if recorder is None:
            recorder = _recorders[target] = Recorder(_make_sink(settings, target))
            if len(_recorders) == 1:
                # Registered after what the sink has loaded, and so run before it: records are stored, then the
                # database is closed.
                atexit.unregister(_at_exit)
                atexit.register(_at_exit)
                _store_before_workers_leave()
        return recorder


def _database_url(settings: Any) -> str:
    return settings.server.database.connection_url.get_secret_value()


def _make_sink(settings: Any, target: str) -> Sink:
    if settings.api.url:
        from prefect._recorder._http import HTTPSink  # noqa: PLC0415 - the HTTP stack loads only when there is an API URL

        return HTTPSink(settings)
    from prefect._recorder._embedded import EmbeddedSink  # noqa: PLC0415 - the core loads only when it is used in process

    return EmbeddedSink(target, settings)


def flush_recorder(target: str, timeout: float | None = None) -> bool:
    """Flush what goes to one API or database, or through the one recorder of this process; True when it is empty."""
    recorder = _only if _only is not None else _recorders.get(target)
    return recorder is None or recorder.flush(timeout)


def flush_recorders(timeout: float | None = None) -> bool:
    """Flush every recorder of this process; True when all are empty."""
    with _registry_lock:
        recorders = [*_recorders.values(), *([_only] if _only is not None else [])]
    return all([recorder.flush(timeout) for recorder in recorders])


def forget_recorder(target: str, timeout: float | None = None) -> None:
    """Flush and end the recorder of one API or database, so that it can be taken away.

    Args:
        target: The address of the API, or the URL of the database.
        timeout: Seconds to wait for records that cannot be stored now; as long as at the end of a process by default.
    """
    global _by_settings
    with _registry_lock:
        recorder = _recorders.pop(target, None)
        _by_settings = None
    if recorder is not None:
        recorder.stop(recorder.exit_patience_seconds if timeout is None else timeout)


def _at_exit() -> None:
    with _registry_lock:
        recorders = list(_recorders.values())
    for recorder in recorders:
        recorder.stop(recorder.exit_patience_seconds)


def _store_before_workers_leave() -> None:
    """Forked processes of multiprocessing leave without atexit; they have a ceremony of their own."""
    processes, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if processes is not None and util is not None and processes.parent_process() is not None:
        util.Finalize(None, _at_exit, exitpriority=1)


def _after_fork() -> None:
    # The buffered records of the parent are the parent's to deliver.
    global _registry_lock, _by_settings
    _registry_lock = threading.Lock()
    _recorders.clear()
    _by_settings = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
