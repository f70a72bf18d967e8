"""Looks at and swaps the context variables of the running code."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context, Token
from importlib import import_module
from typing import Any
from uuid import UUID

__all__ = ["get_flow_run_id", "get_task_and_flow_run_ids", "get_task_run_id", "temporary_context"]


@contextmanager
def temporary_context(context: Context) -> Generator[None, Any, None]:
    """Give the code inside the values that a context holds, and put the previous ones back behind it."""
    tokens: list[tuple[Any, Token[Any]]] = [(variable, variable.set(value)) for variable, value in context.items()]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def _current() -> Any:
    # What runs is known one layer up.
    return import_module("prefect._current")


def get_task_run_id() -> UUID | None:
    """Return the id of the task run that this code belongs to, if any."""
    return _current().task_run_id()


def get_flow_run_id() -> UUID | None:
    """Return the id of the flow run that this code belongs to, if any."""
    return _current().flow_run_id()


def get_task_and_flow_run_ids() -> tuple[UUID | None, UUID | None]:
    """Return the ids of the task run and of the flow run that this code belongs to, if any."""
    return get_task_run_id(), get_flow_run_id()
