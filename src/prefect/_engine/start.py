"""The doors of the engine for flows and tasks. Decorating loads nothing of it; the first call loads what it needs."""

from importlib import import_module
from typing import Any

_HOME = {
    "as_assets": "prefect._engine.assets",
    "create_local_task_run": "prefect._engine.background",
    "create_task_run": "prefect._engine.background",
    "draw": "prefect._engine.visualise",
    "adraw": "prefect._engine.visualise",
    "emit_materializations": "prefect._engine.assets",
    "flow_call": "prefect._engine.visualise",
    "map_in_background": "prefect._engine.background",
    "mermaid": "prefect._engine.visualise",
    "amermaid": "prefect._engine.visualise",
    "run_flow": "prefect._engine.run_flows",
    "run_in_background": "prefect._engine.background",
    "run_task": "prefect._engine.run_tasks",
    "task_call": "prefect._engine.visualise",
    "unsupported": "prefect._engine.visualise",
}
"""Where each door leads."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
