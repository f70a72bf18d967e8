"""What the methods of flows do that deploy them, or load them from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect._plans import Plan
from prefect.deployments import _deploying, _pulling
from prefect.deployments._options import arguments_of
from prefect.deployments.runner import RunnerDeployment

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["arguments_of", "deploy_flow_plan", "load_flow_plan", "make_deployment"]

_HOW_TO_DEPLOY = ("work_pool_name", "image", "build", "push", "print_next_steps", "ignore_warnings")
"""Arguments of `Flow.deploy` that say how to deploy, rather than what the deployment is."""


def make_deployment(flow: Flow[..., Any], options: Mapping[str, Any]) -> RunnerDeployment:
    """Make a deployment of a flow. The options are the arguments of `Flow.to_deployment`."""
    return RunnerDeployment.from_flow(flow, **options)


def deploy_flow_plan(flow: Flow[..., Any], arguments: Mapping[str, Any]) -> Plan[UUID]:
    """Deploy a flow to a work pool. The arguments are those of `Flow.deploy`."""
    how = {name: arguments[name] for name in _HOW_TO_DEPLOY}
    options = {name: value for name, value in arguments.items() if name not in how}
    [id] = yield from _deploying.deploy_plan([make_deployment(flow, options)], **how)
    return id


def load_flow_plan(source: Any, entrypoint: str) -> Plan[Flow[..., Any]]:
    """Load a flow from elsewhere. The arguments are those of `Flow.from_source`."""
    return (yield from _pulling.pull_flow_plan(_pulling.storage_of(source), entrypoint))
