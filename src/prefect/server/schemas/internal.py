"""Requests that the parts of the server make of one another."""

from prefect.client.schemas._work_pools import WorkPoolStatus
from prefect.client.schemas.actions import WorkPoolUpdate

__all__ = ["InternalWorkPoolUpdate"]


class InternalWorkPoolUpdate(WorkPoolUpdate):
    """What changes about a work pool, its status included; that no client may set."""

    status: WorkPoolStatus | None = None
