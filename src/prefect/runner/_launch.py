"""Says how the process of a flow run is started: its command, its environment, and what it reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from prefect._engine.supervision import BOUND_VARIABLE, HOOKS_VARIABLE
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.flows import Flow


@dataclass(frozen=True)
class Launch:
    """How to run a flow run in a process.

    Attributes:
        command: The program and its arguments; by default the engine of this release.
        cwd: Where it runs.
        env: Additions to the environment of this process; None removes a variable.
        entrypoint: Where the flow is, if not where its deployment says.
        storage_base_path: What `$STORAGE_BASE_PATH` in the deployment's path stands for.
        deployment_name: The name of the deployment, where it is known.
        heartbeat_seconds: How often the run tells that it is alive; by the settings unless given.
        is_bound: Whether the process ends when its runner is killed. Otherwise it goes on, and ends its run by itself.
        stream_output: Whether the output of the process goes where that of this process goes.
        flow: The flow, where it is an object of this process: its hooks run here.
        packed_flow: That flow, for the process to unpack; it loads the flow itself when there is none.
    """

    command: list[str] | None = None
    cwd: Path | str | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    entrypoint: str | None = None
    storage_base_path: Path | None = None
    deployment_name: str | None = None
    heartbeat_seconds: float | None = None
    is_bound: bool = False
    stream_output: bool = True
    flow: Flow[..., object] | None = None
    packed_flow: bytes | None = None

    def command_for(self, flow_run_id: UUID) -> list[str]:
        """What to start."""
        if self.command is not None:
            return self.command
        engine = [sys.executable, "-m", "prefect.engine"]
        return engine if self.packed_flow is None else [*engine, str(flow_run_id), "-"]

    def environment(self, flow_run_id: UUID, more: Mapping[str, str]) -> dict[str, str]:
        """All of the environment of the process.

        Args:
            flow_run_id: The run.
            more: Additions that have precedence over everything else.
        """
        wanted: dict[str, str | None] = dict(os.environ)
        wanted.update(get_current_settings().to_environment_variables(exclude_unset=True))
        wanted["PREFECT__FLOW_RUN_ID"] = str(flow_run_id)
        # The hooks of a run whose process is killed can only run here, so they all do.
        wanted[HOOKS_VARIABLE] = "false"
        wanted[BOUND_VARIABLE] = "true" if self.is_bound else None
        named = {
            "PREFECT__FLOW_ENTRYPOINT": self.entrypoint,
            "PREFECT__STORAGE_BASE_PATH": self.storage_base_path,
            "PREFECT__DEPLOYMENT_NAME": self.deployment_name,
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": self.heartbeat_seconds and int(self.heartbeat_seconds),
        }
        wanted.update({name: str(value) for name, value in named.items() if value is not None})
        wanted.update(self.env)
        wanted.update(more)
        return {name: value for name, value in wanted.items() if value is not None}
