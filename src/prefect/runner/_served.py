"""The deployments that a runner serves: how their runs are started, and where their code is from."""

from __future__ import annotations

import asyncio
import shutil
import time
import weakref
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect._code_storage.places import RunnerStorage
from prefect._loading.shipping import pack_flow
from prefect._state_values import format_exception
from prefect.logging.loggers import get_logger
from prefect.runner._launch import Launch

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.flows import Flow

logger = get_logger("runner")


class PulledCode:
    """Code that is from elsewhere, in a folder of this machine.

    Args:
        storage: Where it is from.
        base_path: Below which folder it is put.
    """

    def __init__(self, storage: RunnerStorage, base_path: Path) -> None:
        self.given = storage
        self.storage = deepcopy(storage)
        self.storage.set_base_path(base_path)
        self.base_path = base_path
        self._pulled_at: float | None = None
        self._lock = asyncio.Lock()

    async def bring_up_to_date(self) -> None:
        """Pull the code if it has never been, or if that is longer ago than it may be."""
        async with self._lock:
            interval, now = self.storage.pull_interval, time.monotonic()
            if self._pulled_at is not None and (interval is None or now - self._pulled_at < interval):
                return
            await self.storage.pull_code()
            self._pulled_at = time.monotonic()

    async def keep_up_to_date(self) -> None:
        """Pull the code every so often, if that is wanted; goes on until it is cancelled."""
        # With an interval of 0, each run pulls the code, and that is enough.
        while interval := self.storage.pull_interval:
            await asyncio.sleep(interval)
            try:
                await self.bring_up_to_date()
            except Exception as error:  # noqa: BLE001 - runs go on with the code that there is
                logger.warning("The code in %s could not be brought up to date: %s", self.storage.destination, error)


@dataclass(frozen=True)
class ServedDeployment:
    """A deployment whose runs a runner takes.

    Attributes:
        id: Its id.
        name: Its flow's name and its own, with a slash between.
        has_schedules: Whether it has any.
        launch: How to start a run of it.
        code: Where that finds the flow, if it is from elsewhere.
    """

    id: UUID
    name: str
    has_schedules: bool
    launch: Launch
    code: PulledCode | None = None


class Catalogue:
    """The deployments that a runner serves, and the folder with the code of those whose code is from elsewhere."""

    def __init__(self) -> None:
        self.by_id: dict[UUID, ServedDeployment] = {}
        self._codes: list[PulledCode] = []
        self._folder: Path | None = None

    def add(self, id: UUID, deployment: RunnerDeployment, flow: Flow[..., Any] | None, launch: Launch) -> None:
        """Serve a deployment.

        Args:
            id: Its id in the API.
            deployment: What it is.
            flow: The flow, if that is an object of this process; runs load it themselves otherwise.
            launch: How runs are started in general.
        """
        launch, code = replace(launch, deployment_name=deployment.name), None
        if deployment.storage is not None:
            code = self._pulled(deployment.storage)
            launch = replace(launch, cwd=code.storage.destination, storage_base_path=code.base_path)
        elif flow is not None:
            launch = replace(launch, flow=flow, packed_flow=_packed(flow))
        has_schedules = bool(deployment.schedules)
        self.by_id[id] = ServedDeployment(id, deployment.full_name, has_schedules, launch, code)

    def _pulled(self, storage: RunnerStorage) -> PulledCode:
        for code in self._codes:
            if code.given == storage:
                return code
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="prefect-runner-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        code = PulledCode(storage, self._folder)
        self._codes.append(code)
        return code

    @property
    def codes(self) -> list[PulledCode]:
        """The code from elsewhere, each once."""
        return list(self._codes)


def _packed(flow: Flow[..., Any]) -> bytes | None:
    try:
        return pack_flow(flow)
    except Exception as error:  # noqa: BLE001 - whatever the objects raise that the function uses
        logger.warning(
            "The flow %r cannot be handed over to the processes of its runs as it is (%s). They load it from its file instead.",
            flow.name,
            format_exception(error),
        )
        return None
