"""The routes of logs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.filters import LogFilter
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort
from prefect.server.database.filters.clauses import TRUE
from prefect.server.database.filters.logs import log_clause
from prefect.server.database.store import Transaction
from prefect.server.models import logs as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route


@route("POST", "/logs/", status=201)
def create_logs(tx: Transaction, logs: Whole[list[LogCreate]]) -> None:
    """Store log lines."""
    models.create_logs(tx, logs)


@route("POST", "/logs/filter", writes=False)
def read_logs(
    tx: Transaction,
    offset: Annotated[int, Field(ge=0)] = 0,
    logs: LogFilter | None = None,
    sort: LogSort = LogSort.TIMESTAMP_ASC,
    limit: int = ABSENT,
) -> list[Log]:
    """Read the log lines that meet a filter."""
    where = TRUE if logs is None else log_clause(tx.dialect, logs)
    return models.read_logs(tx, where, sort, checked_limit(limit), offset)
