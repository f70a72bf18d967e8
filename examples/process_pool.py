"""Tasks that compute, on all cores: the same flow with another task runner.

Processes import this file, so what they run stands at its top level.

Run it with `python examples/process_pool.py`.
"""

from prefect import flow, task
from prefect.task_runners import ProcessPoolTaskRunner


@task
def count_primes(start: int, stop: int) -> int:
    """Slow on purpose."""
    return sum(all(number % factor for factor in range(2, int(number**0.5) + 1)) for number in range(start, stop))


@flow(task_runner=ProcessPoolTaskRunner(max_workers=2))
def primes_below(limit: int, parts: int = 4) -> int:
    """Each part in a process of the pool."""
    starts = [2 + (limit - 2) * part // parts for part in range(parts)]
    return sum(count_primes.map(starts, [*starts[1:], limit]).result())


if __name__ == "__main__":
    print(primes_below(10_000))
