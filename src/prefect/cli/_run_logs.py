"""The logs of one run."""

import logging
from collections.abc import Iterable, Iterator

import click

from prefect.cli import _output, _times
from prefect.cli._api import read_pages
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort

DEFAULT_COUNT = 20
"""How many logs `--head` and `--tail` give."""


def select_logs(
    client: SyncPrefectClient, chosen: LogFilter, head: bool, tail: bool, count: int | None, reverse: bool
) -> Iterable[Log]:
    """The logs that the options of a command ask for, in the order that they ask for.

    Args:
        head: The oldest ones.
        tail: The newest ones.
        count: How many. Without one, `--head` and `--tail` give 20, and neither gives all.
        reverse: The newest first. Without `head`, a count then means the newest ones, too.
    """
    if head and tail:
        _output.fail("Choose either --head or --tail, not both.")
    limit = DEFAULT_COUNT if count is None and (head or tail) else count
    newest_first = not head and (tail or reverse)
    sort = LogSort.TIMESTAMP_DESC if newest_first else LogSort.TIMESTAMP_ASC
    logs = read_pages(client.read_logs, limit, log_filter=chosen, sort=sort)
    return logs if newest_first == reverse else reversed(list(logs))


def print_logs(logs: Iterable[Log], subject: str, as_json: bool) -> None:
    """Print logs as JSON, or a line each as they are read.

    Args:
        subject: What each line names as its origin.
    """
    if as_json:
        _output.print_json(list(logs))
        return
    for line in format_logs(logs, subject):
        click.echo(line)


def format_logs(logs: Iterable[Log], subject: str) -> Iterator[str]:
    """The lines for logs. Messages are as they were written: neither wrapped nor shortened."""
    for log in logs:
        yield f"{_times.absolute(log.timestamp)} | {logging.getLevelName(log.level):<7} | {subject} - {log.message}"
