"""What the commands about deployments and their schedules share."""

from collections.abc import Iterable
from uuid import UUID

from prefect.cli._api import PAGE_SIZE, missing_is
from prefect.cli._output import fail
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.responses import DeploymentResponse


def read_deployment(client: SyncPrefectClient, name: str | None = None, id: UUID | None = None) -> DeploymentResponse:
    """The deployment of a name, given as `flow/deployment`, or of an id. Ends the command if there is none."""
    if id is not None:
        with missing_is(f"Deployment '{id}' not found."):
            return client.read_deployment(id)
    if not name or "/" not in name:
        fail(f"Deployments are called <flow name>/<deployment name>, which {name!r} is not.")
    with missing_is(f"Deployment {name!r} not found."):
        return client.read_deployment_by_name(name)


def flow_names(client: SyncPrefectClient, deployments: Iterable[DeploymentResponse]) -> dict[UUID, str]:
    """The names of the flows of deployments, by their ids."""
    ids = list({deployment.flow_id for deployment in deployments})
    pages = (ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE))
    return {
        flow.id: flow.name
        for page in pages
        for flow in client.read_flows(flow_filter=FlowFilter.model_validate({"id": {"any_": page}}), limit=PAGE_SIZE)
    }
