"""Delivers batches to the core in this process."""

from __future__ import annotations

from prefect._recorder._recorder import Batch
from prefect.server.database.store import open_store
from prefect.server.models.events import record_events
from prefect.server.models.recording import record_logs, record_transitions


class EmbeddedSink:
    """Stores each batch in one transaction of the embedded database."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def deliver(self, batch: Batch) -> None:
        def store_batch(tx):
            if batch.transitions:
                record_transitions(tx, batch.transitions)
            if batch.logs:
                record_logs(tx, batch.logs)
            if batch.events:
                record_events(tx, batch.events)

        open_store(self._database_url).write(store_batch)
