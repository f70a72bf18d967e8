"""How a session looks at the deployments of its flows, and at the runs that other processes run."""

from __future__ import annotations

from typing import Any

from parts import MARK, eventually, flow_run

from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, LogFilter, LogFilterFlowRunId


def state(run: Any) -> str:
    return flow_run(run.id)["state"]


def is_over(state: str) -> bool:
    return state.split("/")[0] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def ended(run: Any) -> dict[str, Any]:
    """A run, when it is over."""
    eventually(lambda: state(run), is_over)
    return flow_run(run.id)


def deployments() -> dict[str, Any]:
    """The deployments of this session's flows, by flow and name."""
    with get_client(sync_client=True) as client:
        names = {flow.id: flow.name for flow in client.read_flows(limit=200) if MARK in flow.name}
        return {
            f"{names[each.flow_id].removesuffix(f'-{MARK}')}/{each.name}": each
            for each in client.read_deployments(limit=200)
            if each.flow_id in names
        }


def logged(run: Any, text: str) -> int:
    """How many lines of a run have a text."""
    chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))

    def read() -> int:
        with get_client(sync_client=True) as client:
            return sum(text in log.message for log in client.read_logs(chosen))

    return eventually(read)


def runs_of(id: Any) -> list[Any]:
    with get_client(sync_client=True) as client:
        chosen = FlowRunFilter.model_validate({"deployment_id": {"any_": [str(id)]}})
        return client.read_flow_runs(flow_run_filter=chosen, limit=200)
