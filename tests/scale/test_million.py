"""The calls of the user interface read what they show, not all there is: each finds its task runs, events and logs by an index.

PREFECT_TEST_ROWS says how many task runs the databases are filled with.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from benches.million import Call, Known, calls, find_known
from scripts.fill import Request, fill
from tests.postgres import new_database

from prefect.server.api._bodies import write_body
from prefect.server.database.store import Store, forget_store, open_store
from prefect.server.models.task_workers import read_waiting_runs
from prefect.server.routes import LOCAL, dispatch
from prefect.server.routes._table import dispatch_within

pytestmark = pytest.mark.slow

ROWS = int(os.environ.get("PREFECT_TEST_ROWS", "100000"))
LARGE = ("task_run", "task_run_state", "event", "event_related", "log")
"""The tables that grow with every task run. Those of flow runs and of what is made by hand are small beside them."""


class Filled:
    """A filled database, and what its calls ask for."""

    def __init__(self, url: str) -> None:
        self.now = datetime.now(timezone.utc)
        fill(url, ROWS, now=self.now)
        self.store: Store = open_store(url)
        self.known: Known = find_known(self.ask, self.now)

    def ask(self, method: str, template: str, body: Any = None) -> Any:
        return json.loads(write_body(dispatch(self.store, Request(method, template, body, {}, {})).body))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('million') / 'server.db'}"
        yield Filled(url)
        forget_store(url)
    else:
        with new_database() as url:
            yield Filled(url)
            forget_store(url)


ALL_OF_THEM = "runs: task runs, all"
"""The one call that counts every task run there is; an index is enough for it, but it reads all of that."""
NEWEST = "runs: task runs, no filter"
"""Reads an index from its end until it has a page."""


def test_every_call_finds_its_rows_by_an_index(filled: Filled):
    scans = [
        f"{call.title} ({call.template}): {line}\n  {sql}"
        for call in calls(filled.known)
        for sql, params in statements(filled, call)
        for line in scanned(filled.store, sql, params, may_follow_index=call.title in (ALL_OF_THEM, NEWEST))
    ]
    assert scans == []


@pytest.mark.parametrize("title", [NEWEST, "flow run: logs"])
def test_a_page_is_not_sorted_out_of_all_rows(filled: Filled, title: str):
    call = next(each for each in calls(filled.known) if each.title == title)
    for sql, params in statements(filled, call):
        if filled.store.url.dialect == "sqlite":
            assert not any("TEMP B-TREE FOR ORDER BY" in line for line in plan(filled.store, sql, params)), sql
        else:
            assert max(rows_read(filled.store, sql, params).values()) <= 1_000, sql


def test_the_runs_that_wait_for_a_task_worker_are_found_among_all(filled: Filled):
    def wait(tx: Any) -> list[tuple[str, Any]]:
        listening = Listening(tx)
        assert read_waiting_runs(listening, ["background1-3f2a"], [])
        return listening.asked

    for sql, params in filled.store.read(wait):
        assert any("ix_task_run__waiting" in line for line in plan(filled.store, sql, params))


# -- what is asked of the database -------------------------------------------------------------------------------------


class Listening:
    """A transaction that notes the queries which go through it."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx
        self.asked: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def fetch_one(self, sql: str, params: Any = ()) -> Any:
        self.asked.append((sql, params))
        return self._tx.fetch_one(sql, params)

    def fetch_all(self, sql: str, params: Any = ()) -> Any:
        self.asked.append((sql, params))
        return self._tx.fetch_all(sql, params)


def statements(filled: Filled, call: Call) -> list[tuple[str, Any]]:
    """The queries with which a call is answered."""
    request = Request(call.method, call.template, call.body, call.path, call.query)

    def answer(tx: Any) -> list[tuple[str, Any]]:
        listening = Listening(tx)
        dispatch_within(listening, request, LOCAL)
        return listening.asked

    asked = filled.store.read(answer)
    assert asked, call.title
    return asked


def plan(store: Store, sql: str, params: Any, words: str = "") -> list[str]:
    """How the database goes about a query, line by line."""
    explain = "EXPLAIN QUERY PLAN" if store.url.dialect == "sqlite" else f"EXPLAIN {words}"
    rows = store.read(lambda tx: tx.fetch_all(f"{explain} {sql}", params))
    return [row["detail"] if store.url.dialect == "sqlite" else row["QUERY PLAN"] for row in rows]


def scanned(store: Store, sql: str, params: Any, *, may_follow_index: bool) -> list[str]:
    """What a plan says of reading a large table, or more than half of one, from end to end."""
    if store.url.dialect == "sqlite":
        whole = re.compile(rf"SCAN ({'|'.join(LARGE)}|t|s)\b")
        return [
            line
            for line in plan(store, sql, params)
            if whole.search(line) and not (may_follow_index and " USING " in line)
        ]
    if may_follow_index:
        return [line for line in plan(store, sql, params) if re.search(rf"Seq Scan on ({'|'.join(LARGE)})\b", line)]
    return [f"{rows} rows: {step}" for step, rows in rows_read(store, sql, params).items() if rows > ROWS // 2]


def rows_read(store: Store, sql: str, params: Any) -> dict[str, int]:
    """How many rows the steps of a query on PostgreSQL take from tables and indexes, those that they leave out included."""
    read: dict[str, int] = {}
    step = ""
    for line in plan(store, sql, params, "(ANALYZE, TIMING OFF)"):
        if found := re.search(r"actual rows=(\d+) loops=(\d+)", line):
            step, loops = line.strip(), int(found[2])
            read[step] = int(found[1]) * loops
        elif found := re.search(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", line):
            read[step] += int(found[1]) * loops
    return read
