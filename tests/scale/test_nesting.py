"""Tasks that submit tasks and wait for them, deeper than there are workers, on every kind of runner."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.sdk._reading import task_runs_of

from prefect import flow, task
from prefect.futures import as_completed, wait
from prefect.task_runners import ThreadPoolTaskRunner

DEPTH = 40


@task
def descend(depth: int) -> int:
    if depth == 0:
        return 0
    return descend.submit(depth - 1).result() + 1


@pytest.mark.parametrize("workers", [1, 2, 8, None])
def test_tasks_wait_for_tasks_deeper_than_there_are_workers(home: Path, workers: int | None):
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def deep():
        return descend.submit(DEPTH).result()

    state = deep(return_state=True)
    assert state.result() == DEPTH
    assert [run.state_name for run in task_runs_of(state.state_details.flow_run_id)] == ["Completed"] * (DEPTH + 1)


@task
def spread(depth: int, width: int) -> int:
    if depth == 0:
        return 1
    return sum(spread.map([depth - 1] * width, width).result())


@pytest.mark.parametrize("workers", [1, 3])
def test_tasks_that_map_tasks_fill_no_bounded_pool(home: Path, workers: int):
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def wide():
        return sum(spread.map([3] * 4, 3).result())

    state = wide(return_state=True)
    assert state.result() == 4 * 27
    assert {run.state_name for run in task_runs_of(state.state_details.flow_run_id)} == {"Completed"}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_way_to_wait_helps_a_bounded_pool(home: Path, workers: int):
    @task
    def leaf(x):
        return x

    @task
    def waits(x):
        futures = leaf.map(range(x))
        wait(futures)
        done = sorted(future.result() for future in as_completed(list(futures)))
        last = leaf.submit(x)
        last.wait()
        return [*done, last.state.result(), leaf.submit(leaf.submit(x)).result()]

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def waiting():
        return waits.map([2, 3, 4]).result()

    assert waiting() == [[*range(x), x, x] for x in (2, 3, 4)]


def test_a_chain_of_futures_longer_than_the_pool(home: Path):
    @task
    def add(x):
        return x + 1

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def chain():
        future = add.submit(0)
        for _ in range(300):
            future = add.submit(future)
        return future.result()

    assert chain() == 301


def test_flows_nest_deeply(home: Path):
    @flow
    def level(depth):
        return 0 if depth == 0 else level(depth - 1) + 1

    assert level(15) == 15


# -- where a flow may run ----------------------------------------------------------------------------------------------


@task
def square(x):
    return x * x


@flow
def squares(count):
    return sum(square.map(range(count)).result())


@flow
async def async_squares(count):
    return sum(square.map(range(count)).result()) + square(count)


def test_a_flow_in_a_thread(home: Path):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(squares, 4).result() == 14


def test_a_sync_flow_in_a_running_event_loop(home: Path):
    async def main():
        return squares(4), await async_squares(3), await asyncio.to_thread(squares, 5)

    assert asyncio.run(main()) == (14, 14, 30)


def test_an_async_flow_in_a_thread_of_a_flow(home: Path):
    @task
    def runs_a_loop(count):
        return asyncio.run(async_squares(count))

    @flow
    def outer():
        return runs_a_loop.submit(3).result()

    assert outer() == 14
