"""Filters of several kinds together: each is asked of the rows that a flow, a flow run or a task run is related to."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.client.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause, all_of, exists
from prefect.server.database.filters.deployments import deployment_clause
from prefect.server.database.filters.flow_runs import flow_run_clause
from prefect.server.database.filters.flows import flow_clause
from prefect.server.database.filters.task_runs import task_run_clause
from prefect.server.database.filters.work_pools import work_pool_clause, work_queue_clause


@dataclass(frozen=True, slots=True)
class RunFilters:
    """What a request wants of runs and of what belongs to them. A filter that is given, even an empty one, wants that
    something of its kind exists."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_queues: WorkQueueFilter | None = None

    def flow_clause(self, dialect: Dialect) -> Clause:
        """The condition on a row of `flow`. Flow runs and task runs are those of one and the same run of it."""
        run = None
        if self.flow_runs is not None or self.task_runs is not None:
            run = exists(
                "SELECT 1 FROM flow_run WHERE flow_run.flow_id = flow.id",
                all_of(self._of_flow_run(dialect), self._of_task_runs(dialect)),
            )
        deployment = self._of_deployment(dialect, "deployment.flow_id = flow.id")
        work = self._of_work(dialect, "deployment.work_queue_id")
        if work is not None:
            work = exists("SELECT 1 FROM deployment WHERE deployment.flow_id = flow.id", work)
        return all_of(self._of_flow(dialect), run, deployment, work)

    def flow_run_clause(self, dialect: Dialect) -> Clause:
        """The condition on a row of `flow_run`."""
        deployment = self._of_deployment(dialect, "deployment.id = flow_run.deployment_id")
        flow = self._of_flow_at(dialect, "flow_run")
        work = self._of_work(dialect, "flow_run.work_queue_id")
        return all_of(self._of_flow_run(dialect), flow, self._of_task_runs(dialect), deployment, work)

    def task_run_clause(self, dialect: Dialect) -> Clause:
        """The condition on a row of `task_run`."""
        own = None if self.task_runs is None else task_run_clause(dialect, self.task_runs)
        run = None
        deployment = self._of_deployment(dialect, "deployment.id = flow_run.deployment_id")
        work = self._of_work(dialect, "flow_run.work_queue_id")
        if self.flow_runs is not None or self.flows is not None or deployment is not None or work is not None:
            run = exists(
                "SELECT 1 FROM flow_run WHERE flow_run.id = task_run.flow_run_id",
                all_of(self._of_flow_run(dialect), self._of_flow_at(dialect, "flow_run"), deployment, work),
            )
        return all_of(own, run)

    def deployment_clause(self, dialect: Dialect) -> Clause:
        """The condition on a row of `deployment`. Flow runs and task runs are those of one and the same run of it."""
        own = None if self.deployments is None else deployment_clause(dialect, self.deployments)
        run = None
        if self.flow_runs is not None or self.task_runs is not None:
            run = exists(
                "SELECT 1 FROM flow_run WHERE flow_run.deployment_id = deployment.id",
                all_of(self._of_flow_run(dialect), self._of_task_runs(dialect)),
            )
        work = self._of_work(dialect, "deployment.work_queue_id")
        return all_of(own, self._of_flow_at(dialect, "deployment"), run, work)

    def _of_flow(self, dialect: Dialect) -> Clause | None:
        return None if self.flows is None else flow_clause(dialect, self.flows)

    def _of_flow_at(self, dialect: Dialect, table: str) -> Clause | None:
        """The flow of a row of another table meets the filter of flows."""
        own = self._of_flow(dialect)
        return None if own is None else exists(f"SELECT 1 FROM flow WHERE flow.id = {table}.flow_id", own)

    def _of_flow_run(self, dialect: Dialect) -> Clause | None:
        return None if self.flow_runs is None else flow_run_clause(dialect, self.flow_runs)

    def _of_task_runs(self, dialect: Dialect) -> Clause | None:
        if self.task_runs is None:
            return None
        return exists(
            "SELECT 1 FROM task_run WHERE task_run.flow_run_id = flow_run.id", task_run_clause(dialect, self.task_runs)
        )

    def _of_deployment(self, dialect: Dialect, joined: str) -> Clause | None:
        """A deployment that is joined so meets the filter of deployments."""
        if self.deployments is None:
            return None
        return exists(f"SELECT 1 FROM deployment WHERE {joined}", deployment_clause(dialect, self.deployments))

    def _of_work(self, dialect: Dialect, queue_id: str) -> Clause | None:
        """The queue whose id stands in a column, and its pool, meet the filters of work pools and of work queues."""
        if self.work_pools is None and self.work_queues is None:
            return None
        queue = None if self.work_queues is None else work_queue_clause(dialect, self.work_queues)
        pool = None
        if self.work_pools is not None:
            pool = exists(
                "SELECT 1 FROM work_pool WHERE work_pool.id = work_queue.work_pool_id",
                work_pool_clause(self.work_pools),
            )
        return exists(f"SELECT 1 FROM work_queue WHERE work_queue.id = {queue_id}", all_of(queue, pool))
