"""Requests about service level agreements, which only Prefect Cloud has."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client._calls._call import Call


def apply_slas_for_deployment(deployment_id: UUID, slas: list[Any]) -> Call[Any]:
    """Replace the service level agreements of a deployment."""
    resource = f"prefect.deployment.{deployment_id}"
    body = [sla.model_dump(mode="json", exclude_unset=True) for sla in slas]
    return Call("POST", "/slas/apply-resource-slas/{resource_id}", {"resource_id": resource}, body=body)
