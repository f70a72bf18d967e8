"""One time of serving, from its start until it is stopped and everything is in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import anyio

from prefect.client._calls.deployments import pause_deployment
from prefect.logging.loggers import get_logger
from prefect.runner._due import DueRuns
from prefect.runner._insisting import is_refusal
from prefect.runner._intake import Intake
from prefect.runner._served import PulledCode, ServedDeployment
from prefect.runner._station import Station
from prefect.utilities._asked_to_end import asked_to_end
from prefect.utilities.services import start_client_metrics_server

logger = get_logger("runner")

_HURRY_SECONDS = 3.0
"""How long a runner that is told to end at once goes on putting things in order."""
PATIENCE_SECONDS = 600.0
"""How long a runner that has nothing else to do waits for an API that is away."""


class APIGivenUp(RuntimeError):
    """The API refuses a runner, or has been away for too long."""


class Session:
    """Serves deployments.

    Args:
        station: Executes their runs.
        served: The deployments, by their ids.
        codes: Code of theirs that is from elsewhere.
        limit: The most runs at a time; None for no limit.
        prefetch: How long before they are due runs are taken.
        interval_seconds: How often to ask for due runs.
        pauses: Whether the deployments are paused in the end.
    """

    def __init__(
        self,
        station: Station,
        served: Mapping[UUID, ServedDeployment],
        codes: list[PulledCode],
        *,
        limit: int | None,
        prefetch: timedelta,
        interval_seconds: float,
        pauses: bool,
    ) -> None:
        self._station = station
        self._served = served
        self._codes = codes
        self._pauses = pauses
        self._stopping = asyncio.Event()
        self._signals: list[int] = []
        self.intake = Intake(station, served, limit, prefetch, self._make_use_of_room)
        self._due = DueRuns(self.intake.look, interval_seconds, self._judge)

    @property
    def last_asked(self) -> datetime | None:
        """When the API has last said what is due."""
        return self.intake.last_asked

    def _make_use_of_room(self) -> None:
        self._due.wake()

    def stop(self, signal_number: int | None = None) -> None:
        """Begin to stop; when told so by a signal once more, end what is left by force. May be called from any thread."""
        self._station.loop.call_soon_threadsafe(self._begin_to_stop, signal_number)

    def _begin_to_stop(self, signal_number: int | None) -> None:
        if signal_number is not None:
            self._signals.append(signal_number)
        if len(self._signals) > 2:
            self.intake.abandon()
        elif len(self._signals) > 1:
            logger.info("Ending at once.")
            for supervisor in self._station.under_way:
                supervisor.kill()
            self._station.loop.call_later(_HURRY_SECONDS, self.intake.abandon)
        elif not self._stopping.is_set():
            self._stopping.set()
            self.intake.is_closed = True
            running = len(self._station.under_way)
            ending = f", {running} flow run(s) are cancelled" if running else ""
            logger.info("Shutting down%s...", ending)

    def _judge(self, error: Exception, failing_seconds: float) -> None:
        """Give the API up when it is of no use to go on asking it."""
        if is_refusal(error):
            raise APIGivenUp(f"Serving ends, as the API refuses to say which runs are due: {error}") from error
        # Runs that go need their runner, and show that the API was there not long ago.
        if failing_seconds > PATIENCE_SECONDS and not self._station.under_way:
            raise APIGivenUp(
                f"Serving ends, as the API has not answered for {failing_seconds / 60:.0f} minutes: {error}"
            ) from error

    async def serve(self, run_once: bool) -> None:
        """Serve until stopped, or take the runs that are due now and wait for their ends.

        Raises:
            APIGivenUp: The API refuses to say which runs are due, or is away for long; everything is in order.
            KeyboardInterrupt: It was stopped by Ctrl-C; everything is in order.
            SystemExit: It was stopped by SIGTERM, with code 0; everything is in order.
        """
        start_client_metrics_server()
        keeping: list[asyncio.Task[None]] = []
        with asked_to_end(self.stop):
            try:
                await asyncio.gather(*(code.bring_up_to_date() for code in self._codes))
                keeping += [asyncio.create_task(code.keep_up_to_date()) for code in self._codes]
                if run_once:
                    await self._serve_once()
                else:
                    await self._due.ask_until(self._stopping)
            finally:
                for task in keeping:
                    task.cancel()
                # Whatever ends the serving, its runs must not go on without a supervisor.
                with anyio.CancelScope(shield=True):
                    await self._put_in_order()
        self._raise_what_stopped_it()

    async def _serve_once(self) -> None:
        await self.intake.look(0.0)
        ended = asyncio.ensure_future(self.intake.wait_until_idle())
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            stopped.cancel()

    async def _put_in_order(self) -> None:
        self.intake.is_closed = True
        self._station.insistence.limit()
        pausing = asyncio.ensure_future(self._pause_deployments()) if self._pauses and self._served else None
        for supervisor in self._station.under_way:
            supervisor.shut_down()
        await self.intake.wait_until_idle()
        if pausing is not None:
            await pausing

    async def _pause_deployments(self) -> None:
        logger.info("Pausing all deployments...")
        paused = 0
        for each in self._served.values():  # one after another: not every server bears several writes at once
            try:
                await self._station.insistence.deliver(pause_deployment(each.id), f"pause '{each.name}'")
                paused += 1
            except TimeoutError:
                break
            except Exception as error:  # noqa: BLE001 - what is wrong with one must not keep the others from it
                logger.warning("'%s' could not be paused: %s", each.name, error)
        if paused == len(self._served):
            logger.info("All deployments have been paused!")
        else:
            logger.warning(
                "%s of the deployments could not be paused, their schedules go on.", len(self._served) - paused
            )

    def _raise_what_stopped_it(self) -> None:
        if signal.SIGTERM in self._signals:
            raise SystemExit(0)
        if self._signals:
            raise KeyboardInterrupt
