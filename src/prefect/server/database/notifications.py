"""Wakes those who wait for a topic when a transaction has told of it, in this process or in another on the same database.

A wake-up says "look again", and nothing else: what there is to see stands in the database. It may come without a reason,
and several may come as one; none is lost, though one from a process that was killed may take some seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

__all__ = ["BACKGROUND_RUNS", "DUE_RUNS", "EVENTS", "LOGS", "WORK_POOLS", "Notifications", "Wake"]

EVENTS = "events"
LOGS = "logs"
BACKGROUND_RUNS = "background-runs"
"""Task runs without a flow run that wait for a task worker."""
DUE_RUNS = "due-runs"
"""Runs of deployments that a worker or a runner may start, or slots for them."""
WORK_POOLS = "work-pools"

Wake = Callable[[], None]
"""Is called from any thread; must neither wait nor raise."""


class Notifications:
    """Knows who waits for what in this process. What it takes to hear of other processes, and to tell them, is up to
    the store, which makes a child of this class.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Wake]] = {}
        self._is_watching = False
        """Whether there is a thread that watches other processes; only while somebody waits for something."""
        self._closed = threading.Event()

    def subscribe(self, topic: str, wake: Wake) -> Callable[[], None]:
        """Let a function be called whenever something may be new under a topic; gives the function that ends this.

        What was committed before this returns may go without a call: look once, after it.
        """
        with self._lock:
            self._waiting.setdefault(topic, []).append(wake)
            if not self._is_watching and not self._closed.is_set():
                self._is_watching = True
                threading.Thread(target=self._watch, name="prefect-wake-ups", daemon=True).start()

        def unsubscribe() -> None:
            with self._lock:
                if wake in self._waiting.get(topic, ()):
                    self._waiting[topic].remove(wake)

        return unsubscribe

    def tell(self, topics: Iterable[str]) -> None:
        """Wake who waits for some topics, here and in other processes; what they are to see is committed."""
        self._wake(topics)

    def close(self) -> None:
        """Wake nobody any more."""
        with self._lock:
            self._closed.set()
            self._waiting.clear()

    def _is_unwanted(self) -> bool:
        """Whether the thread that watches other processes has to end; when told so it must, another may begin."""
        with self._lock:
            if any(self._waiting.values()) and not self._closed.is_set():
                return False
            self._is_watching = False
            return True

    def _wake(self, topics: Iterable[str] | None = None) -> None:
        """Wake who waits in this process, for any topic when none is given."""
        if not self._waiting:
            return
        with self._lock:
            chosen = list(self._waiting) if topics is None else topics
            wakes = [wake for topic in chosen for wake in self._waiting.get(topic, ())]
        for wake in wakes:
            wake()

    def _watch(self) -> None:
        """Wake who waits in this process when another one has committed something, until `_is_unwanted`."""
        raise NotImplementedError


class PolledNotifications(Notifications):
    """For a database whose changes can only be asked for, at next to no cost."""

    EVERY_SECONDS = 0.1

    def __init__(self, version: Callable[[], object]) -> None:
        """Say what to ask.

        Args:
            version: Gives something else whenever another process may have changed the database.
        """
        super().__init__()
        self._version = version

    def _watch(self) -> None:
        last: object = self  # the first look wakes everybody, for what was committed before it
        while not self._is_unwanted():
            version = self._version()
            if version != last:
                last = version
                self._wake()
            self._closed.wait(self.EVERY_SECONDS)
