"""Runs the hooks of flow runs whose process cannot: it was killed, or is being ended."""

from __future__ import annotations

import sys
from dataclasses import replace

import anyio.to_thread

from prefect._loading.hooks import run_state_hooks
from prefect.client.schemas.objects import FlowRun, State
from prefect.runner._launch import Launch
from prefect.runner._process import RunProcess


async def run_hooks(kind: str, flow_run: FlowRun, state: State, launch: Launch) -> None:
    """Run the hooks of a flow with a state of a run; what goes wrong with them is logged.

    Those of a flow that is an object of this process run here, in a thread. Others run in a process of their own, as the
    flow has to be loaded first, which is not the business of a process that is to last.

    Args:
        kind: "on_crashed" or "on_cancellation".
        flow_run: The run.
        state: What it has entered.
        launch: How its process was started.
    """
    flow = launch.flow
    if flow is not None:
        if getattr(flow, f"{kind}_hooks"):
            await anyio.to_thread.run_sync(run_state_hooks, kind, flow, flow_run, state, abandon_on_cancel=True)
        return
    own = replace(launch, command=[sys.executable, "-m", "prefect._loading.hooks", kind])
    process = await RunProcess.start(
        own.command_for(flow_run.id),
        env=own.environment(flow_run.id, {}),
        cwd=launch.cwd,
        stream_output=launch.stream_output,
        stdin=state.model_dump_json().encode() + b"\n" + (launch.packed_flow or b""),
    )
    try:
        await process.wait()
    except BaseException:
        process.kill()
        raise
