"""Delivers records to a server; while it is away they wait on disk, for this process or for the next.

What holds:

- A record is stored once, however often it is sent: events and logs carry ids, made before the first attempt. (Servers
  that know no ids of logs may store a log line twice when a connection breaks between its arrival and the answer.)
- When `flush` returns True, everything recorded before is at the server. When it returns False, because the server did
  not answer in time, everything that this sink was given is on disk: each batch is written and flushed to the disk
  (`fsync`) before the next is taken. A process that is killed then loses at most what it recorded in the last tenth of
  a second, which no call that has returned has vouched for.
- A record that the server refuses for its content is kept in a file beside the others, and a warning names the file.
"""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

from prefect._outside_flows import OutsideFlows
from prefect._recorder._holding import Holding
from prefect._recorder._recorder import Batch
from prefect._recorder._records import SNAPSHOT_FIELDS
from prefect._recorder._spill import Spill, adopt_spills
from prefect._recorder._wire import EVENT, LOG, Record, records_of, without_id
from prefect.client._calls.logs import create_events, create_logs
from prefect.client._holder import this_holder
from prefect.client._http import HTTPSender
from prefect.client._quick_httpx import httpx

_EVENTS_PER_REQUEST = 200
_LOGS_PER_REQUEST = 1000
_CHUNK_RECORDS, _CHUNK_BYTES = 1000, 4_000_000
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to reach a server that is away."""
_URGENT_PAUSE = 0.5
"""The same while somebody waits for the records."""
_LONGEST_ANSWER = 20.0
_ORPHANS_BUDGET_SECONDS = 1.0
_ID, _FLOW_RUN_ID = SNAPSHOT_FIELDS.index("id"), SNAPSHOT_FIELDS.index("flow_run_id")
_REFUSED_FOR_CONTENT = frozenset({400, 409, 413, 422})

logger = logging.getLogger("prefect.recorder")


class HTTPSink:
    """Sends batches in a few requests, in order, and keeps them on disk while the server is away."""

    exit_patience_seconds = 5.0
    """How long the end of the process waits for a server that is away; the records are safe on disk."""

    def __init__(self, settings: Any) -> None:
        self._url = settings.api.url
        timeout = httpx.Timeout(min(settings.api.request_timeout or _LONGEST_ANSWER, _LONGEST_ANSWER), connect=5.0)
        # This sink decides itself when to try again: nobody waits in a request.
        self._sender = HTTPSender.to(settings, httpx_settings={"timeout": timeout}, max_retries=0)
        self._event_bytes = settings.server.events.maximum_size_bytes
        self._log_bytes = settings.logging.to_api.batch_size
        self._folder = Path(settings.home) / "recorder" / hashlib.sha256(self._url.encode()).hexdigest()[:16]
        self._spill = Spill(self._folder)
        self._orphans: list[Spill] | None = None
        self._logs_have_ids = True
        self._holding = Holding(settings)
        self._failures = 0
        self._attempted = self._next_attempt = 0.0
        self._last: tuple[Batch, list[Record]] | None = None

    @property
    def has_more(self) -> bool:
        """Whether records of earlier processes wait."""
        return self._orphans is None or bool(self._orphans)

    def deliver(self, batch: Batch) -> None:
        """Send a batch, or put it on disk.

        Raises:
            OSError: It can neither be sent nor be written to disk.
        """
        if self._last is None or self._last[0] is not batch:
            # A batch that comes again because the disk was full must have the same ids.
            self._last = (batch, records_of(batch, self._event_bytes))
            self._hold(batch)
        records = self._last[1]
        if self._spill.is_empty and time.monotonic() >= self._next_attempt:
            records[:] = self._send(records, this_holder())
        if records:
            self._spill.append(records)
        self._last = None

    def _hold(self, batch: Batch) -> None:
        outside = OutsideFlows()
        for snapshot, state, previous, _ in batch.transitions:
            if snapshot[_FLOW_RUN_ID] is None:
                outside.note(snapshot[_ID], state, previous)
        if outside:
            self._holding.follow(outside)

    def settle(self, urgent: bool) -> bool:
        """Send what waits on disk, if it is time to try; True when none of this process's records wait any more."""
        pause = min(self._next_attempt, self._attempted + _URGENT_PAUSE) if urgent else self._next_attempt
        if time.monotonic() < pause:
            return self._spill.is_empty
        if not self._drain(self._spill):
            return False
        if self._orphans is None:
            self._orphans = adopt_spills(self._folder)
        deadline = time.monotonic() + _ORPHANS_BUDGET_SECONDS
        while self._orphans and time.monotonic() < deadline:
            if not self._drain(self._orphans[0], deadline):
                break
            self._orphans.pop(0)
        return True

    def close(self) -> None:
        """Close the connections and files; what waits on disk stays there."""
        self._holding.end()
        self._sender.close()
        if not self._spill.is_empty:
            logger.warning(
                "Records could not be delivered to the API at %s. They wait in %s, and the next process that uses this"
                " API delivers them.",
                self._url,
                self._folder,
            )
        for spill in (self._spill, *(self._orphans or ())):
            spill.close()

    # -- from disk -------------------------------------------------------------------------------------------------

    def _drain(self, spill: Spill, deadline: float | None = None) -> bool:
        """Send what a file holds; True when it is empty."""
        while not spill.is_empty:
            if spill.chunk is None:
                spill.chunk = spill.read(_CHUNK_RECORDS, _CHUNK_BYTES)
            unsent, end = spill.chunk
            unsent[:] = self._send(unsent, spill.holder)
            if unsent:
                return False
            spill.chunk = None
            spill.advance(end)
            if deadline is not None and time.monotonic() >= deadline:
                return spill.is_empty
        return True

    # -- to the server -----------------------------------------------------------------------------------------------

    def _send(self, records: list[Record], holder: str | None) -> list[Record]:
        """Send records; gives those that the server was not there for.

        Args:
            holder: The process that has made them, which may have ended; None when that is not known.
        """
        events = [record for record in records if record.kind == EVENT]
        logs = [record for record in records if record.kind == LOG]
        pending = [
            *_requests(events, _EVENTS_PER_REQUEST, max(self._event_bytes, _CHUNK_BYTES)),
            *_requests(logs, _LOGS_PER_REQUEST, self._log_bytes),
        ]
        for index, request in enumerate(pending):
            try:
                self._post(request, holder)
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                self._note_absence(error)
                return [record for later in pending[index:] for record in later]
        if pending:
            self._note_presence()
        return []

    def _post(self, records: list[Record], holder: str | None) -> None:
        try:
            self._post_all(records, holder)
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in _REFUSED_FOR_CONTENT:
                raise
            if len(records) == 1:
                self._keep_refused(records[0], error)
                return
            # One of them is at fault, and must not hold up the others.
            middle = len(records) // 2
            self._post(records[:middle], holder)
            self._post(records[middle:], holder)

    def _post_all(self, records: list[Record], holder: str | None) -> None:
        if records[0].kind == EVENT:
            call = create_events(_array(record.text for record in records))
            self._sender.send(call if holder is None else call.as_holder(holder))
            return
        if self._logs_have_ids:
            try:
                self._sender.send(create_logs(_array(record.text for record in records)))
                return
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 422:
                    raise
        self._sender.send(create_logs(_array(without_id(record.text) for record in records)))
        self._logs_have_ids = False

    def _keep_refused(self, record: Record, error: httpx.HTTPStatusError) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / "refused.jsonl"
        with path.open("ab") as file:
            file.write(record.text + b"\n")
        logger.warning("The API at %s refused a record, which is kept in %s: %s", self._url, path, error)

    # -- whether it is there -------------------------------------------------------------------------------------------

    def _note_absence(self, error: Exception) -> None:
        self._attempted = time.monotonic()
        self._next_attempt = self._attempted + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        if self._failures == 1:
            logger.warning(
                "Logs and events cannot be delivered now; they wait in %s until the API answers. %s",
                self._folder,
                error,
            )

    def _note_presence(self) -> None:
        if self._failures:
            logger.warning("The API at %s answers again; logs and events are delivered.", self._url)
        self._failures, self._next_attempt = 0, 0.0


def _requests(records: list[Record], most: int, most_bytes: int) -> list[list[Record]]:
    """Records in groups that fit one request each."""
    groups: list[list[Record]] = []
    size = 0
    for record in records:
        if not groups or len(groups[-1]) >= most or size + len(record.text) > most_bytes:
            groups.append([])
            size = 0
        groups[-1].append(record)
        size += len(record.text)
    return groups


def _array(texts: Any) -> bytes:
    return b"[" + b",".join(texts) + b"]"
