"""Executes one flow run in a place of its own: the command that containers are started with."""

import asyncio
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import UUID

from prefect._loading.workspace import Workspace
from prefect.cli import _output
from prefect.client.schemas.objects import FlowRun
from prefect.runner import Runner
from prefect.settings import get_current_settings

SIGTERM_BEHAVIOR_VARIABLE = "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"
"""What becomes of the run when this process is told to terminate: `reschedule`, `relinquish`, or, by default, it crashes."""

_LOOK_SECONDS = 0.1
"""How often to look for a signal, and to repeat what it means: the process of the run may not be there yet."""


class Execution:
    """One call of the command.

    Args:
        flow_run: The run.
    """

    def __init__(self, flow_run: FlowRun) -> None:
        self.flow_run = flow_run
        self.runner = Runner(name=f"flow-run-{flow_run.id}", limit=None)
        self.signal: int | None = None
        behavior = os.environ.get(SIGTERM_BEHAVIOR_VARIABLE, "").lower()
        self._wishes: dict[str, Callable[[], None]] = {
            "reschedule": self.runner.reschedule_current_flow_runs,
            "relinquish": self.runner.relinquish_current_flow_runs,
            "": self.runner.terminate_current_flow_runs,
        }
        if behavior not in self._wishes:
            _output.fail(
                f"{SIGTERM_BEHAVIOR_VARIABLE}={behavior!r} is not known. Set it to 'reschedule' or 'relinquish', or unset it."
            )
        self._behavior = behavior

    def run(self) -> None:
        """Execute the run to its end, and end this process as whoever started it expects."""
        with self._hearing_signals():
            if self._needs_workspace():
                with tempfile.TemporaryDirectory(prefix="prefect-flow-run-", ignore_cleanup_errors=True) as folder:
                    asyncio.run(self._execute(Workspace.create(Path(folder), origin=Path.cwd())))
            else:
                asyncio.run(self._execute(None))
        if self.signal is not None:
            self._end_after_signal()

    def _needs_workspace(self) -> bool:
        # Without a deployment, or with an entrypoint of its own, the flow is where this command was given.
        return self.flow_run.deployment_id is not None and not os.environ.get("PREFECT__FLOW_ENTRYPOINT")

    async def _execute(self, workspace: Workspace | None) -> None:
        async with self.runner:
            wishing = asyncio.create_task(self._pass_wish_on())
            try:
                if workspace is None:
                    await self.runner.execute_flow_run(self.flow_run.id)
                else:
                    await self.runner.execute_flow_run(
                        self.flow_run.id, command=_command(), cwd=workspace.code, env=dict(workspace.environment)
                    )
            finally:
                wishing.cancel()

    async def _pass_wish_on(self) -> None:
        told = None
        while True:
            if self.signal is not None:
                if told is None:
                    told = signal.Signals(self.signal).name
                    _output.note(f"Received {told}, ending flow run {self.flow_run.name!r}...")
                self._wishes["" if self.signal == signal.SIGINT else self._behavior]()
            await asyncio.sleep(_LOOK_SECONDS)

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        def note(received: int, frame: FrameType | None) -> None:
            self.signal = received

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end_after_signal(self) -> None:
        from prefect._loading.flow_runs import load_flow_run  # noqa: PLC0415 - loads the engine, for this case only

        state = load_flow_run(self.flow_run.id).state
        if self.signal == signal.SIGINT:
            _output.fail("Aborted.")
        if state is not None and state.is_final() and not state.is_crashed():
            return  # the run has come to its end first
        if self._behavior == "reschedule":
            _output.success("The flow run was rescheduled.")
        elif self._behavior == "relinquish":
            _output.fail("The flow run was left as it is, for the infrastructure to start it again.")
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)


def _command() -> str | None:
    if not get_current_settings().runner.auto_install_dependencies:
        return None
    return shlex.join([sys.executable, "-m", "prefect._loading.project"])


def flow_run_id_of(given: UUID | None) -> UUID:
    """The run that an argument or the environment names. Ends the command if neither does."""
    if given is not None:
        return given
    named = os.environ.get("PREFECT__FLOW_RUN_ID", "")
    if not named:
        _output.fail("Which flow run? Give its id, or set PREFECT__FLOW_RUN_ID.")
    try:
        return UUID(named)
    except ValueError:
        _output.fail(f"PREFECT__FLOW_RUN_ID={named!r} is not the id of a flow run.")
