"""Entry points of the flow engine."""

from prefect._engine.flow_run import FlowRunTimeoutError
from prefect._engine.heartbeats import MINIMUM_HEARTBEAT_INTERVAL
from prefect._engine.run_flows import (
    run_flow,
    run_flow_async,
    run_flow_sync,
    run_generator_flow_async,
    run_generator_flow_sync,
)
from prefect._loading.execution import run_flow_in_subprocess
from prefect._loading.flow_runs import load_flow, load_flow_and_flow_run, load_flow_run

__all__ = [
    "MINIMUM_HEARTBEAT_INTERVAL",
    "FlowRunTimeoutError",
    "load_flow",
    "load_flow_and_flow_run",
    "load_flow_run",
    "run_flow",
    "run_flow_async",
    "run_flow_in_subprocess",
    "run_flow_sync",
    "run_generator_flow_async",
    "run_generator_flow_sync",
]
