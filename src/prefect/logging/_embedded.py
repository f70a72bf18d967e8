"""The subscriber to the log records of the core in this process."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect._polling import PollingSubscriber
from prefect.client._calls import logs as calls
from prefect.client._send import send_async
from prefect.client.schemas.filters import LogFilter, LogFilterTimestamp
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort

_OVERLAP = timedelta(seconds=10)
"""How far each look reaches back behind the latest record seen: records are stored in batches, and out of order."""
_PAGE = 200


class EmbeddedLogsSubscriber(PollingSubscriber[Log]):
    """Iterates over the log records that are stored in the embedded database, from now on."""

    def __init__(self, filter: LogFilter | None = None) -> None:
        """Say which records.

        Args:
            filter: Which records; all of them by default.
        """
        super().__init__()
        self._filter = (filter or LogFilter()).model_copy()
        own = self._filter.timestamp
        self._before = own.before_ if own is not None else None
        now = datetime.now(timezone.utc)
        self._after = max(now, own.after_) if own is not None and own.after_ is not None else now
        self._start = self._after

    async def _read(self) -> list[tuple[UUID, Log]]:
        self._filter.timestamp = LogFilterTimestamp(after_=self._after, before_=self._before)
        logs: list[Log] = []
        while True:
            call = calls.read_logs(self._filter, limit=_PAGE, offset=len(logs), sort=LogSort.TIMESTAMP_ASC)
            page = await send_async(call)
            logs.extend(page)
            if len(page) < _PAGE:
                break
        if logs:
            self._after = max(self._start, logs[-1].timestamp - _OVERLAP)
        return [(log.id, log) for log in logs]
