"""The methods of both clients, one mixin per kind of object. Written by scripts/generate_clients.py."""

from prefect.client.orchestration._methods.admin import AdminAsyncClient, AdminClient
from prefect.client.orchestration._methods.artifacts import (
    ArtifactAsyncClient,
    ArtifactClient,
    ArtifactCollectionAsyncClient,
    ArtifactCollectionClient,
)
from prefect.client.orchestration._methods.automations import AutomationAsyncClient, AutomationClient
from prefect.client.orchestration._methods.blocks import (
    BlocksDocumentAsyncClient,
    BlocksDocumentClient,
    BlocksSchemaAsyncClient,
    BlocksSchemaClient,
    BlocksTypeAsyncClient,
    BlocksTypeClient,
)
from prefect.client.orchestration._methods.collections import CollectionsAsyncClient, CollectionsClient
from prefect.client.orchestration._methods.concurrency_limits import ConcurrencyLimitAsyncClient, ConcurrencyLimitClient
from prefect.client.orchestration._methods.deployments import DeploymentAsyncClient, DeploymentClient
from prefect.client.orchestration._methods.flow_runs import FlowRunAsyncClient, FlowRunClient
from prefect.client.orchestration._methods.flows import FlowAsyncClient, FlowClient
from prefect.client.orchestration._methods.logs import EventAsyncClient, EventClient, LogAsyncClient, LogClient
from prefect.client.orchestration._methods.slas import SlaAsyncClient, SlaClient
from prefect.client.orchestration._methods.task_runs import TaskRunAsyncClient, TaskRunClient
from prefect.client.orchestration._methods.variables import VariableAsyncClient, VariableClient
from prefect.client.orchestration._methods.work_pools import WorkPoolAsyncClient, WorkPoolClient
from prefect.client.orchestration._methods.work_queues import WorkQueueAsyncClient, WorkQueueClient


class SyncMethods(
    AdminClient,
    ArtifactClient,
    ArtifactCollectionClient,
    AutomationClient,
    BlocksDocumentClient,
    BlocksSchemaClient,
    BlocksTypeClient,
    CollectionsClient,
    ConcurrencyLimitClient,
    DeploymentClient,
    FlowRunClient,
    FlowClient,
    LogClient,
    EventClient,
    SlaClient,
    TaskRunClient,
    VariableClient,
    WorkPoolClient,
    WorkQueueClient,
):
    """All methods of the sync client that the API answers."""


class AsyncMethods(
    AdminAsyncClient,
    ArtifactAsyncClient,
    ArtifactCollectionAsyncClient,
    AutomationAsyncClient,
    BlocksDocumentAsyncClient,
    BlocksSchemaAsyncClient,
    BlocksTypeAsyncClient,
    CollectionsAsyncClient,
    ConcurrencyLimitAsyncClient,
    DeploymentAsyncClient,
    FlowRunAsyncClient,
    FlowAsyncClient,
    LogAsyncClient,
    EventAsyncClient,
    SlaAsyncClient,
    TaskRunAsyncClient,
    VariableAsyncClient,
    WorkPoolAsyncClient,
    WorkQueueAsyncClient,
):
    """All methods of the async client that the API answers."""


__all__ = [
    "AdminAsyncClient",
    "AdminClient",
    "ArtifactAsyncClient",
    "ArtifactClient",
    "ArtifactCollectionAsyncClient",
    "ArtifactCollectionClient",
    "AsyncMethods",
    "AutomationAsyncClient",
    "AutomationClient",
    "BlocksDocumentAsyncClient",
    "BlocksDocumentClient",
    "BlocksSchemaAsyncClient",
    "BlocksSchemaClient",
    "BlocksTypeAsyncClient",
    "BlocksTypeClient",
    "CollectionsAsyncClient",
    "CollectionsClient",
    "ConcurrencyLimitAsyncClient",
    "ConcurrencyLimitClient",
    "DeploymentAsyncClient",
    "DeploymentClient",
    "EventAsyncClient",
    "EventClient",
    "FlowAsyncClient",
    "FlowClient",
    "FlowRunAsyncClient",
    "FlowRunClient",
    "LogAsyncClient",
    "LogClient",
    "SlaAsyncClient",
    "SlaClient",
    "SyncMethods",
    "TaskRunAsyncClient",
    "TaskRunClient",
    "VariableAsyncClient",
    "VariableClient",
    "WorkPoolAsyncClient",
    "WorkPoolClient",
    "WorkQueueAsyncClient",
    "WorkQueueClient",
]
