"""The filter of logs."""

from __future__ import annotations

from prefect.client.schemas.filters import LogFilter
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause, all_of, grouped, in_time, is_between, is_in, is_null
from prefect.server.database.filters.text_search import text_clause

_SEARCHED = "(log.message || ' ' || log.name)"


def log_clause(dialect: Dialect, wanted: LogFilter) -> Clause:
    """The condition on a row of `log` that it meets a filter."""
    criteria: list[Clause] = []
    if (level := wanted.level) is not None:
        criteria.append(all_of(is_between("log.level", level.ge_, level.le_)))
    if (timestamp := wanted.timestamp) is not None:
        criteria.append(all_of(in_time("log.timestamp", timestamp.after_, timestamp.before_)))
    if (flow_run := wanted.flow_run_id) is not None:
        criteria.append(all_of(is_in("log.flow_run_id", flow_run.any_)))
    if (task_run := wanted.task_run_id) is not None:
        missing = is_null("log.task_run_id", task_run.is_null_)
        criteria.append(all_of(is_in("log.task_run_id", task_run.any_), missing))
    if wanted.text is not None:
        criteria.append(text_clause(dialect, _SEARCHED, wanted.text.query))
    return grouped(wanted.operator, criteria)
