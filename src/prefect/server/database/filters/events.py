"""The filter of events.

The events of task runs are stored without their labels (see the migration that creates the table): conditions on
them look at the state and the run that those labels are made from. Empty lists impose nothing, but for those of
labels, which nothing can match.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prefect.events.filters import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventRelatedFilter,
    EventResourceFilter,
)
from prefect.events.schemas.events import ResourceSpecification
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import FALSE, TRUE, Clause, all_of, any_of, in_time, is_in, negated
from prefect.server.database.filters.patterns import matches_glob, starts_with
from prefect.server.database.filters.text_search import text_clause

FilterT = TypeVar("FilterT")

_STATE = "SELECT {} FROM task_run_state WHERE task_run_state.id = event.id"
_RUN = (
    "SELECT {} FROM task_run JOIN task_run_state ON task_run_state.task_run_id = task_run.id "
    "WHERE task_run_state.id = event.id"
)
_TASK_RUN_LABELS = {
    "prefect.resource.name": f"({_RUN.format('task_run.name')})",
    "prefect.state-type": f"({_STATE.format('task_run_state.type')})",
    "prefect.state-name": f"({_STATE.format('task_run_state.name')})",
    "prefect.state-message": f"(COALESCE(({_STATE.format('task_run_state.message')}), ''))",
    "prefect.orchestration": "'client'",
    "prefect.run-count": "(SELECT CAST(COUNT(*) AS TEXT) FROM task_run_state entered "
    "JOIN task_run_state this ON this.task_run_id = entered.task_run_id AND entered.timestamp <= this.timestamp "
    "WHERE this.id = event.id AND entered.type = 'RUNNING')",
}
_SEARCHED = (
    "(event.event || ' ' || event.resource_id || ' ' || COALESCE(CAST(event.resource AS TEXT), "
    f"{_TASK_RUN_LABELS['prefect.resource.name']} || ' ' || {_TASK_RUN_LABELS['prefect.state-message']}, '') || ' ' || "
    "COALESCE((SELECT CAST(event_related_set.resources AS TEXT) FROM event_related_set "
    "WHERE event_related_set.id = event.related_set_id), '') || ' ' || COALESCE(CAST(event.payload AS TEXT), ''))"
)


def event_clause(dialect: Dialect, wanted: EventFilter) -> Clause:
    """The condition on a row of `event` that it meets a filter, but for `distinct`."""
    excluded = wanted.event.exclude_prefix if wanted.event is not None else None
    has_task_runs = not any("prefect.task-run.".startswith(prefix) for prefix in excluded or ())
    return all_of(
        in_time("event.occurred", wanted.occurred.since, wanted.occurred.until),
        is_in("event.id", wanted.id.id or None),
        None if wanted.event is None else _name(dialect, wanted.event),
        None if wanted.resource is None else _primary(dialect, wanted.resource),
        *(_related(dialect, each, has_task_runs) for each in _as_list(wanted.related)),
        *(_any_resource(dialect, each, has_task_runs) for each in _as_list(wanted.any_resource)),
        None if wanted.text is None else text_clause(dialect, _SEARCHED, wanted.text.query),
    )


def _as_list(wanted: FilterT | list[FilterT] | None) -> list[FilterT]:
    if wanted is None:
        return []
    return wanted if isinstance(wanted, list) else [wanted]


def _name(dialect: Dialect, wanted: EventNameFilter) -> Clause:
    # The plus keeps SQLite from looking for names first: that of every second event would be sought for long.
    column = "+event.event" if dialect.name == "sqlite" else "event.event"
    excluded = any_of(
        _starts_with_one(dialect, column, wanted.exclude_prefix), is_in(column, wanted.exclude_name or None)
    )
    return all_of(
        _starts_with_one(dialect, column, wanted.prefix),
        is_in(column, wanted.name or None),
        negated(excluded) if excluded is not TRUE else None,
    )


def _primary(dialect: Dialect, wanted: EventResourceFilter | EventAnyResourceFilter) -> Clause:
    return all_of(
        is_in("event.resource_id", wanted.id or None),
        _starts_with_one(dialect, "event.resource_id", wanted.id_prefix),
        _labels(dialect, wanted.labels, resource_label),
    )


def _related(dialect: Dialect, wanted: EventRelatedFilter, has_task_runs: bool) -> Clause | None:
    both = "event_related.resource_id = ? AND event_related.role = ?"
    conditions = all_of(
        is_in("event_related.resource_id", wanted.id or None),
        is_in("event_related.role", wanted.role or None),
        any_of(*(Clause(both, (id, role)) for id, role in wanted.resources_in_roles or ())),
        _labels(dialect, wanted.labels, _related_label),
    )
    return _has_related(dialect, conditions, has_task_runs) if conditions is not TRUE else None


def _any_resource(dialect: Dialect, wanted: EventAnyResourceFilter, has_task_runs: bool) -> Clause:
    related = all_of(
        is_in("event_related.resource_id", wanted.id or None),
        _starts_with_one(dialect, "event_related.resource_id", wanted.id_prefix),
        _labels(dialect, wanted.labels, _related_label),
    )
    return any_of(_primary(dialect, wanted), _has_related(dialect, related, has_task_runs))


def _has_related(dialect: Dialect, conditions: Clause, has_task_runs: bool) -> Clause:
    # The sets are few beside the events, and an index leads from them to their events. The transitions of task runs are
    # not in that index; where they are unwanted, saying so lets it be used.
    sets = f"SELECT event_related.set_id FROM event_related WHERE {conditions.sql}"
    related = Clause(dialect.is_in_select("event.related_set_id", sets), conditions.params)
    return related if has_task_runs else all_of(related, Clause("event.resource IS NOT NULL"))


def _starts_with_one(dialect: Dialect, column: str, prefixes: list[str] | None) -> Clause | None:
    return any_of(*(starts_with(dialect, column, prefix) for prefix in prefixes)) if prefixes else None


# -- labels ----------------------------------------------------------------------------------------------------------


def _labels(
    dialect: Dialect, wanted: ResourceSpecification | None, label: Callable[[Dialect, str], Clause]
) -> Clause | None:
    """Every label has one of its wanted values; a label that a resource lacks has none, not even a negated one."""
    if wanted is None:
        return None
    conditions: list[Clause] = []
    for name, values in wanted.root.items():
        expression = label(dialect, name)
        options = [_has_value(dialect, expression, value) for value in _as_list(values)]
        conditions.append(any_of(*options) if options else FALSE)
    return all_of(*conditions)


def _has_value(dialect: Dialect, expression: Clause, value: str) -> Clause:
    is_negated = value.startswith("!")
    condition = matches_glob(dialect, expression.sql, value[1:] if is_negated else value)
    condition = Clause(condition.sql, expression.params + condition.params)
    return negated(condition) if is_negated else condition


def resource_label(dialect: Dialect, name: str) -> Clause:
    """The expression for a label of an event's resource, with its parameters."""
    if name == "prefect.resource.id":
        return Clause("event.resource_id")
    text = dialect.json_text("event.resource", "?")
    made = _TASK_RUN_LABELS.get(name)
    if made is None:
        return Clause(text, (name,))
    return Clause(f"(CASE WHEN event.resource IS NULL THEN {made} ELSE {text} END)", (name,))


def _related_label(dialect: Dialect, name: str) -> Clause:
    if name == "prefect.resource.id":
        return Clause("event_related.resource_id")
    if name == "prefect.resource.role":
        return Clause("event_related.role")
    if dialect.name == "sqlite":
        text = "json_extract(event_related_set.resources, '$[' || event_related.position || '].\"' || ? || '\"')"
    else:
        text = "(event_related_set.resources -> event_related.position ->> CAST(? AS text))"
    return Clause(f"(SELECT {text} FROM event_related_set WHERE event_related_set.id = event_related.set_id)", (name,))
