"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import flows as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import Flow


class FlowClient(BaseClient):
    """Methods of the sync client."""

    def create_flow(self, flow: Any) -> UUID:
        """Create a flow, given as an object with a name; gives its id, also when it exists."""
        return self.send(_calls.create_flow(flow))

    def create_flow_from_name(self, flow_name: str) -> UUID:
        """Create a flow; gives its id, also when it exists."""
        return self.send(_calls.create_flow_from_name(flow_name))

    def delete_flow(self, flow_id: UUID) -> None:
        """Delete a flow with all its runs and deployments."""
        return self.send(_calls.delete_flow(flow_id))

    def read_flow(self, flow_id: UUID) -> Flow:
        """Read a flow."""
        return self.send(_calls.read_flow(flow_id))

    def read_flow_by_name(self, flow_name: str) -> Flow:
        """Read a flow by its name."""
        return self.send(_calls.read_flow_by_name(flow_name))

    def read_flows(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
        sort: Any = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Flow]:
        """Read the flows that match all filters."""
        return self.send(
            _calls.read_flows(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
                sort=sort,
                limit=limit,
                offset=offset,
            )
        )


class FlowAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_flow(self, flow: Any) -> UUID:
        """Create a flow, given as an object with a name; gives its id, also when it exists."""
        return await self.send(_calls.create_flow(flow))

    async def create_flow_from_name(self, flow_name: str) -> UUID:
        """Create a flow; gives its id, also when it exists."""
        return await self.send(_calls.create_flow_from_name(flow_name))

    async def delete_flow(self, flow_id: UUID) -> None:
        """Delete a flow with all its runs and deployments."""
        return await self.send(_calls.delete_flow(flow_id))

    async def read_flow(self, flow_id: UUID) -> Flow:
        """Read a flow."""
        return await self.send(_calls.read_flow(flow_id))

    async def read_flow_by_name(self, flow_name: str) -> Flow:
        """Read a flow by its name."""
        return await self.send(_calls.read_flow_by_name(flow_name))

    async def read_flows(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
        sort: Any = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Flow]:
        """Read the flows that match all filters."""
        return await self.send(
            _calls.read_flows(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
                sort=sort,
                limit=limit,
                offset=offset,
            )
        )
