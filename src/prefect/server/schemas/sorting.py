"""The orders in which lists can be asked for."""

from prefect.client.schemas.sorting import (
    ArtifactCollectionSort,
    ArtifactSort,
    BlockDocumentSort,
    FlowRunSort,
    FlowSort,
    LogSort,
    TaskRunSort,
    VariableSort,
)
from prefect.utilities.collections import AutoEnum

__all__ = [
    "ArtifactCollectionSort",
    "ArtifactSort",
    "BlockDocumentSort",
    "DeploymentSort",
    "FlowRunSort",
    "FlowSort",
    "LogSort",
    "TaskRunSort",
    "VariableSort",
]


class DeploymentSort(AutoEnum):
    """Orders of deployments that this server has."""

    CREATED_DESC = AutoEnum.auto()
    UPDATED_DESC = AutoEnum.auto()
    NAME_ASC = AutoEnum.auto()
    NAME_DESC = AutoEnum.auto()
