"""Delivers batches to the core in this process."""

from __future__ import annotations

from typing import Any

from prefect._outside_flows import OutsideFlows
from prefect._recorder._holding import Holding
from prefect._recorder._recorder import Batch
from prefect.client._holder import this_holder
from prefect.server.database.store import Transaction, open_store
from prefect.server.models.events import record_events
from prefect.server.models.recording import record_logs, record_transitions
from prefect.server.models.task_run_leases import hold_outside_flows


class EmbeddedSink:
    """Stores each batch in one transaction of the embedded database."""

    def __init__(self, database_url: str, settings: Any) -> None:
        self._database_url = database_url
        self._holding = Holding(settings)

    def deliver(self, batch: Batch) -> None:
        def store_batch(tx: Transaction) -> OutsideFlows:
            outside = OutsideFlows()
            if batch.transitions:
                record_transitions(tx, batch.transitions, outside)
                if outside:
                    hold_outside_flows(tx, outside, this_holder())
            if batch.logs:
                record_logs(tx, batch.logs)
            if batch.events:
                record_events(tx, batch.events)
            return outside

        outside = open_store(self._database_url).write(store_batch)
        if outside:
            self._holding.follow(outside)

    def close(self) -> None:
        self._holding.end()
