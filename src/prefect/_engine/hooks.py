"""Runs state hooks: in order, logged, and without any effect of their failures on the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from prefect._engine.effects import Call
from prefect._plans import Plan
from prefect.client.schemas.objects import State


def hook_name(hook: Callable[..., Any]) -> str:
    """The name under which a hook appears in logs."""
    if isinstance(hook, partial):
        return hook_name(hook.func)
    return getattr(hook, "__name__", None) or type(hook).__name__


def hook_calls(hooks: Iterable[Callable[..., Any]], owner: Any, run: Any, state: State, logger: Any) -> Plan[None]:
    """Call each hook with (flow or task, run, state)."""
    for hook in hooks:
        name = hook_name(hook)
        logger.info("Running hook %r in response to entering state %r", name, state.name)
        try:
            yield Call(hook, (owner, run, state))
        except Exception:
            # A hook is the user's side effect: it must not change what the run came to.
            logger.error("An error was encountered while running hook %r", name, exc_info=True)
        else:
            logger.info("Hook %r finished running successfully", name)
