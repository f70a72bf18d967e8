"""An independent implementation of the Prefect 3 workflow system.

`from prefect import flow, task` is all that most programs need. Everything here is loaded when it is first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from prefect._version import __version__

if _TYPE_CHECKING:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import State
    from prefect.context import tags
    from prefect.deployments.runner import deploy
    from prefect.flow_runs import (
        apause_flow_run,
        aresume_flow_run,
        asuspend_flow_run,
        pause_flow_run,
        resume_flow_run,
        suspend_flow_run,
    )
    from prefect.flows import Flow, aserve, flow, serve
    from prefect.logging.loggers import get_run_logger
    from prefect.tasks import Task, task
    from prefect.transactions import Transaction
    from prefect.utilities.annotations import allow_failure, unmapped

_HOME = {
    "Flow": "prefect.flows",
    "State": "prefect.client.schemas.objects",
    "Task": "prefect.tasks",
    "Transaction": "prefect.transactions",
    "allow_failure": "prefect.utilities.annotations",
    "apause_flow_run": "prefect.flow_runs",
    "aresume_flow_run": "prefect.flow_runs",
    "aserve": "prefect.flows",
    "asuspend_flow_run": "prefect.flow_runs",
    "deploy": "prefect.deployments.runner",
    "flow": "prefect.flows",
    "get_client": "prefect.client.orchestration",
    "get_run_logger": "prefect.logging.loggers",
    "pause_flow_run": "prefect.flow_runs",
    "resume_flow_run": "prefect.flow_runs",
    "serve": "prefect.flows",
    "suspend_flow_run": "prefect.flow_runs",
    "tags": "prefect.context",
    "task": "prefect.tasks",
    "unmapped": "prefect.utilities.annotations",
}
"""Where each public name is defined."""

__all__ = [
    "Flow",
    "State",
    "Task",
    "Transaction",
    "__version__",
    "allow_failure",
    "apause_flow_run",
    "aresume_flow_run",
    "aserve",
    "asuspend_flow_run",
    "deploy",
    "flow",
    "get_client",
    "get_run_logger",
    "pause_flow_run",
    "resume_flow_run",
    "serve",
    "suspend_flow_run",
    "tags",
    "task",
    "unmapped",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = globals()[name] = getattr(_import_module(_HOME[name]), name)
        return value
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Submodules are attributes too: `prefect.runtime` works after a bare `import prefect`.
    try:
        return _import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
