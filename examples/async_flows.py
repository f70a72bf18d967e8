"""Async flows and tasks: many waits at once in one thread.

Run it with `python examples/async_flows.py`.
"""

import asyncio

from prefect import flow, task


@task(retries=1)
async def fetch(page: int) -> list[int]:
    """Where a request would be awaited."""
    await asyncio.sleep(0.01)
    return [page * 10 + item for item in range(3)]


@task
def total(items: list[int]) -> int:
    """Sync tasks can be called in async flows."""
    return sum(items)


@flow
async def collect(pages: int) -> int:
    """Await some together, and submit others to the task runner."""
    gathered = await asyncio.gather(*(fetch(page) for page in range(pages)))
    submitted = [fetch.submit(page) for page in range(pages, 2 * pages)]
    pages_of_items = [*gathered, *(future.result() for future in submitted)]
    return total([item for items in pages_of_items for item in items])


if __name__ == "__main__":
    print(asyncio.run(collect(5)))
