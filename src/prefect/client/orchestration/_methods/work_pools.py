"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client._calls import work_pools as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
    from prefect.client.schemas.filters import WorkerFilter, WorkPoolFilter
    from prefect.client.schemas.objects import Worker, WorkerMetadata, WorkPool
    from prefect.client.schemas.responses import WorkerFlowRunResponse, WorkPoolConcurrencyStatus


class WorkPoolClient(BaseClient):
    """Methods of the sync client."""

    def create_work_pool(self, work_pool: WorkPoolCreate, overwrite: bool = False) -> WorkPool:
        """Create a work pool; with `overwrite`, change the one of that name when there is one."""
        return self._follow(_calls.create_work_pool(work_pool, overwrite))

    def delete_work_pool(self, work_pool_name: str) -> None:
        """Delete a work pool with its queues and workers."""
        return self.send(_calls.delete_work_pool(work_pool_name))

    def get_scheduled_flow_runs_for_work_pool(
        self, work_pool_name: str, work_queue_names: list[str] | None = None, scheduled_before: datetime | None = None
    ) -> list[WorkerFlowRunResponse]:
        """Read the runs of a work pool that are due, those that start first in front."""
        return self.send(
            _calls.get_scheduled_flow_runs_for_work_pool(work_pool_name, work_queue_names, scheduled_before)
        )

    def read_work_pool(self, work_pool_name: str) -> WorkPool:
        """Read a work pool."""
        return self.send(_calls.read_work_pool(work_pool_name))

    def read_work_pool_concurrency_status(
        self, work_pool_name: str, page: int = 1, limit: int | None = None, flow_run_limit: int = 10
    ) -> WorkPoolConcurrencyStatus:
        """Read who holds the slots of a work pool, one page of its queues at a time."""
        return self.send(_calls.read_work_pool_concurrency_status(work_pool_name, page, limit, flow_run_limit))

    def read_work_pools(
        self, limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
    ) -> list[WorkPool]:
        """Read the work pools that meet a filter, by name."""
        return self.send(_calls.read_work_pools(limit, offset, work_pool_filter))

    def read_workers_for_work_pool(
        self,
        work_pool_name: str,
        worker_filter: WorkerFilter | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> list[Worker]:
        """Read the workers of a work pool, those heard of last in front."""
        return self.send(_calls.read_workers_for_work_pool(work_pool_name, worker_filter, offset, limit))

    def send_worker_heartbeat(
        self,
        work_pool_name: str,
        worker_name: str,
        heartbeat_interval_seconds: float | None = None,
        get_worker_id: bool = False,
        worker_metadata: WorkerMetadata | None = None,
    ) -> UUID | None:
        """Tell that a worker is alive; gives its id where the API tells it."""
        return self.send(
            _calls.send_worker_heartbeat(
                work_pool_name, worker_name, heartbeat_interval_seconds, get_worker_id, worker_metadata
            )
        )

    def update_work_pool(self, work_pool_name: str, work_pool: WorkPoolUpdate) -> None:
        """Change what a request mentions of a work pool."""
        return self.send(_calls.update_work_pool(work_pool_name, work_pool))


class WorkPoolAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_work_pool(self, work_pool: WorkPoolCreate, overwrite: bool = False) -> WorkPool:
        """Create a work pool; with `overwrite`, change the one of that name when there is one."""
        return await self._follow(_calls.create_work_pool(work_pool, overwrite))

    async def delete_work_pool(self, work_pool_name: str) -> None:
        """Delete a work pool with its queues and workers."""
        return await self.send(_calls.delete_work_pool(work_pool_name))

    async def get_scheduled_flow_runs_for_work_pool(
        self, work_pool_name: str, work_queue_names: list[str] | None = None, scheduled_before: datetime | None = None
    ) -> list[WorkerFlowRunResponse]:
        """Read the runs of a work pool that are due, those that start first in front."""
        return await self.send(
            _calls.get_scheduled_flow_runs_for_work_pool(work_pool_name, work_queue_names, scheduled_before)
        )

    async def read_work_pool(self, work_pool_name: str) -> WorkPool:
        """Read a work pool."""
        return await self.send(_calls.read_work_pool(work_pool_name))

    async def read_work_pool_concurrency_status(
        self, work_pool_name: str, page: int = 1, limit: int | None = None, flow_run_limit: int = 10
    ) -> WorkPoolConcurrencyStatus:
        """Read who holds the slots of a work pool, one page of its queues at a time."""
        return await self.send(_calls.read_work_pool_concurrency_status(work_pool_name, page, limit, flow_run_limit))

    async def read_work_pools(
        self, limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
    ) -> list[WorkPool]:
        """Read the work pools that meet a filter, by name."""
        return await self.send(_calls.read_work_pools(limit, offset, work_pool_filter))

    async def read_workers_for_work_pool(
        self,
        work_pool_name: str,
        worker_filter: WorkerFilter | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> list[Worker]:
        """Read the workers of a work pool, those heard of last in front."""
        return await self.send(_calls.read_workers_for_work_pool(work_pool_name, worker_filter, offset, limit))

    async def send_worker_heartbeat(
        self,
        work_pool_name: str,
        worker_name: str,
        heartbeat_interval_seconds: float | None = None,
        get_worker_id: bool = False,
        worker_metadata: WorkerMetadata | None = None,
    ) -> UUID | None:
        """Tell that a worker is alive; gives its id where the API tells it."""
        return await self.send(
            _calls.send_worker_heartbeat(
                work_pool_name, worker_name, heartbeat_interval_seconds, get_worker_id, worker_metadata
            )
        )

    async def update_work_pool(self, work_pool_name: str, work_pool: WorkPoolUpdate) -> None:
        """Change what a request mentions of a work pool."""
        return await self.send(_calls.update_work_pool(work_pool_name, work_pool))
