"""The routes of deployments by themselves: made, read, changed, paused, deleted."""

from __future__ import annotations

from uuid import UUID

from prefect.client.schemas.actions import DeploymentCreate, DeploymentUpdate
from prefect.client.schemas.objects import WorkQueue
from prefect.client.schemas.responses import DeploymentResponse
from prefect.server.database.store import Transaction
from prefect.server.models import deployments as models
from prefect.server.models.creators import creator
from prefect.server.models.parameter_checks import require_valid_parameters, require_valid_schema
from prefect.server.routes._pages import check_parameter_size
from prefect.server.routes._table import Caller, Conflict, Invalid, NotFound, Reply, Whole, route


@route("POST", "/deployments/", also=(201,))
def create_deployment(
    tx: Transaction, deployment: Whole[DeploymentCreate], caller: Caller
) -> Reply[DeploymentResponse]:
    """Create a deployment, or change the one of the same flow and name."""
    check_parameter_size(deployment.parameters)
    if deployment.enforce_parameter_schema is not False and deployment.parameter_openapi_schema:
        require_valid_schema(deployment.parameter_openapi_schema)
        _check_parameters(deployment)
    stored, is_new = models.create_deployment(tx, deployment, created_by=creator(caller))
    return Reply(201 if is_new else 200, stored)


def _check_parameters(deployment: DeploymentCreate) -> None:
    if deployment.parameters and (deployment.parameter_openapi_schema or {}).get("type") == "object":
        try:
            require_valid_parameters(
                deployment.parameters,
                deployment.parameter_openapi_schema,
                f"deployment {deployment.name!r}",
                ignore_required=True,
            )
        except Conflict as error:  # the request contradicts itself, and nothing that is stored
            raise Invalid(error.detail) from error


@route("PATCH", "/deployments/{id}", status=204)
def update_deployment(tx: Transaction, id: UUID, deployment: Whole[DeploymentUpdate], caller: Caller) -> None:
    """Change a deployment."""
    check_parameter_size(deployment.parameters or {})
    require_valid_schema(deployment.parameter_openapi_schema)
    models.update_deployment(tx, id, deployment, updated_by=creator(caller))


@route("GET", "/deployments/{id}", writes=False)
def read_deployment(tx: Transaction, id: UUID) -> DeploymentResponse:
    """Read a deployment."""
    return models.read_deployment(tx, id)


@route("GET", "/deployments/name/{flow_name}/{deployment_name}", writes=False)
def read_deployment_by_name(tx: Transaction, flow_name: str, deployment_name: str) -> DeploymentResponse:
    """Read the deployment of a flow's name and its own."""
    return models.read_deployment_by_name(tx, flow_name, deployment_name)


@route("DELETE", "/deployments/{id}", status=204)
def delete_deployment(tx: Transaction, id: UUID) -> None:
    """Delete a deployment with its schedules and its runs that nothing has started."""
    if not models.delete_deployment(tx, id):
        raise NotFound(f"Deployment {str(id)!r} not found")


@route("POST", "/deployments/{id}/pause_deployment")
def pause_deployment(tx: Transaction, id: UUID) -> None:
    """Let the schedules of a deployment rest, and delete the runs that they have made."""
    models.set_paused(tx, id, True)


@route("POST", "/deployments/{id}/resume_deployment")
def resume_deployment(tx: Transaction, id: UUID) -> None:
    """Let the schedules of a deployment work again."""
    models.set_paused(tx, id, False)


@route("GET", "/deployments/{id}/work_queue_check", writes=False, name="work_queue_check_for_deployment")
def read_matching_work_queues(tx: Transaction, id: UUID) -> list[WorkQueue]:
    """Read the work queues that choose deployments by tags and would choose this one: nothing makes such queues."""
    models.read_deployment(tx, id)
    return []
