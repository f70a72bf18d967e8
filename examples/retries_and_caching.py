"""Retries for what fails now and then, caching for what need not be done twice.

The source here refuses the first two readings. The result of the third is kept for a day under a key of the inputs, so the
second sync of the same file reads nothing.

Run it with `python examples/retries_and_caching.py`.
"""

import json
import tempfile
from datetime import timedelta
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.tasks import task_input_hash

READINGS = []


@task(
    retries=3,
    retry_delay_seconds=[0.1, 0.2, 0.4],
    cache_key_fn=task_input_hash,
    cache_expiration=timedelta(days=1),
)
def extract(source: Path) -> list[dict]:
    """Read the users; the disk is busy twice."""
    READINGS.append(source)
    if len(READINGS) < 3:
        raise OSError(f"{source.name} is busy")
    return json.loads(source.read_text())


@task
def transform(users: list[dict]) -> list[dict]:
    """Write names as names are written."""
    return [user | {"name": user["name"].title()} for user in users]


@task
def load(users: list[dict], table: Path) -> int:
    """Write one user a line."""
    table.write_text("".join(f"{json.dumps(user)}\n" for user in users))
    return len(users)


@flow(name="sync-users")
def sync_users(source: Path, table: Path) -> int:
    """Extract, transform, load."""
    loaded = load(transform(extract(source)), table)
    get_run_logger().info("Loaded %d users into %s", loaded, table.name)
    return loaded


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        source, table = Path(folder, "users.json"), Path(folder, "users.jsonl")
        source.write_text('[{"id": 1, "name": "ada lovelace"}, {"id": 2, "name": "grace hopper"}]')
        sync_users(source, table)
        sync_users(source, table)
        print(f"Read {len(READINGS)} times in two syncs:")
        print(table.read_text(), end="")
