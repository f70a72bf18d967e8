"""The smallest flow: one task, a parameter that is checked, and prints that become log lines.

Run it with `python examples/hello.py`.
"""

from prefect import flow, task


@task
def greet(name: str) -> str:
    """A unit of work; every call is a task run of its own."""
    return f"Hello, {name}!"


@flow(log_prints=True)
def hello(name: str = "world", times: int = 1) -> list[str]:
    """A flow is called like any function; `times="2"` would be converted, `times="two"` refused."""
    greetings = [greet(name) for _ in range(times)]
    for greeting in greetings:
        print(greeting)
    return greetings


if __name__ == "__main__":
    hello("Marvin", times=2)
