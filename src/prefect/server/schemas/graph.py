"""The graph of a flow run: its task runs and nested flow runs, and what depends on what."""

from typing import Any, Literal
from uuid import UUID

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._states import StateType
from prefect.types import DateTime


class GraphState(PrefectBaseModel):
    """A state that the flow run was in."""

    id: UUID
    timestamp: DateTime
    type: StateType
    name: str


class GraphArtifact(PrefectBaseModel):
    """An artifact that a run made.

    Attributes:
        is_latest: Whether no newer artifact has its key.
        data: Of progress artifacts only.
    """

    id: UUID
    created: DateTime
    key: str | None
    type: str | None
    is_latest: bool
    data: Any | None


class Edge(PrefectBaseModel):
    """Another node."""

    id: UUID


class Node(PrefectBaseModel):
    """A task run, or a nested flow run.

    Attributes:
        parents: The runs whose results it takes.
        children: The runs that take its result.
        encapsulating: The runs inside which it ran.
    """

    kind: Literal["flow-run", "task-run"]
    id: UUID
    label: str
    state_type: StateType
    start_time: DateTime
    end_time: DateTime | None
    parents: list[Edge]
    children: list[Edge]
    encapsulating: list[Edge]
    artifacts: list[GraphArtifact]


class Graph(PrefectBaseModel):
    """The graph of a flow run; nodes in the order in which they started."""

    start_time: DateTime | None
    end_time: DateTime | None
    root_node_ids: list[UUID]
    nodes: list[tuple[UUID, Node]]
    artifacts: list[GraphArtifact]
    states: list[GraphState]
