"""Measures what a mapped task costs in a flow of 1,000 and in one of 100,000, and how much memory that takes.

Usage: python benches/scale.py [COUNT ...]

Everything is recorded; each flow runs in a process of its own on a home of its own. The console handler prints nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

PROGRAM = """
import json, resource, sys, time
from prefect import flow, task

@task
def double(x):
    return 2 * x

@flow
def mapped(count):
    return sum(double.map(range(count)).result())

mapped(100)
count = int(sys.argv[1])
start = time.perf_counter()
assert mapped(count) == count * (count - 1)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def measure(count: int) -> dict[str, float]:
    """Run one flow of `count` mapped tasks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with tempfile.TemporaryDirectory() as home:
        environment |= {"PREFECT_HOME": home, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(count)], env=environment, capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a line a size."""
    print(f"{'mapped tasks':>14}{'seconds':>10}{'us a task':>12}{'max RSS':>12}")
    for count in [int(argument) for argument in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        figures = measure(count)
        print(
            f"{count:>14,}{figures['seconds']:>10.2f}{figures['seconds'] / count * 1e6:>12.0f}"
            f"{figures['megabytes']:>9.0f} MB"
        )


if __name__ == "__main__":
    main()
