"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import work_queues as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from prefect.client.schemas.filters import WorkQueueFilter
    from prefect.client.schemas.objects import FlowRun, WorkQueue, WorkQueueStatusDetail
    from prefect.client.schemas.responses import WorkQueueConcurrencyStatus


class WorkQueueClient(BaseClient):
    """Methods of the sync client."""

    def create_work_queue(
        self,
        name: str,
        description: str | None = None,
        is_paused: bool | None = None,
        concurrency_limit: int | None = None,
        priority: int | None = None,
        work_pool_name: str | None = None,
    ) -> WorkQueue:
        """Create a work queue in a pool; in that of the agents when none is named."""
        return self.send(
            _calls.create_work_queue(name, description, is_paused, concurrency_limit, priority, work_pool_name)
        )

    def delete_work_queue_by_id(self, id: UUID) -> None:
        """Delete a work queue."""
        return self.send(_calls.delete_work_queue_by_id(id))

    def get_runs_in_work_queue(
        self, id: UUID, limit: int = 10, scheduled_before: datetime | None = None
    ) -> list[FlowRun]:
        """Read the runs of a work queue that are due."""
        return self.send(_calls.get_runs_in_work_queue(id, limit, scheduled_before))

    def match_work_queues(self, prefixes: list[str], work_pool_name: str | None = None) -> list[WorkQueue]:
        """Read the work queues whose names start with one of the prefixes."""
        return self.send(_calls.match_work_queues(prefixes, work_pool_name))

    def read_work_queue(self, id: UUID) -> WorkQueue:
        """Read a work queue."""
        return self.send(_calls.read_work_queue(id))

    def read_work_queue_by_name(self, name: str, work_pool_name: str | None = None) -> WorkQueue:
        """Read the work queue of that name in a pool; in that of the agents when none is named."""
        return self.send(_calls.read_work_queue_by_name(name, work_pool_name))

    def read_work_queue_concurrency_status(
        self, id: UUID, page: int = 1, limit: int | None = None
    ) -> WorkQueueConcurrencyStatus:
        """Read which runs hold the slots of a work queue, one page at a time."""
        return self.send(_calls.read_work_queue_concurrency_status(id, page, limit))

    def read_work_queue_status(self, id: UUID) -> WorkQueueStatusDetail:
        """Read whether the runs of a work queue are taken in time."""
        return self.send(_calls.read_work_queue_status(id))

    def read_work_queues(
        self,
        work_pool_name: str | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[WorkQueue]:
        """Read the work queues that meet a filter, of one pool or of all."""
        return self.send(_calls.read_work_queues(work_pool_name, work_queue_filter, limit, offset))

    def update_work_queue(self, id: UUID, **kwargs: Any) -> None:
        """Change what is named of a work queue."""
        return self.send(_calls.update_work_queue(id, **kwargs))


class WorkQueueAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_work_queue(
        self,
        name: str,
        description: str | None = None,
        is_paused: bool | None = None,
        concurrency_limit: int | None = None,
        priority: int | None = None,
        work_pool_name: str | None = None,
    ) -> WorkQueue:
        """Create a work queue in a pool; in that of the agents when none is named."""
        return await self.send(
            _calls.create_work_queue(name, description, is_paused, concurrency_limit, priority, work_pool_name)
        )

    async def delete_work_queue_by_id(self, id: UUID) -> None:
        """Delete a work queue."""
        return await self.send(_calls.delete_work_queue_by_id(id))

    async def get_runs_in_work_queue(
        self, id: UUID, limit: int = 10, scheduled_before: datetime | None = None
    ) -> list[FlowRun]:
        """Read the runs of a work queue that are due."""
        return await self.send(_calls.get_runs_in_work_queue(id, limit, scheduled_before))

    async def match_work_queues(self, prefixes: list[str], work_pool_name: str | None = None) -> list[WorkQueue]:
        """Read the work queues whose names start with one of the prefixes."""
        return await self.send(_calls.match_work_queues(prefixes, work_pool_name))

    async def read_work_queue(self, id: UUID) -> WorkQueue:
        """Read a work queue."""
        return await self.send(_calls.read_work_queue(id))

    async def read_work_queue_by_name(self, name: str, work_pool_name: str | None = None) -> WorkQueue:
        """Read the work queue of that name in a pool; in that of the agents when none is named."""
        return await self.send(_calls.read_work_queue_by_name(name, work_pool_name))

    async def read_work_queue_concurrency_status(
        self, id: UUID, page: int = 1, limit: int | None = None
    ) -> WorkQueueConcurrencyStatus:
        """Read which runs hold the slots of a work queue, one page at a time."""
        return await self.send(_calls.read_work_queue_concurrency_status(id, page, limit))

    async def read_work_queue_status(self, id: UUID) -> WorkQueueStatusDetail:
        """Read whether the runs of a work queue are taken in time."""
        return await self.send(_calls.read_work_queue_status(id))

    async def read_work_queues(
        self,
        work_pool_name: str | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[WorkQueue]:
        """Read the work queues that meet a filter, of one pool or of all."""
        return await self.send(_calls.read_work_queues(work_pool_name, work_queue_filter, limit, offset))

    async def update_work_queue(self, id: UUID, **kwargs: Any) -> None:
        """Change what is named of a work queue."""
        return await self.send(_calls.update_work_queue(id, **kwargs))
