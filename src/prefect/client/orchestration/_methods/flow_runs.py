"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import flow_runs as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun, FlowRunInput, State
    from prefect.client.schemas.responses import OrchestrationResult


class FlowRunClient(BaseClient):
    """Methods of the sync client."""

    def count_flow_runs(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
    ) -> int:
        """Count the flow runs that match all filters."""
        return self.send(
            _calls.count_flow_runs(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
            )
        )

    def create_flow_run(
        self,
        flow: Any,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        tags: Any = None,
        parent_task_run_id: UUID | None = None,
        state: State | None = None,
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> FlowRun:
        """Create a run of a flow that is an object here; the flow itself is created if it is new."""
        return self._follow(
            _calls.create_flow_run(
                flow,
                name,
                parameters,
                context,
                tags,
                parent_task_run_id,
                state,
                work_pool_name,
                work_queue_name,
                job_variables,
            )
        )

    def create_flow_run_input(self, flow_run_id: UUID, key: str, value: str, sender: str | None = None) -> None:
        """Store an input of a flow run."""
        return self.send(_calls.create_flow_run_input(flow_run_id, key, value, sender))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete a flow run with its task runs, states, input and logs."""
        return self.send(_calls.delete_flow_run(flow_run_id))

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        """Delete one input."""
        return self.send(_calls.delete_flow_run_input(flow_run_id, key))

    def filter_flow_run_input(
        self, flow_run_id: UUID, key_prefix: str, limit: int, exclude_keys: Any
    ) -> list[FlowRunInput]:
        """Read the inputs of a flow run whose key has a prefix, oldest first."""
        return self.send(_calls.filter_flow_run_input(flow_run_id, key_prefix, limit, exclude_keys))

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Read a flow run."""
        return self.send(_calls.read_flow_run(flow_run_id))

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> str:
        """Read the text of one input."""
        return self.send(_calls.read_flow_run_input(flow_run_id, key))

    def read_flow_run_state(self, flow_run_state_id: UUID) -> State:
        """Read one state of a flow run."""
        return self.send(_calls.read_flow_run_state(flow_run_state_id))

    def read_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        """Read the states of a flow run, oldest first."""
        return self.send(_calls.read_flow_run_states(flow_run_id))

    def read_flow_runs(
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
    ) -> list[FlowRun]:
        """Read the flow runs that match all filters."""
        return self.send(
            _calls.read_flow_runs(
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

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> OrchestrationResult[Any]:
        """Resume a paused flow run."""
        return self.send(_calls.resume_flow_run(flow_run_id, run_input))

    def set_flow_run_name(self, flow_run_id: UUID, name: str) -> None:
        """Rename a flow run."""
        return self.send(_calls.set_flow_run_name(flow_run_id, name))

    def set_flow_run_state(self, flow_run_id: UUID, state: State, force: bool = False) -> OrchestrationResult[Any]:
        """Propose a state for a flow run; `force` passes by most rules."""
        return self.send(_calls.set_flow_run_state(flow_run_id, state, force))

    def update_flow_run(
        self,
        flow_run_id: UUID,
        flow_version: str | None = None,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: Any = None,
        empirical_policy: Any = None,
        infrastructure_pid: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> None:
        """Change a flow run; what is None stays."""
        return self.send(
            _calls.update_flow_run(
                flow_run_id, flow_version, parameters, name, tags, empirical_policy, infrastructure_pid, job_variables
            )
        )

    def update_flow_run_labels(self, flow_run_id: UUID, labels: Any) -> None:
        """Add labels to a flow run."""
        return self.send(_calls.update_flow_run_labels(flow_run_id, labels))


class FlowRunAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def count_flow_runs(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
    ) -> int:
        """Count the flow runs that match all filters."""
        return await self.send(
            _calls.count_flow_runs(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
            )
        )

    async def create_flow_run(
        self,
        flow: Any,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        tags: Any = None,
        parent_task_run_id: UUID | None = None,
        state: State | None = None,
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> FlowRun:
        """Create a run of a flow that is an object here; the flow itself is created if it is new."""
        return await self._follow(
            _calls.create_flow_run(
                flow,
                name,
                parameters,
                context,
                tags,
                parent_task_run_id,
                state,
                work_pool_name,
                work_queue_name,
                job_variables,
            )
        )

    async def create_flow_run_input(self, flow_run_id: UUID, key: str, value: str, sender: str | None = None) -> None:
        """Store an input of a flow run."""
        return await self.send(_calls.create_flow_run_input(flow_run_id, key, value, sender))

    async def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete a flow run with its task runs, states, input and logs."""
        return await self.send(_calls.delete_flow_run(flow_run_id))

    async def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        """Delete one input."""
        return await self.send(_calls.delete_flow_run_input(flow_run_id, key))

    async def filter_flow_run_input(
        self, flow_run_id: UUID, key_prefix: str, limit: int, exclude_keys: Any
    ) -> list[FlowRunInput]:
        """Read the inputs of a flow run whose key has a prefix, oldest first."""
        return await self.send(_calls.filter_flow_run_input(flow_run_id, key_prefix, limit, exclude_keys))

    async def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Read a flow run."""
        return await self.send(_calls.read_flow_run(flow_run_id))

    async def read_flow_run_input(self, flow_run_id: UUID, key: str) -> str:
        """Read the text of one input."""
        return await self.send(_calls.read_flow_run_input(flow_run_id, key))

    async def read_flow_run_state(self, flow_run_state_id: UUID) -> State:
        """Read one state of a flow run."""
        return await self.send(_calls.read_flow_run_state(flow_run_state_id))

    async def read_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        """Read the states of a flow run, oldest first."""
        return await self.send(_calls.read_flow_run_states(flow_run_id))

    async def read_flow_runs(
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
    ) -> list[FlowRun]:
        """Read the flow runs that match all filters."""
        return await self.send(
            _calls.read_flow_runs(
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

    async def resume_flow_run(
        self, flow_run_id: UUID, run_input: dict[str, Any] | None = None
    ) -> OrchestrationResult[Any]:
        """Resume a paused flow run."""
        return await self.send(_calls.resume_flow_run(flow_run_id, run_input))

    async def set_flow_run_name(self, flow_run_id: UUID, name: str) -> None:
        """Rename a flow run."""
        return await self.send(_calls.set_flow_run_name(flow_run_id, name))

    async def set_flow_run_state(
        self, flow_run_id: UUID, state: State, force: bool = False
    ) -> OrchestrationResult[Any]:
        """Propose a state for a flow run; `force` passes by most rules."""
        return await self.send(_calls.set_flow_run_state(flow_run_id, state, force))

    async def update_flow_run(
        self,
        flow_run_id: UUID,
        flow_version: str | None = None,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: Any = None,
        empirical_policy: Any = None,
        infrastructure_pid: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> None:
        """Change a flow run; what is None stays."""
        return await self.send(
            _calls.update_flow_run(
                flow_run_id, flow_version, parameters, name, tags, empirical_policy, infrastructure_pid, job_variables
            )
        )

    async def update_flow_run_labels(self, flow_run_id: UUID, labels: Any) -> None:
        """Add labels to a flow run."""
        return await self.send(_calls.update_flow_run_labels(flow_run_id, labels))
