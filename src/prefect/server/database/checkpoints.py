"""Decides when a SQLite database's log is moved into its main file, and does so beside the threads that write."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from prefect.server.database.errors import StorageError

_ROWS = 2000
"""So many changed rows are worth a checkpoint: some thousand pages of the log."""


class Checkpoints:
    """A checkpoint waits for the disk, for some milliseconds that no writer should spend.

    Args:
        checkpoint: Makes one.
    """

    def __init__(self, checkpoint: Callable[[], None]) -> None:
        self._checkpoint = checkpoint
        self._noted = 0
        self._wanted = threading.Event()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def note(self, changes: int) -> None:
        """Say how many rows the writing connection has changed in all; called by whoever writes."""
        if 0 <= changes - self._noted < _ROWS:
            return
        self._noted = changes
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="prefect-database-checkpoints", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Make no more; one that is being made ends."""
        self._is_over = True
        self._wanted.set()

    def _run(self) -> None:
        while self._wanted.wait() and not self._is_over:
            self._wanted.clear()
            try:
                self._checkpoint()
            except (StorageError, sqlite3.Error) as error:
                # Nothing is lost: the log keeps what it has, and what is wrong with the disk or file meets the next writer.
                logging.getLogger("prefect.database").debug("No checkpoint: %s", error)
