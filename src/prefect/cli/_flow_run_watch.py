"""Follows a flow run: its states and its logs, as they come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic, sleep
from uuid import UUID

import click

from prefect.cli import _output, _times
from prefect.cli._api import missing_is, read_pages
from prefect.cli._run_logs import format_logs
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.sorting import LogSort

SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
_LATENESS = timedelta(seconds=30)
"""How far behind a log may arrive that was written before others."""


def watch_flow_run(
    client: SyncPrefectClient,
    run: FlowRun,
    timeout_seconds: float | None = None,
    interval_seconds: float | None = None,
) -> State:
    """Print what happens to a flow run until it ends.

    Looks so often as is asked for, else more seldom while nothing happens. Ends the command when the time is over.

    Returns:
        The final state.
    """
    deadline = None if timeout_seconds is None else monotonic() + timeout_seconds
    news = _News(client, run)
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        is_quiet = not news.print()
        if news.state is not None and news.state.is_final():
            # The last logs of a run are stored just after its final state.
            sleep(SHORTEST_PAUSE_SECONDS)
            news.print()
            return news.state
        pause = interval_seconds or (min(pause * 1.5, LONGEST_PAUSE_SECONDS) if is_quiet else SHORTEST_PAUSE_SECONDS)
        if deadline is not None:
            pause = min(pause, deadline - monotonic())
            if pause <= 0:
                kind = news.state.type.value if news.state else "without a state"
                _output.fail(f"Flow run {run.name!r} is still {kind} after {timeout_seconds:g} seconds.")
        sleep(pause)


class _News:
    """What was not there the last time."""

    def __init__(self, client: SyncPrefectClient, run: FlowRun) -> None:
        self.client = client
        self.run = run
        self.state: State | None = None
        self._states: set[UUID] = set()
        self._logs: dict[UUID, datetime] = {}
        self._logs_since: datetime | None = None

    def print(self) -> bool:
        """Print what is new, in the order in which it happened. Returns whether there was anything."""
        entries = sorted([*self._read_states(), *self._read_logs()], key=lambda entry: entry[0])
        for _, line in entries:
            click.echo(line)
        return bool(entries)

    def _read_states(self) -> Iterator[tuple[datetime, str]]:
        with missing_is(f"Flow run '{self.run.id}' is gone: it was deleted."):
            self.state = self.client.read_flow_run(self.run.id).state
        for state in self.client.read_flow_run_states(self.run.id):
            if state.id not in self._states:
                self._states.add(state.id)
                message = f": {state.message}" if state.message else ""
                yield state.timestamp, f"{_times.absolute(state.timestamp)} | {state.name}{message}"

    def _read_logs(self) -> Iterator[tuple[datetime, str]]:
        conditions: dict[str, object] = {"flow_run_id": {"any_": [self.run.id]}}
        if self._logs_since is not None:
            conditions["timestamp"] = {"after_": self._logs_since}
        chosen = LogFilter.model_validate(conditions)
        for log in read_pages(self.client.read_logs, log_filter=chosen, sort=LogSort.TIMESTAMP_ASC):
            if log.id not in self._logs:
                self._logs[log.id] = log.timestamp
                yield from ((log.timestamp, line) for line in format_logs([log], f"Flow run {self.run.name!r}"))
        if self._logs:
            since = self._logs_since = max(self._logs.values()) - _LATENESS
            self._logs = {id: written for id, written in self._logs.items() if written >= since}
