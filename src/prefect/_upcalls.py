"""The calls that go up the layers: each name stands for code that only a higher layer can bring.

Nothing here is imported before it is called; the layer test reads the table.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_TARGETS: dict[str, str] = {
    "describe_system_blocks": "prefect.blocks._system:describe_system_blocks",
    "get_state_result": "prefect.states:get_state_result",
    "get_state_result_sync": "prefect.states:get_state_result_sync",
    "read_result_record": "prefect.results:read_result_record",
    "aread_result_record": "prefect.results:aread_result_record",
    "load_prefect_collections": "prefect.plugins:load_prefect_collections",
    "run_pull_steps": "prefect.deployments.steps.core:run_steps",
    "result_record_metadata": "prefect.results:ResultRecordMetadata",
    "docker_image": "prefect.docker.docker_image:DockerImage",
    "build_docker_image": "prefect.docker._steps:build_docker_image",
    "push_docker_image": "prefect.docker._steps:push_docker_image",
    "serve_flow": "prefect.runner._serving:serve_flow",
    "serve_deployments": "prefect.runner._serving:serve",
    "aserve_deployments": "prefect.runner._serving:aserve",
    "serve_tasks": "prefect.task_worker:serve",
    "hold_runs": "prefect._engine.heartbeats:hold_runs",
    "let_go_of_runs": "prefect._engine.heartbeats:let_go_of_runs",
    "aserve_tasks": "prefect.task_worker:aserve",
}

_resolved: dict[str, Any] = {}


def resolve(name: str) -> Any:
    """The function or class that stands behind a name of the table.

    Raises:
        KeyError: The table has no such name.
    """
    try:
        return _resolved[name]
    except KeyError:
        module, _, attribute = _TARGETS[name].partition(":")
        target = _resolved[name] = getattr(import_module(module), attribute)
        return target
