"""The statuses of what runs wait in, or are started by."""

from prefect.client.schemas._deployments import DeploymentStatus
from prefect.client.schemas._work_pools import WorkerStatus, WorkPoolStatus, WorkQueueStatus

__all__ = ["DeploymentStatus", "WorkPoolStatus", "WorkQueueStatus", "WorkerStatus"]
