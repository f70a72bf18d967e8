"""Deployments: flows that the API knows where to find and when to run, and runs of them that code starts."""

from typing import TYPE_CHECKING, Any

from prefect._compat.moves import old_names
from prefect.utilities._lazy import lazy_names

if TYPE_CHECKING:
    from prefect.deployments.base import initialize_project
    from prefect.deployments.flow_runs import arun_deployment, run_deployment
    from prefect.deployments.runner import deploy

__all__ = ["arun_deployment", "deploy", "initialize_project", "run_deployment"]

_HOMES = {
    "arun_deployment": "prefect.deployments.flow_runs",
    "deploy": "prefect.deployments.runner",
    "initialize_project": "prefect.deployments.base",
    "run_deployment": "prefect.deployments.flow_runs",
}
_known = lazy_names(__name__, _HOMES)
_former = old_names(
    __name__,
    moved={"load_flow_from_flow_run": "prefect.flows:load_flow_from_flow_run"},
    removed={"Deployment": "`flow.serve()`, `flow.deploy()` or `prefect deploy`"},
)


def __getattr__(name: str) -> Any:
    return _known(name) if name in _HOMES else _former(name)
