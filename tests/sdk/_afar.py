"""What another process can tell of the contexts it was given; here, so that the process can import it."""

from __future__ import annotations

from typing import Any

from prefect.context import FlowRunContext, TagsContext
from prefect.runtime import task_run
from prefect.settings import get_current_settings


def look_from_afar(extra: Any) -> tuple[Any, ...]:
    context = FlowRunContext.get()
    return (
        extra,
        context.flow_run.id,
        context.flow.name,
        context.detached,
        sorted(TagsContext.get().current_tags),
        task_run.name,
        get_current_settings().logging.level,
    )
