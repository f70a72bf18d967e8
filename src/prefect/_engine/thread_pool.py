"""A thread pool for task runs: starts few threads for short tasks, and more when those at work only wait."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

_CORES = os.cpu_count() or 1
_TICK_SECONDS = 0.005
_BUSY_SHARE = 0.6
"""Above this share of one core the threads at work are computing, and more of them would only get in each other's way."""
_BACKLOG_SECONDS = 1.0
"""When calls have been queued for so long, there is work for a thread a core, computing or not."""
_STANDSTILL_SECONDS = 0.25
"""When no call has begun for so long, those at work may be waiting for one that is queued."""

_pool_of_thread = threading.local()


def in_worker_thread() -> bool:
    """Whether this thread runs submitted tasks."""
    return getattr(_pool_of_thread, "pool", None) is not None


class Work(Future[Any]):
    """One call on its way through the pool, and the future of its result."""

    def __init__(self, pool: ThreadPool, call: Callable[[], Any]) -> None:
        super().__init__()
        self._pool = pool
        self._claimed = False
        self.call: Any = call

    def run(self) -> None:
        """Do it, unless somebody else does or it was cancelled."""
        if not self._claim():
            return
        call, self.call = self.call, None
        try:
            result = call()
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(result)

    def _claim(self) -> bool:
        with self._pool._lock:
            if self._claimed:
                return False
            self._claimed = True
        return self.set_running_or_notify_cancel()

    def help(self) -> bool:
        """Run this in the calling thread if that is a worker of a bounded pool, whose place the work may be waiting for.

        Returns:
            Whether the calling thread is such a worker.
        """
        if getattr(_pool_of_thread, "pool", None) is not self._pool or self._pool.max_workers is None:
            return False
        if not self.done():
            self.run()
        return True


class ThreadPool:
    """Runs calls in threads.

    Args:
        max_workers: The most threads at work at once; None for as many as there are calls that wait for something.
    """

    def __init__(self, max_workers: int | None, name: str) -> None:
        self.max_workers = max_workers
        self._name = name
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        # A token for each queued call. Unlike a semaphore it is never left locked by an interrupt in the main thread.
        self._available: SimpleQueue[None] = SimpleQueue()
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._watcher: threading.Thread | None = None
        self._closed = False
        self._begun = 0
        """How many calls have begun; only whether it changes matters, so threads may count over each other."""

    @property
    def is_saturated(self) -> bool:
        """Whether every thread that this pool may have is at work."""
        return self.max_workers is not None and len(self._threads) >= self.max_workers and self._idle == 0

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return len(self._threads) - self._idle

    def submit(self, call: Callable[[], Any]) -> Work:
        """Queue a call."""
        work = Work(self, call)
        self.enqueue(work)
        return work

    def enqueue(self, work: Work) -> None:
        """Queue work that was made before."""
        self._queue.append(work)
        self._available.put(None)
        if self._idle < len(self._queue):  # each idle thread takes one, and is counted idle until it wakes
            self._grow()

    def _grow(self) -> None:
        with self._lock:
            if not self._threads:
                self._start_thread()
            elif self._watcher is None and (self.max_workers is None or len(self._threads) < self.max_workers):
                self._watcher = threading.Thread(target=self._watch, name=f"{self._name}-watch", daemon=True)
                self._watcher.start()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        if self._closed:
            self._available.put(None)  # the token that ends it, once the queue is empty
        thread.start()

    def _watch(self) -> None:
        """Add threads while calls are queued and the machine is not busy with those at work."""
        cpu, wall = time.process_time(), time.monotonic()
        since, begun, begun_at = wall, self._begun, wall
        while True:
            time.sleep(_TICK_SECONDS)
            now_cpu, now = time.process_time(), time.monotonic()
            busy = (now_cpu - cpu) / max(now - wall, 1e-9)
            cpu, wall = now_cpu, now
            if self._begun != begun:
                begun, begun_at = self._begun, now
            with self._lock:
                limit = self.max_workers
                if not self._queue or (limit is not None and len(self._threads) >= limit):
                    self._watcher = None
                    return
                wanted = 0
                if busy < _BUSY_SHARE:
                    wanted = min(len(self._queue), len(self._threads))
                elif now - since > _BACKLOG_SECONDS and len(self._threads) < _CORES:
                    wanted = 1
                elif now - begun_at > _STANDSTILL_SECONDS:
                    wanted = 1
                if limit is not None:
                    wanted = min(wanted, limit - len(self._threads))
                for _ in range(wanted):
                    self._start_thread()

    def _work(self) -> None:
        _pool_of_thread.pool = self
        while True:
            try:
                self._available.get_nowait()
            except Empty:
                self._idle += 1
                self._available.get()
                self._idle -= 1
            try:
                work = self._queue.popleft()
            except IndexError:
                if self._closed:
                    return
                continue  # cancelled or taken by a helping thread
            self._begun += 1
            work.run()
            del work

    def cancel_queued(self, others: list[Work]) -> list[Work]:
        """Cancel everything that has not begun, and `others` that were not queued yet; returns what was cancelled."""
        waiting = others
        while self._queue:
            try:
                waiting.append(self._queue.popleft())
            except IndexError:
                break
        return [work for work in waiting if work.cancel() and not work._claim()]

    def close(self, *, wait: bool = True) -> None:
        """End the threads when they have done what is queued and running, and wait for that unless told not to."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._available.put(None)
        finished = 0
        while wait and finished < len(self._threads):  # draining may still start threads
            thread = self._threads[finished]
            if thread is not threading.current_thread():
                thread.join()
            finished += 1
