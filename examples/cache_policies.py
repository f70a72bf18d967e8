"""What makes two calls the same: cache policies, alone and combined.

Run it with `python examples/cache_policies.py`.
"""

from prefect import flow, task
from prefect.cache_policies import INPUTS, RUN_ID, TASK_SOURCE

CALLS = []


@task(cache_policy=INPUTS - "verbose" + TASK_SOURCE)
def square(number: int, verbose: bool) -> int:
    """The same for the same number and the same code, chatty or not."""
    CALLS.append(("square", number))
    return number**2


@task(cache_policy=RUN_ID)
def token() -> str:
    """One for each flow run."""
    CALLS.append(("token",))
    return f"token {len(CALLS)}"


@task(cache_policy=INPUTS, refresh_cache=True)
def rate(currency: str) -> float:
    """Always asked for anew; what it returned last serves tasks that share the key."""
    CALLS.append(("rate", currency))
    return 1.1


@flow
def compute() -> None:
    """Six calls, of which four have to run."""
    square(3, verbose=True)
    square(3, verbose=False)
    token()
    token()
    rate("EUR")
    rate("EUR")


if __name__ == "__main__":
    compute()
    print(CALLS)
