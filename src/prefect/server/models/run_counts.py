"""How many runs of each kind are in which state now, for those who watch a server from outside."""

from __future__ import annotations

from typing import NamedTuple

from prefect.client.schemas.objects import StateType
from prefect.server.database.store import Transaction


class RunCounts(NamedTuple):
    """Runs by the type of their state, every type with a number; a run without a state is not counted."""

    flow_runs: dict[str, int]
    task_runs: dict[str, int]
    late_flow_runs: int
    """Those that should have started already, which are among the SCHEDULED ones."""


def count_runs_by_state(tx: Transaction) -> RunCounts:
    """Count all runs. Takes time in proportion to their number."""
    rows = tx.fetch_all(
        "SELECT state_type, state_name, COUNT(*) AS runs FROM flow_run WHERE state_type IS NOT NULL "
        "GROUP BY state_type, state_name"
    )
    flow_runs = _zeros()
    for row in rows:
        flow_runs[row["state_type"]] += row["runs"]
    tasks = tx.fetch_all(
        "SELECT state_type, COUNT(*) AS runs FROM task_run WHERE state_type IS NOT NULL GROUP BY state_type"
    )
    return RunCounts(
        flow_runs,
        _zeros() | {row["state_type"]: row["runs"] for row in tasks},
        sum(row["runs"] for row in rows if row["state_name"] == "Late"),
    )


def _zeros() -> dict[str, int]:
    return {type.value: 0 for type in StateType}
