"""Tells the API what has become of flow runs whose process cannot, or may not, do so itself."""

from __future__ import annotations

from uuid import UUID

from prefect._version import __version__
from prefect.client._calls.flow_runs import read_flow_run, set_flow_run_state
from prefect.client.schemas.objects import FlowRun, State, StateDetails, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.events import emit_event
from prefect.exceptions import ObjectNotFound
from prefect.logging.loggers import flow_run_logger
from prefect.runner._cancelling import asks_for_cancellation
from prefect.runner._hooks import run_hooks
from prefect.runner._insisting import Insistence
from prefect.runner._launch import Launch
from prefect.utilities.slugify import slugify


class Reports:
    """What a runner says of its flow runs.

    Args:
        runner_name: Names the runner in events.
        insistence: Decides for how long to repeat what the API does not answer.
    """

    def __init__(self, runner_name: str, insistence: Insistence) -> None:
        self._runner_name = runner_name
        self._insistence = insistence

    async def read(self, flow_run_id: UUID) -> FlowRun:
        """The run as it is now."""
        return await self._insistence.deliver(read_flow_run(flow_run_id), f"read flow run '{flow_run_id}'")

    async def crash(self, flow_run: FlowRun, message: str, launch: Launch) -> bool:
        """Record that a run has lost its process, unless it has ended, and run its hooks; returns whether that was news."""
        crashed = State(type=StateType.CRASHED, message=message)
        entered = await self._enter(flow_run, crashed, force=False)
        if entered is None:
            return False
        flow_run_logger(flow_run).info("Reported flow run '%s' as crashed: %s", flow_run.id, message)
        await run_hooks("on_crashed", flow_run, entered, launch)
        return True

    async def begin_cancelling(self, flow_run_id: UUID, message: str) -> FlowRun:
        """Record that a run is being cancelled, if it has begun and has not ended; gives the run as it is then."""
        flow_run = await self.read(flow_run_id)
        if flow_run.state is None or flow_run.state.is_pending() or asks_for_cancellation(flow_run.state):
            return flow_run
        await self._enter(flow_run, State(type=StateType.CANCELLING, message=message), force=False)
        return await self.read(flow_run_id)

    async def cancel(self, flow_run: FlowRun, message: str, launch: Launch) -> None:
        """Run the hooks of a run that is being cancelled, and record that it is cancelled."""
        assert flow_run.state is not None
        await run_hooks("on_cancellation", flow_run, flow_run.state, launch)
        await self.record_cancelled(flow_run, message)
        flow_run_logger(flow_run).info("Cancelled flow run %r: %s", flow_run.name, message)
        self._tell_of_cancellation(flow_run, launch)

    async def record_cancelled(self, flow_run: FlowRun, message: str) -> None:
        """Record that a run is cancelled."""
        await self._enter(flow_run, State(type=StateType.CANCELLED, message=message), force=True)

    async def give_back(self, flow_run: FlowRun) -> None:
        """Let somebody else start a run that has been claimed, and has not begun."""
        due = flow_run.state.state_details.scheduled_time if flow_run.state is not None else None
        details = StateDetails(scheduled_time=due or flow_run.expected_start_time)
        await self._enter(flow_run, State(type=StateType.SCHEDULED, state_details=details), force=False)

    async def reschedule(self, flow_run: FlowRun) -> None:
        """Have a run started anew, by whoever takes it."""
        message = "The process that ran this flow run was shut down."
        await self._enter(flow_run, State(type=StateType.SCHEDULED, name="AwaitingRetry", message=message), force=True)

    async def _enter(self, flow_run: FlowRun, state: State, force: bool) -> State | None:
        """The state that the run has entered; None if that is another one than was wanted, or the run is gone."""
        call = set_flow_run_state(flow_run.id, state, force=force)
        try:
            result = await self._insistence.deliver(call, f"record that flow run '{flow_run.id}' is {state.type.value}")
        except ObjectNotFound:
            return None
        return (result.state or state) if result.status is SetStateStatus.ACCEPT else None

    def _tell_of_cancellation(self, flow_run: FlowRun, launch: Launch) -> None:
        related = [("deployment", flow_run.deployment_id, launch.deployment_name)] if flow_run.deployment_id else []
        related.append(("flow", flow_run.flow_id, launch.flow.name if launch.flow is not None else None))
        related.append(("flow-run", flow_run.id, flow_run.name))
        resources = [
            {"prefect.resource.id": f"prefect.{kind}.{id}", "prefect.resource.role": kind}
            | ({"prefect.resource.name": name} if name else {})
            for kind, id, name in related
        ]
        resources += [
            {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}
            for tag in sorted(flow_run.tags)
        ]
        emit_event(
            "prefect.runner.cancelled-flow-run",
            resource={
                "prefect.resource.id": f"prefect.runner.{slugify(self._runner_name)}",
                "prefect.resource.name": self._runner_name,
                "prefect.version": __version__,
            },
            related=resources,
        )
