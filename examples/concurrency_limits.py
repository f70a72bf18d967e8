"""Limits: never more than so many at once, however many tasks want to.

A limit has a name and a number of slots, kept by the API, so it holds for all runs of all processes. Here six tasks share
two slots.

Run it with `python examples/concurrency_limits.py`.
"""

import threading
import time

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.exceptions import ObjectAlreadyExists

inside = 0
most = 0
counting = threading.Lock()


@task
def query(number: int) -> int:
    """Ask the database, which takes two guests at a time and fifty a second."""
    global inside, most
    rate_limit("queries")
    with concurrency("database", occupy=1):
        with counting:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        with counting:
            inside -= 1
    return number


@flow
def query_all() -> list[int]:
    """Submit them all; the limit does the rest."""
    return query.map(range(6)).result()


def make_limit(name: str, limit: int, slot_decay_per_second: float = 0.0) -> None:
    """What `prefect gcl create` does; done once."""
    wanted = GlobalConcurrencyLimitCreate(name=name, limit=limit, slot_decay_per_second=slot_decay_per_second)
    with get_client(sync_client=True) as client:
        try:
            client.create_global_concurrency_limit(wanted)
        except ObjectAlreadyExists:
            print(f"{name} is limited already")


if __name__ == "__main__":
    make_limit("database", 2)
    make_limit("queries", 50, slot_decay_per_second=50)
    print(f"{len(query_all())} queries, at most {most} at once")
