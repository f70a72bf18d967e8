"""Fills a database with the runs of a busy month, so that what the API does can be seen at that size.

Usage: python scripts/fill.py URL [--task-runs 1000000] [--seed 1]

URL is a SQLite or PostgreSQL connection URL; the database is made and migrated when needed, and must hold no flow runs
yet. A fiftieth of the task runs is the number of flow runs: they are spread over the 30 days before now, belong to 10
deployments in one work pool, and one in twenty is a subflow run. Beside them stand 3 states and events a flow run, 2
states and events a task run, one log line a task run, a newest flow run of 1,000 tasks, and runs that wait for workers.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any
from uuid import UUID

from prefect.server.database.store import Store, open_store
from prefect.server.models.events import related_set
from prefect.server.routes import dispatch

TABLES = {
    "flow_run": (
        "id, created, updated, name, flow_id, deployment_id, work_queue_id, work_queue_name, parameters, context, "
        "empirical_policy, tags, labels, parent_task_run_id, auto_scheduled, job_variables, state_id, state_type, "
        "state_name, state_timestamp, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, "
        "total_run_time"
    ),
    "flow_run_state": "id, flow_run_id, type, name, timestamp, message, state_details",
    "task_run": (
        "id, created, updated, name, flow_run_id, task_key, dynamic_key, empirical_policy, task_inputs, tags, labels, "
        "flow_run_run_count, state_id, state_type, state_name, state_timestamp, run_count, expected_start_time, "
        "next_scheduled_start_time, start_time, end_time, total_run_time"
    ),
    "task_run_state": "id, task_run_id, type, name, timestamp, message, state_details",
    "event_related_set": "id, resources",
    "event_related": "resource_id, set_id, position, role",
    "event": "id, occurred, received, event, resource_id, resource, related_set_id, payload, follows",
    "log": "id, created, name, level, timestamp, message, flow_run_id, task_run_id",
}
TASKS_A_RUN = 50
SUBFLOW_EVERY = 20
LARGEST_RUN = 1_000
DAYS = 30
WAITING = 200
ENDS = (
    [("COMPLETED", "Completed")] * 94
    + [("FAILED", "Failed")] * 4
    + [("CRASHED", "Crashed"), ("CANCELLED", "Cancelled")]
)
POLICY = '{"retries":2,"retry_delay":10}'

Rows = dict[str, list[tuple[Any, ...]]]
Sink = Callable[[Rows], None]


@dataclass(frozen=True)
class Request:
    """One request, as `dispatch` takes it."""

    method: str
    template: str
    body: Any
    path: dict[str, Any]
    query: dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """What runs take from their deployment."""

    id: str
    name: str
    flow_id: str
    flow_name: str
    queue_id: str


class Month:
    """Makes the rows of the runs, oldest first; the same ones for the same seed and the same instant."""

    def __init__(self, deployments: list[Deployment], seed: int, now: datetime) -> None:
        self.deployments, self.now, self.random = deployments, now, random.Random(seed)
        self.rows: Rows = {}
        self.take()
        self.known_sets: set[str] = set()
        self._count = 0
        self._parent: str | None = None

    def take(self) -> Rows:
        """The rows made since the last time."""
        taken, self.rows = self.rows, {table: [] for table in TABLES}
        return taken

    def id(self, at: datetime) -> str:
        """An id that sorts by its time, as those of runs do."""
        self._count += 1
        tick = f"{int(at.timestamp() * 1000):012x}"
        return f"{tick[:8]}-{tick[8:]}-7{self._count & 0xFFF:03x}-8{self._count >> 12 & 0xFFF:03x}-{self.random.getrandbits(48):012x}"

    def flow_run(self, number: int, at: datetime, tasks: int) -> None:
        """One run that has ended, with its tasks."""
        of = self.deployments[number % len(self.deployments)]
        kind, name = self.random.choice(ENDS)
        run_id, run_name = self.id(at), f"run-{number}"
        starts = at + timedelta(seconds=self.random.random() * 5)
        parent, self._parent = self._parent, None
        related = self.related(of, run_id, run_name)
        moment = starts
        for index in range(tasks):
            moment = self.task_run(run_id, index, moment, related)
        ends = moment + timedelta(milliseconds=5)
        path = [("PENDING", "Pending", at), ("RUNNING", "Running", starts), (kind, name, ends)]
        ids = self.flow_run_states(of, run_id, run_name, path)
        self.add_flow_run(of, run_id, run_name, at, path[-1], ids[-1], parent, starts, ends, None)
        if number % SUBFLOW_EVERY == 0:
            self._parent = self.rows["task_run"][-1][0]

    def waiting_run(self, number: int) -> None:
        """One run that is due soon, or was due already and is late."""
        of = self.deployments[number % len(self.deployments)]
        due = self.now + timedelta(minutes=number - WAITING // 4)
        run_id, name = self.id(self.now), "Scheduled" if due > self.now else "Late"
        ids = self.flow_run_states(of, run_id, f"waiting-{number}", [("SCHEDULED", name, self.now)])
        state = ("SCHEDULED", name, self.now)
        self.add_flow_run(of, run_id, f"waiting-{number}", due, state, ids[-1], None, None, None, due)

    def add_flow_run(
        self,
        of: Deployment,
        run_id: str,
        name: str,
        expected: datetime,
        state: tuple[str, str, datetime],
        state_id: str,
        parent: str | None,
        starts: datetime | None,
        ends: datetime | None,
        due: datetime | None,
    ) -> None:
        """The row of a flow run."""
        seconds = (ends - starts).total_seconds() if starts and ends else 0.0
        created = text(min(expected, self.now))
        self.rows["flow_run"].append(
            (
                run_id, created, created, name, of.flow_id, of.id, of.queue_id, "default", '{"day":"2026-01-01"}', "{}",
                POLICY, json.dumps(["nightly", of.flow_name]), "{}", parent, due is not None, "{}", state_id, state[0],
                state[1], text(state[2]), int(starts is not None), text(expected), text(due), text(starts), text(ends),
                seconds,
            )
        )  # fmt: skip

    def flow_run_states(
        self, of: Deployment, run_id: str, run_name: str, path: list[tuple[str, str, datetime]]
    ) -> list[str]:
        """The states of a flow run and the events that tell of them; their ids."""
        related = self.related(of)
        ids: list[str] = []
        for kind, name, at in path:
            id = self.id(at)
            self.rows["flow_run_state"].append((id, run_id, kind, name, text(at), None, "{}"))
            resource = {
                "prefect.resource.id": f"prefect.flow-run.{run_id}",
                "prefect.resource.name": run_name,
                "prefect.state-name": name,
                "prefect.state-type": kind,
            }
            payload = json.dumps({"intended": {"from": None, "to": kind}, "validated_state": {"type": kind}})
            self.rows["event"].append(
                (
                    id, text(at), text(at), f"prefect.flow-run.{name}", resource["prefect.resource.id"],
                    json.dumps(resource), related, payload, ids[-1] if ids else None,
                )
            )  # fmt: skip
            ids.append(id)
        return ids

    def task_run(self, run_id: str, index: int, at: datetime, related: str) -> datetime:
        """One task run that has ended, with its states, their events and a line of its log; when it ended."""
        kind, name = self.random.choice(ENDS)
        starts = at + timedelta(milliseconds=2)
        ends = starts + timedelta(milliseconds=20 + self.random.random() * 2_000)
        id, running, ended = self.id(at), self.id(starts), self.id(ends)
        created, started, finished = text(at), text(starts), text(ends)
        key, inputs = f"step{index % 10}-3f2a", "{}"
        if index and (above := self.rows["task_run"][-1])[4] == run_id:
            inputs = json.dumps({"data": [{"input_type": "task_run", "id": above[0]}]}, separators=(",", ":"))
        self.rows["task_run"].append(
            (
                id, created, finished, f"step{index % 10}-{index // 10}", run_id, key, str(index // 10), POLICY, inputs,
                '["etl"]', "{}", 1, ended, kind, name, finished, 1, created, None, started, finished,
                (ends - starts).total_seconds(),
            )
        )  # fmt: skip
        details = f'{{"flow_run_id":"{run_id}","task_run_id":"{id}"}}'
        resource_id = f"prefect.task-run.{id}"
        follows = None
        for state_id, state_kind, state_name, when in (
            (running, "RUNNING", "Running", started),
            (ended, kind, name, finished),
        ):
            self.rows["task_run_state"].append((state_id, id, state_kind, state_name, when, None, details))
            event = f"prefect.task-run.{state_name}"
            self.rows["event"].append((state_id, when, when, event, resource_id, None, related, None, follows))
            follows = state_id
        message = f"Finished in state {name}()"
        self.rows["log"].append((self.id(ends), finished, "prefect.task_runs", 20, finished, message, run_id, id))
        return ends

    def background_run(self, number: int, is_waiting: bool) -> None:
        """One task run without a flow run: it waits for a task worker, or has been served."""
        at = self.now - timedelta(seconds=number)
        id, state_id, when = self.id(at), self.id(at), text(at)
        kind, name = ("SCHEDULED", "Scheduled") if is_waiting else ("COMPLETED", "Completed")
        details = json.dumps({"task_run_id": id, "scheduled_time": when, "deferred": True})
        self.rows["task_run_state"].append((state_id, id, kind, name, when, None, details))
        self.rows["task_run"].append(
            (
                id, when, when, f"background-{number}", None, f"background{number % 5}-3f2a", id, POLICY, "{}", "[]",
                "{}", 0, state_id, kind, name, when, 0, when, when if is_waiting else None, None if is_waiting else when,
                None if is_waiting else when, 0.0,
            )
        )  # fmt: skip

    def related(self, of: Deployment, run_id: str | None = None, run_name: str = "") -> str:
        """The id of the set of what an event has to do with; the set is stored when it is new."""
        labels = [
            _label("flow", of.flow_id, of.flow_name),
            _label("deployment", of.id, of.name),
            _label("work-queue", of.queue_id, "default"),
            _label("work-pool", of.queue_id, "pool"),
        ]
        if run_id is not None:
            labels.insert(0, _label("flow-run", run_id, run_name))
        found = related_set(labels)
        id = str(found.id)
        if id not in self.known_sets:
            self.known_sets.add(id)
            self.rows["event_related_set"].append((id, found.text))
            self.rows["event_related"].extend(
                (label["prefect.resource.id"], id, position, label["prefect.resource.role"])
                for position, label in enumerate(labels)
            )
        return id


def _label(kind: str, id: str, name: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.{kind}.{id}",
        "prefect.resource.role": kind,
        "prefect.resource.name": name,
    }


def text(at: datetime | None) -> str | None:
    """An instant as both databases take it."""
    return None if at is None else at.isoformat(timespec="microseconds")[:26] + "Z"


# -- databases -------------------------------------------------------------------------------------------------------


def make_deployments(store: Store) -> list[Deployment]:
    """Ten deployments of ten flows, all in the default queue of one work pool."""

    def post(template: str, body: Any) -> Any:
        return dispatch(store, Request("POST", template, body, {}, {})).body

    pool = post("/work_pools/", {"name": "pool", "type": "process"})
    made = []
    for number in range(10):
        flow = post("/flows/", {"name": f"flow-{number}"})
        body = {"name": f"deployment-{number}", "flow_id": flow.id, "work_pool_name": "pool"}
        deployment = post("/deployments/", body)
        queue = str(pool.default_queue_id)
        made.append(Deployment(str(deployment.id), deployment.name, str(flow.id), flow.name, queue))
    return made


@contextmanager
def opened(store: Store) -> Iterator[Sink]:
    """What puts rows into a database, a transaction a call; in the end the database learns how its tables look."""
    if store.url.dialect == "sqlite":
        connection = sqlite3.connect(store.url.path or ":memory:", isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")
        yield partial(_insert, connection)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    else:
        import psycopg

        with psycopg.connect(store.url.conninfo or "", autocommit=True) as postgres:
            yield partial(_copy, postgres)
            postgres.execute("VACUUM ANALYZE")


def _insert(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in TABLES.items():
        marks = ", ".join("?" * (columns.count(",") + 1))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows[table])
    connection.execute("COMMIT")


def _copy(connection: Any, rows: Rows) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for table, columns in TABLES.items():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write("".join("\t".join(map(_copied, row)) + "\n" for row in rows[table]))


def _copied(value: Any) -> str:
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\") if isinstance(value, str) else str(value)


def fill(url: str, task_runs: int, seed: int = 1, now: datetime | None = None) -> UUID:
    """Fill an empty database.

    Args:
        url: Its connection URL.
        task_runs: How many task runs there shall be, but for the few without a flow run.
        seed: What the durations and ends of runs are drawn from.
        now: When the month ends; now when left out.

    Returns:
        The id of the newest flow run, the one with the most tasks.

    Raises:
        ValueError: There are flow runs already.
    """
    store = open_store(url)
    if store.read(lambda tx: tx.fetch_one("SELECT 1 FROM flow_run")) is not None:
        raise ValueError(f"The database {store.url.label!r} holds flow runs already: give an empty one.")
    now = now or datetime.now(timezone.utc)
    month = Month(make_deployments(store), seed, now)
    largest = min(LARGEST_RUN, task_runs // 2)
    runs, begin = max((task_runs - largest) // TASKS_A_RUN, 1), now - timedelta(days=DAYS)
    with opened(store) as put:
        for number in range(runs):
            month.flow_run(number, begin + number * (now - timedelta(hours=1) - begin) / runs, TASKS_A_RUN)
            if number % 100 == 99:
                put(month.take())
        month.flow_run(runs, now - timedelta(minutes=45), largest)
        newest = UUID(month.rows["flow_run"][-1][0])
        for number in range(WAITING):
            month.waiting_run(number)
        for number in range(WAITING * 5):
            month.background_run(number, is_waiting=number < WAITING)
        put(month.take())
    return newest


def main() -> None:
    """Fill the database that the command names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--task-runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.task_runs < 2 * TASKS_A_RUN:
        parser.error(f"--task-runs is {options.task_runs}; give {2 * TASKS_A_RUN} or more")
    start = time.monotonic()
    try:
        newest = fill(options.url, options.task_runs, options.seed)
    except ValueError as error:
        sys.exit(str(error))
    print(f"Filled in {time.monotonic() - start:.0f} s; the newest flow run is {newest}.")


if __name__ == "__main__":
    main()
