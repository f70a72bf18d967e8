"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import deployments as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
    from prefect.client.schemas.objects import DeploymentSchedule, FlowRun, State
    from prefect.client.schemas.responses import DeploymentResponse


class DeploymentClient(BaseClient):
    """Methods of the sync client."""

    def create_deployment(
        self,
        flow_id: UUID,
        name: str,
        version: str | None = None,
        version_info: Any = None,
        schedules: list[DeploymentScheduleCreate] | None = None,
        concurrency_limit: int | None = None,
        concurrency_options: Any = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        work_queue_name: str | None = None,
        work_pool_name: str | None = None,
        tags: list[str] | None = None,
        storage_document_id: UUID | None = None,
        path: str | None = None,
        entrypoint: str | None = None,
        infrastructure_document_id: UUID | None = None,
        parameter_openapi_schema: dict[str, Any] | None = None,
        paused: bool | None = None,
        pull_steps: list[dict[str, Any]] | None = None,
        enforce_parameter_schema: bool | None = None,
        job_variables: dict[str, Any] | None = None,
        branch: str | None = None,
        base: UUID | None = None,
        root: UUID | None = None,
    ) -> UUID:
        """Create a deployment, or replace the one of the same flow and name; gives its id."""
        return self.send(
            _calls.create_deployment(
                flow_id,
                name,
                version,
                version_info,
                schedules,
                concurrency_limit,
                concurrency_options,
                parameters,
                description,
                work_queue_name,
                work_pool_name,
                tags,
                storage_document_id,
                path,
                entrypoint,
                infrastructure_document_id,
                parameter_openapi_schema,
                paused,
                pull_steps,
                enforce_parameter_schema,
                job_variables,
                branch,
                base,
                root,
            )
        )

    def create_deployment_branch(
        self, deployment_id: UUID, branch: str, options: Any = None, overrides: Any = None
    ) -> UUID:
        """Create a branch of a deployment, for APIs that know branches; gives its id."""
        return self.send(_calls.create_deployment_branch(deployment_id, branch, options, overrides))

    def create_deployment_schedules(
        self,
        deployment_id: UUID,
        schedules: list[Any],
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> list[DeploymentSchedule]:
        """Add schedules to a deployment: requests, or pairs of a schedule and whether it is active."""
        return self.send(
            _calls.create_deployment_schedules(deployment_id, schedules, max_scheduled_runs, parameters, slug)
        )

    def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: State | None = None,
        name: str | None = None,
        tags: Any = None,
        idempotency_key: str | None = None,
        parent_task_run_id: UUID | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        labels: Any = None,
    ) -> FlowRun:
        """Create a run of a deployment, scheduled for now unless a state is given."""
        return self.send(
            _calls.create_flow_run_from_deployment(
                deployment_id,
                parameters=parameters,
                context=context,
                state=state,
                name=name,
                tags=tags,
                idempotency_key=idempotency_key,
                parent_task_run_id=parent_task_run_id,
                work_queue_name=work_queue_name,
                job_variables=job_variables,
                labels=labels,
            )
        )

    def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete a deployment with its schedules."""
        return self.send(_calls.delete_deployment(deployment_id))

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Delete a schedule of a deployment."""
        return self.send(_calls.delete_deployment_schedule(deployment_id, schedule_id))

    def get_scheduled_flow_runs_for_deployments(
        self, deployment_ids: list[UUID], scheduled_before: Any = None, limit: int | None = None
    ) -> list[FlowRun]:
        """Read the scheduled runs of deployments, for a runner to take."""
        return self.send(_calls.get_scheduled_flow_runs_for_deployments(deployment_ids, scheduled_before, limit))

    def pause_deployment(self, deployment_id: UUID | str) -> None:
        """Let the schedules of a deployment rest."""
        return self.send(_calls.pause_deployment(deployment_id))

    def read_deployment(self, deployment_id: UUID | str) -> DeploymentResponse:
        """Read a deployment."""
        return self.send(_calls.read_deployment(deployment_id))

    def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        """Read the deployment of a name, given as `flow-name/deployment-name`."""
        return self.send(_calls.read_deployment_by_name(name))

    def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]:
        """Read the schedules of a deployment."""
        return self.send(_calls.read_deployment_schedules(deployment_id))

    def read_deployments(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
        limit: int | None = None,
        sort: Any = None,
        offset: int = 0,
    ) -> list[DeploymentResponse]:
        """Read the deployments that meet all filters."""
        return self.send(
            _calls.read_deployments(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
                limit=limit,
                sort=sort,
                offset=offset,
            )
        )

    def resume_deployment(self, deployment_id: UUID | str) -> None:
        """Let the schedules of a deployment work again."""
        return self.send(_calls.resume_deployment(deployment_id))

    def set_deployment_paused_state(self, deployment_id: UUID, paused: bool) -> None:
        """Let the schedules of a deployment rest, or work again."""
        return self.send(_calls.set_deployment_paused_state(deployment_id, paused))

    def update_deployment(self, deployment_id: UUID, deployment: DeploymentUpdate) -> None:
        """Change a deployment; what is not given stays as it is."""
        return self.send(_calls.update_deployment(deployment_id, deployment))

    def update_deployment_schedule(
        self,
        deployment_id: UUID,
        schedule_id: UUID,
        active: bool | None = None,
        schedule: Any = None,
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> None:
        """Change a schedule of a deployment; what is None stays as it is."""
        return self.send(
            _calls.update_deployment_schedule(
                deployment_id, schedule_id, active, schedule, max_scheduled_runs, parameters, slug
            )
        )


class DeploymentAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_deployment(
        self,
        flow_id: UUID,
        name: str,
        version: str | None = None,
        version_info: Any = None,
        schedules: list[DeploymentScheduleCreate] | None = None,
        concurrency_limit: int | None = None,
        concurrency_options: Any = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        work_queue_name: str | None = None,
        work_pool_name: str | None = None,
        tags: list[str] | None = None,
        storage_document_id: UUID | None = None,
        path: str | None = None,
        entrypoint: str | None = None,
        infrastructure_document_id: UUID | None = None,
        parameter_openapi_schema: dict[str, Any] | None = None,
        paused: bool | None = None,
        pull_steps: list[dict[str, Any]] | None = None,
        enforce_parameter_schema: bool | None = None,
        job_variables: dict[str, Any] | None = None,
        branch: str | None = None,
        base: UUID | None = None,
        root: UUID | None = None,
    ) -> UUID:
        """Create a deployment, or replace the one of the same flow and name; gives its id."""
        return await self.send(
            _calls.create_deployment(
                flow_id,
                name,
                version,
                version_info,
                schedules,
                concurrency_limit,
                concurrency_options,
                parameters,
                description,
                work_queue_name,
                work_pool_name,
                tags,
                storage_document_id,
                path,
                entrypoint,
                infrastructure_document_id,
                parameter_openapi_schema,
                paused,
                pull_steps,
                enforce_parameter_schema,
                job_variables,
                branch,
                base,
                root,
            )
        )

    async def create_deployment_branch(
        self, deployment_id: UUID, branch: str, options: Any = None, overrides: Any = None
    ) -> UUID:
        """Create a branch of a deployment, for APIs that know branches; gives its id."""
        return await self.send(_calls.create_deployment_branch(deployment_id, branch, options, overrides))

    async def create_deployment_schedules(
        self,
        deployment_id: UUID,
        schedules: list[Any],
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> list[DeploymentSchedule]:
        """Add schedules to a deployment: requests, or pairs of a schedule and whether it is active."""
        return await self.send(
            _calls.create_deployment_schedules(deployment_id, schedules, max_scheduled_runs, parameters, slug)
        )

    async def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: State | None = None,
        name: str | None = None,
        tags: Any = None,
        idempotency_key: str | None = None,
        parent_task_run_id: UUID | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        labels: Any = None,
    ) -> FlowRun:
        """Create a run of a deployment, scheduled for now unless a state is given."""
        return await self.send(
            _calls.create_flow_run_from_deployment(
                deployment_id,
                parameters=parameters,
                context=context,
                state=state,
                name=name,
                tags=tags,
                idempotency_key=idempotency_key,
                parent_task_run_id=parent_task_run_id,
                work_queue_name=work_queue_name,
                job_variables=job_variables,
                labels=labels,
            )
        )

    async def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete a deployment with its schedules."""
        return await self.send(_calls.delete_deployment(deployment_id))

    async def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Delete a schedule of a deployment."""
        return await self.send(_calls.delete_deployment_schedule(deployment_id, schedule_id))

    async def get_scheduled_flow_runs_for_deployments(
        self, deployment_ids: list[UUID], scheduled_before: Any = None, limit: int | None = None
    ) -> list[FlowRun]:
        """Read the scheduled runs of deployments, for a runner to take."""
        return await self.send(_calls.get_scheduled_flow_runs_for_deployments(deployment_ids, scheduled_before, limit))

    async def pause_deployment(self, deployment_id: UUID | str) -> None:
        """Let the schedules of a deployment rest."""
        return await self.send(_calls.pause_deployment(deployment_id))

    async def read_deployment(self, deployment_id: UUID | str) -> DeploymentResponse:
        """Read a deployment."""
        return await self.send(_calls.read_deployment(deployment_id))

    async def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        """Read the deployment of a name, given as `flow-name/deployment-name`."""
        return await self.send(_calls.read_deployment_by_name(name))

    async def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]:
        """Read the schedules of a deployment."""
        return await self.send(_calls.read_deployment_schedules(deployment_id))

    async def read_deployments(
        self,
        *,
        flow_filter: Any = None,
        flow_run_filter: Any = None,
        task_run_filter: Any = None,
        deployment_filter: Any = None,
        work_pool_filter: Any = None,
        work_queue_filter: Any = None,
        limit: int | None = None,
        sort: Any = None,
        offset: int = 0,
    ) -> list[DeploymentResponse]:
        """Read the deployments that meet all filters."""
        return await self.send(
            _calls.read_deployments(
                flow_filter=flow_filter,
                flow_run_filter=flow_run_filter,
                task_run_filter=task_run_filter,
                deployment_filter=deployment_filter,
                work_pool_filter=work_pool_filter,
                work_queue_filter=work_queue_filter,
                limit=limit,
                sort=sort,
                offset=offset,
            )
        )

    async def resume_deployment(self, deployment_id: UUID | str) -> None:
        """Let the schedules of a deployment work again."""
        return await self.send(_calls.resume_deployment(deployment_id))

    async def set_deployment_paused_state(self, deployment_id: UUID, paused: bool) -> None:
        """Let the schedules of a deployment rest, or work again."""
        return await self.send(_calls.set_deployment_paused_state(deployment_id, paused))

    async def update_deployment(self, deployment_id: UUID, deployment: DeploymentUpdate) -> None:
        """Change a deployment; what is not given stays as it is."""
        return await self.send(_calls.update_deployment(deployment_id, deployment))

    async def update_deployment_schedule(
        self,
        deployment_id: UUID,
        schedule_id: UUID,
        active: bool | None = None,
        schedule: Any = None,
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> None:
        """Change a schedule of a deployment; what is None stays as it is."""
        return await self.send(
            _calls.update_deployment_schedule(
                deployment_id, schedule_id, active, schedule, max_scheduled_runs, parameters, slug
            )
        )
