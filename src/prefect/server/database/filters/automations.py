"""The filter of automations."""

from __future__ import annotations

from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import TRUE, Clause, all_of, grouped, has_tags, in_time, is_in
from prefect.server.schemas.automation_filters import AutomationFilter


def automation_clause(dialect: Dialect, wanted: AutomationFilter | None) -> Clause:
    """The condition on rows of `automation`."""
    if wanted is None:
        return TRUE
    criteria: list[Clause] = []
    if (id := wanted.id) is not None:
        criteria.append(all_of(is_in("automation.id", id.any_)))
    if (name := wanted.name) is not None:
        criteria.append(all_of(is_in("automation.name", name.any_)))
    if (created := wanted.created) is not None:
        criteria.append(all_of(in_time("automation.created", None, created.before_)))
    if (tags := wanted.tags) is not None:
        has = has_tags(dialect, "automation.tags", every=tags.all_, some=tags.any_, empty=tags.is_null_)
        criteria.append(grouped(tags.operator, has))
    return grouped(wanted.operator, criteria)
