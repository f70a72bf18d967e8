"""Branches are `if` and `else`: what a task returns decides which task runs next.

Only what ran is recorded, so the history of a run shows the branch that was taken.

Run it with `python examples/conditional_branching.py`.
"""

from prefect import flow, task

STOCK = {"bolt": 3, "nut": 42, "washer": 250}


@task
def count(item: str) -> int:
    """How many there are."""
    return STOCK[item]


@task
def restock(item: str, number: int) -> str:
    """Order what is missing."""
    return f"ordered {number} of {item}"


@task
def put_on_sale(item: str, number: int) -> str:
    """Get rid of what is too much."""
    return f"{number} of {item} are on sale"


@flow
def check_stock(item: str) -> str:
    """Order, sell, or leave as it is."""
    number = count(item)
    if number < 10:
        return restock(item, 10 - number)
    if number > 100:
        return put_on_sale(item, number - 100)
    return f"enough of {item}"


if __name__ == "__main__":
    for item in STOCK:
        print(check_stock(item))
