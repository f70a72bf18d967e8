"""What the flow runs of one runner have in common while it is at work, and which of them are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from uuid import UUID

from typing_extensions import Self

from prefect._engine import heartbeats
from prefect.runner._asking import Asking
from prefect.runner._cancelling import CancellationWatch
from prefect.runner._control import ControlChannel
from prefect.runner._insisting import Insistence
from prefect.runner._launch import Launch
from prefect.runner._process import RunProcess
from prefect.runner._reports import Reports
from prefect.runner._supervisor import Supervisor


def _ignore(_: int) -> None:
    """Nobody wants to know the number of a process."""


class Station:
    """Executes flow runs, any number at a time, while in its `async with` block.

    Args:
        name: Of the runner.
        poll_seconds: How often to ask whether runs are to be cancelled, while there is no stream of events.
        when_blind: Called when that cannot be found out at all.
    """

    def __init__(self, name: str, poll_seconds: float, when_blind: Callable[[], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.asking = Asking()
        self.insistence = Insistence(self.asking)
        self.reports = Reports(name, self.insistence)
        self._channel = ControlChannel()
        self._cancellations = CancellationWatch(self.asking, poll_seconds, when_blind)
        self._supervisors: dict[UUID, Supervisor] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._scope = AsyncExitStack()

    async def __aenter__(self) -> Self:
        # The runs that this process has claimed are its own until their processes have begun them.
        self._scope.enter_context(heartbeats.runs_here())
        await self._scope.enter_async_context(self.asking)
        await self._scope.enter_async_context(self._channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._scope.aclose()

    @property
    def under_way(self) -> list[Supervisor]:
        """The supervisors of the runs that are being executed."""
        return list(self._supervisors.values())

    async def execute(
        self, flow_run_id: UUID, launch: Launch, started: Callable[[int], None] = _ignore
    ) -> RunProcess | None:
        """Execute a run to its end. Arguments and errors as of `Supervisor`.

        Returns:
            The process, which has ended; None if the run was to be cancelled before it had one.

        Raises:
            RuntimeError: The run is being executed here already.
        """
        if flow_run_id in self._supervisors:
            raise RuntimeError(f"Flow run '{flow_run_id}' is being executed by this runner already.")
        supervisor = Supervisor(flow_run_id, launch, self._channel, self._cancellations, self.reports)
        self._supervisors[flow_run_id] = supervisor
        self._idle.clear()
        heartbeats.keep_alive()
        try:
            await supervisor.run(started)
        finally:
            del self._supervisors[flow_run_id]
            if not self._supervisors:
                self._idle.set()
        return supervisor.process

    async def wait_until_idle(self) -> None:
        """Wait until no run is under way."""
        await self._idle.wait()
