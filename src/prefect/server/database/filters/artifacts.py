"""The filters of artifacts and of the collections that they form."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
)
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import (
    Clause,
    all_of,
    contains_text,
    exists,
    grouped,
    is_in,
    is_not_in,
    is_null,
)
from prefect.server.database.filters.runs import RunFilters
from prefect.server.database.filters.task_runs import task_run_clause


@dataclass(frozen=True, slots=True)
class ArtifactFilters:
    """What a request wants of artifacts, and of the runs that made them."""

    artifacts: ArtifactFilter | ArtifactCollectionFilter | None = None
    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None

    def clause(self, dialect: Dialect) -> Clause:
        """The condition on rows of `artifact`."""
        return all_of(
            None if self.artifacts is None else _own(dialect, self.artifacts),
            self._of_flow_run(dialect),
            self._of_task_run(dialect),
        )

    def _of_flow_run(self, dialect: Dialect) -> Clause | None:
        if self.flows is None and self.flow_runs is None and self.deployments is None:
            return None
        wanted = RunFilters(flows=self.flows, flow_runs=self.flow_runs, deployments=self.deployments)
        return exists(
            "SELECT 1 FROM flow_run WHERE flow_run.id = artifact.flow_run_id", wanted.flow_run_clause(dialect)
        )

    def _of_task_run(self, dialect: Dialect) -> Clause | None:
        if self.task_runs is None:
            return None
        return exists(
            "SELECT 1 FROM task_run WHERE task_run.id = artifact.task_run_id",
            task_run_clause(dialect, self.task_runs),
        )


def _own(dialect: Dialect, wanted: ArtifactFilter | ArtifactCollectionFilter) -> Clause:
    criteria: list[Clause] = []
    # A collection is found by its latest artifact, so that both filters ask for the id of an artifact.
    id = wanted.latest_id if isinstance(wanted, ArtifactCollectionFilter) else wanted.id
    if id is not None:
        criteria.append(all_of(is_in("artifact.id", id.any_)))
    if (key := wanted.key) is not None:
        missing = None if key.exists_ is None else is_null("artifact.key", not key.exists_)
        like = contains_text(dialect, "artifact.key", key.like_)
        criteria.append(all_of(is_in("artifact.key", key.any_), like, missing))
    if (type := wanted.type) is not None:
        criteria.append(all_of(is_in("artifact.type", type.any_), is_not_in("artifact.type", type.not_any_)))
    if (flow_run := wanted.flow_run_id) is not None:
        criteria.append(all_of(is_in("artifact.flow_run_id", flow_run.any_)))
    if (task_run := wanted.task_run_id) is not None:
        criteria.append(all_of(is_in("artifact.task_run_id", task_run.any_)))
    return grouped(wanted.operator, criteria)
