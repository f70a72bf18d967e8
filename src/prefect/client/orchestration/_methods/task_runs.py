"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import task_runs as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from prefect.client.schemas.objects import State, TaskRun
    from prefect.client.schemas.responses import OrchestrationResult


class TaskRunClient(BaseClient):
    """Methods of the sync client."""

    def create_task_run(
        self,
        task: Any,
        flow_run_id: UUID | None,
        dynamic_key: str,
        id: UUID | None = None,
        name: str | None = None,
        extra_tags: Any = None,
        state: State | None = None,
        task_inputs: Any = None,
    ) -> TaskRun:
        """Create a run of a task."""
        return self.send(
            _calls.create_task_run(task, flow_run_id, dynamic_key, id, name, extra_tags, state, task_inputs)
        )

    def delete_task_run(self, task_run_id: UUID) -> None:
        """Delete a task run."""
        return self.send(_calls.delete_task_run(task_run_id))

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Read a task run."""
        return self.send(_calls.read_task_run(task_run_id))

    def read_task_run_states(self, task_run_id: UUID) -> list[State]:
        """Read the states of a task run, oldest first."""
        return self.send(_calls.read_task_run_states(task_run_id))

    def read_task_runs(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        sort: Any = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TaskRun]:
        """Read the task runs that match all filters."""
        return self.send(
            _calls.read_task_runs(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                sort=sort,
                limit=limit,
                offset=offset,
            )
        )

    def set_task_run_name(self, task_run_id: UUID, name: str) -> httpx.Response:
        """Rename a task run."""
        return self._respond(_calls.set_task_run_name(task_run_id, name))

    def set_task_run_state(self, task_run_id: UUID, state: State, force: bool = False) -> OrchestrationResult[Any]:
        """Propose a state for a task run; `force` passes by most rules."""
        return self.send(_calls.set_task_run_state(task_run_id, state, force))


class TaskRunAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_task_run(
        self,
        task: Any,
        flow_run_id: UUID | None,
        dynamic_key: str,
        id: UUID | None = None,
        name: str | None = None,
        extra_tags: Any = None,
        state: State | None = None,
        task_inputs: Any = None,
    ) -> TaskRun:
        """Create a run of a task."""
        return await self.send(
            _calls.create_task_run(task, flow_run_id, dynamic_key, id, name, extra_tags, state, task_inputs)
        )

    async def delete_task_run(self, task_run_id: UUID) -> None:
        """Delete a task run."""
        return await self.send(_calls.delete_task_run(task_run_id))

    async def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Read a task run."""
        return await self.send(_calls.read_task_run(task_run_id))

    async def read_task_run_states(self, task_run_id: UUID) -> list[State]:
        """Read the states of a task run, oldest first."""
        return await self.send(_calls.read_task_run_states(task_run_id))

    async def read_task_runs(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        sort: Any = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TaskRun]:
        """Read the task runs that match all filters."""
        return await self.send(
            _calls.read_task_runs(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                sort=sort,
                limit=limit,
                offset=offset,
            )
        )

    async def set_task_run_name(self, task_run_id: UUID, name: str) -> httpx.Response:
        """Rename a task run."""
        return await self._respond(_calls.set_task_run_name(task_run_id, name))

    async def set_task_run_state(
        self, task_run_id: UUID, state: State, force: bool = False
    ) -> OrchestrationResult[Any]:
        """Propose a state for a task run; `force` passes by most rules."""
        return await self.send(_calls.set_task_run_state(task_run_id, state, force))
