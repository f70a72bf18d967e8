"""Watches over the process of one flow run, from its start to its end, and sees that the run ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import anyio

from prefect._engine.supervision import Order
from prefect.client.schemas.objects import FlowRun
from prefect.logging.loggers import flow_run_logger, get_logger
from prefect.runner._cancelling import CancellationWatch, asks_for_cancellation
from prefect.runner._control import ControlChannel, Line
from prefect.runner._exits import explain_exit
from prefect.runner._launch import Launch
from prefect.runner._process import RunProcess
from prefect.runner._reports import Reports

logger = get_logger("runner")

GRACE_SECONDS = 30.0
"""How long a process may take to end after it was told to."""
_LEAVING_SECONDS = 10.0
"""How long a process may take to end after its run was cancelled, before it is told to."""
_BURIAL_SECONDS = 2.0
_NOTICE_SECONDS = 3.0
"""How long to try to record that a run is being cancelled, before its process is told to end all the same."""


@dataclass(frozen=True)
class _End:
    """Why a process is to end before its run has: the order that it gets, and what is recorded of the run."""

    order: Order | None
    message: str = ""


_CANCEL = _End(Order.CANCEL, "Flow run was cancelled.")
_SHUT_DOWN = _End(Order.CANCEL, "Runner is shutting down.")
_RESCHEDULE = _End(Order.RESCHEDULE)
_RELINQUISH = _End(Order.RELINQUISH)
_OVER = _End(Order.CANCEL)
"""The run has been cancelled already."""
_TERMINATE = _End(None)
_BLIND = _End(None, "The runner could not find out any more whether the flow run is to be cancelled.")


def _end_for(flow_run: FlowRun) -> _End | None:
    """Why the process of a run is to end that somebody wanted, or wants, to cancel; None if that is over."""
    if asks_for_cancellation(flow_run.state):
        return _CANCEL
    return _OVER if flow_run.state is not None and flow_run.state.is_cancelled() else None


class Supervisor:
    """Runs one flow run in a process.

    Args:
        flow_run_id: The run.
        launch: How to start its process.
        channel: Where processes can be talked to.
        cancellations: Hears of the wish to cancel the run.
        reports: Tells the API what has become of the run.
    """

    def __init__(
        self,
        flow_run_id: UUID,
        launch: Launch,
        channel: ControlChannel,
        cancellations: CancellationWatch,
        reports: Reports,
    ) -> None:
        self.flow_run_id = flow_run_id
        self.process: RunProcess | None = None
        self._launch = launch
        self._channel = channel
        self._cancellations = cancellations
        self._reports = reports
        self._end: _End | None = None
        self._wanted = asyncio.Event()

    # -- what others want ----------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """End the process if the run is to be cancelled, which is looked up."""
        self._want(_CANCEL)

    def shut_down(self) -> None:
        """End the process, and cancel the run."""
        self._want(_SHUT_DOWN)

    def reschedule(self) -> None:
        """End the process, and have the run started anew elsewhere."""
        self._want(_RESCHEDULE)

    def relinquish(self) -> None:
        """End the process, and leave the run as it is."""
        self._want(_RELINQUISH)

    def terminate(self) -> None:
        """End the process, which crashes the run."""
        self._want(_TERMINATE)

    def give_up(self) -> None:
        """End the process, and crash the run, as the wish to cancel it could not be heard."""
        self._want(_BLIND)

    def kill(self) -> None:
        """End the process by force, now."""
        if self.process is not None:
            self.process.kill()

    def _want(self, end: _End) -> None:
        # Whoever was first has the say, but for a wish to cancel that turns out to be an old one.
        if self._end is None or self._end is _CANCEL:
            self._end = end
            self._wanted.set()

    # -- the life of the process ---------------------------------------------------------------------------------

    async def run(self, started: Callable[[int], None]) -> None:
        """Start the process, and wait until it has ended and the run is in order.

        Args:
            started: Called with the number of the process. Not called when the run is cancelled before it starts.

        Raises:
            OSError: The process cannot be started; the run has crashed.
            ObjectNotFound: There is no such run.
        """
        with self._cancellations.watching(self.flow_run_id, self.cancel):
            flow_run = await self._reports.read(self.flow_run_id)
            if (end := _end_for(flow_run)) is not None:
                if end is _CANCEL:
                    await self._reports.record_cancelled(flow_run, "Flow run was cancelled before it started.")
                return
            line = self._channel.open_line()
            try:
                process = self.process = await self._start(flow_run, line)
                started(process.pid)
                await self._see_to_the_end(flow_run, process, line)
            finally:
                line.close()
                if self.process is not None and self.process.exit_code is None:
                    # Nobody would watch over it any more.
                    self.process.kill()
                    with anyio.move_on_after(_BURIAL_SECONDS, shield=True):
                        await self.process.wait()

    async def _start(self, flow_run: FlowRun, line: Line) -> RunProcess:
        launch = self._launch
        try:
            return await RunProcess.start(
                launch.command_for(flow_run.id),
                env=launch.environment(flow_run.id, line.environment),
                cwd=launch.cwd,
                stream_output=launch.stream_output,
                stdin=launch.packed_flow,
            )
        except (OSError, ValueError) as error:
            await self._reports.crash(flow_run, f"The process of the flow run could not be started: {error}", launch)
            raise

    async def _see_to_the_end(self, flow_run: FlowRun, process: RunProcess, line: Line) -> None:
        ending = asyncio.ensure_future(process.wait())
        try:
            while (end := await self._until_ended_or_wanted(ending)) is not None:
                if end is _CANCEL:
                    flow_run = await self._reports.read(self.flow_run_id)
                    end = _end_for(flow_run)
                    if end is None:
                        logger.debug("The wish to cancel flow run '%s' was for an earlier attempt.", self.flow_run_id)
                        self._end = None
                        continue
                    if end is _OVER:
                        # It may just be leaving, having cancelled itself.
                        await asyncio.wait({ending}, timeout=_LEAVING_SECONDS)
                await self._bring_to_end(end, flow_run, process, line)
                return
            await line.last_words()
            if not line.has_concluded:
                await self._judge(ending.result())
        finally:
            ending.cancel()

    async def _until_ended_or_wanted(self, ending: asyncio.Future[int]) -> _End | None:
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({ending, wanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wanted.cancel()
        if ending.done():
            return None
        self._wanted.clear()
        return self._end

    async def _bring_to_end(self, end: _End, flow_run: FlowRun, process: RunProcess, line: Line) -> None:
        noting = None
        if end is _SHUT_DOWN:
            noting = asyncio.ensure_future(self._reports.begin_cancelling(flow_run.id, end.message))
            await asyncio.wait({noting}, timeout=_NOTICE_SECONDS)
        if end.order is not None:
            await line.say(end.order)
        await process.stop(GRACE_SECONDS)
        await line.last_words()
        if noting is not None:
            await noting
            # The run may have begun just before its process was told to end.
            flow_run = await self._reports.begin_cancelling(flow_run.id, end.message)
            if flow_run.state is not None and flow_run.state.is_pending():
                await self._reports.give_back(flow_run)
                return
        has_ended = (
            flow_run.state is not None and flow_run.state.is_final() and not asks_for_cancellation(flow_run.state)
        )
        if line.has_concluded or has_ended or end is _OVER:
            return
        if end.order is Order.CANCEL:
            await self._reports.cancel(flow_run, end.message, self._launch)
        elif end.order is Order.RESCHEDULE:
            await self._reports.reschedule(flow_run)
        elif end is _BLIND:
            await self._reports.crash(flow_run, end.message, self._launch)
        elif end is _TERMINATE:
            await self._judge(process.exit_code or 0)

    async def _judge(self, code: int) -> None:
        """Bring the run to its end if its process has ended without doing so."""
        flow_run = await self._reports.read(self.flow_run_id)
        state = flow_run.state
        if asks_for_cancellation(state):
            await self._reports.cancel(flow_run, _CANCEL.message, self._launch)
            return
        if state is None or state.is_final():
            return
        if code == 0:
            # A run that is paused, or was put off, needs no process; one that never began will not begin by itself.
            if state.is_pending():
                message = "The process ended without having begun the flow run."
                await self._reports.crash(flow_run, message, self._launch)
            return
        meaning, logger = explain_exit(code), flow_run_logger(flow_run)
        logger.log(meaning.level, meaning.message)
        logger.info(meaning.advice)
        await self._reports.crash(flow_run, meaning.message, self._launch)
