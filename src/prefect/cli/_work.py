"""What commands about work pools, work queues and workers have in common: templates, previews and slots."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from prefect.cli import _output, _times
from prefect.cli._api import read_pages
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter, WorkQueueFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import FlowRunSlotSummary
from prefect.client.schemas.sorting import FlowRunSort

PAUSED_MARK = " (**)"
_SHOWN_RUNS = 200


def read_template(file: str) -> dict[str, Any]:
    """Read a base job template from a file of JSON. Ends the command if there is none in it."""
    try:
        template: Any = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        _output.fail(f"Cannot read {file!r}: {error.strerror}.")
    except ValueError as error:
        _output.fail(f"{file!r} is not JSON: {error}.")
    if not isinstance(template, dict):
        _output.fail(f"{file!r} does not hold a base job template: a JSON object is expected.")
    return template


def named(name: str, is_paused: bool) -> str:
    """A name in a table, with a mark when its bearer is paused."""
    return name + PAUSED_MARK if is_paused else name


def limit_text(limit: int | None) -> str:
    """A limit in a table."""
    return "None" if limit is None else str(limit)


def scheduled_runs(
    client: SyncPrefectClient, hours: int | None, pool_name: str | None = None, queue_id: Any = None
) -> list[FlowRun]:
    """The runs that start within the next hours, one hour if not said, and those that are overdue, the earliest first.

    Workers ask in another way: looking must not make a queue seem served.
    """
    before = datetime.now(timezone.utc) + timedelta(hours=1 if hours is None else hours)
    filters: dict[str, Any] = {}
    if pool_name is not None:
        filters["work_pool_filter"] = WorkPoolFilter.model_validate({"name": {"any_": [pool_name]}})
    if queue_id is not None:
        filters["work_queue_filter"] = WorkQueueFilter.model_validate({"id": {"any_": [queue_id]}})
    wanted = {"state": {"type": {"any_": ["SCHEDULED"]}}, "next_scheduled_start_time": {"before_": before}}
    return list(
        read_pages(
            client.read_flow_runs,
            limit=_SHOWN_RUNS,
            flow_run_filter=FlowRunFilter.model_validate(wanted),
            sort=FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
            **filters,
        )
    )


def show_preview(runs: Sequence[FlowRun], as_json: bool, subject: str) -> None:
    """Print scheduled runs; those that should have started are red."""
    if as_json:
        _output.print_json(runs)
        return
    if not runs:
        _output.note("No runs found - try increasing how far into the future you preview with the --hours flag")
        return
    rows = [
        (
            _times.relative(run.next_scheduled_start_time) if run.next_scheduled_start_time else "-",
            str(run.id),
            run.name,
            str(run.deployment_id) if run.deployment_id else "-",
        )
        for run in runs
    ]
    columns = [
        ("Scheduled Start Time", {"style": "yellow"}),
        ("Run ID", {"style": "cyan"}),
        ("Name", {"style": "green"}),
        ("Deployment ID", {"style": "blue"}),
    ]
    _output.print_table(f"Scheduled runs of {subject}", columns, rows)


def show_slots(
    subject: str,
    active: int,
    limit: int | None,
    holders: Iterable[tuple[Sequence[str], FlowRunSlotSummary]],
    columns: Sequence[str] = (),
) -> None:
    """Print how many slots are taken, and by whom.

    Args:
        subject: What has the slots.
        holders: The runs, each with the cells that stand before it.
        columns: The headings of these cells.
    """
    share = "Unlimited" if limit is None else f"{_bar(active, limit)} of {limit}"
    _output.echo(f"{subject}\n  Slots: {active} active ({share})\n")
    rows = [
        (
            *before,
            run.name,
            run.state_name or "-",
            "-" if run.time_in_current_state is None else _times.span(run.time_in_current_state),
        )
        for before, run in holders
    ]
    if not rows:
        _output.echo("No flow runs occupying slots.")
        return
    _output.print_table("Flow runs with slots", [*columns, ("Flow Run", {"style": "cyan"}), "State", "Duration"], rows)


def _bar(active: int, limit: int) -> str:
    width = 20
    filled = width if limit == 0 else min(width, round(active / limit * width))
    return "█" * filled + "░" * (width - filled)
