"""What a newcomer runs first."""

from prefect import flow, task


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@flow
def hello(name: str = "world") -> str:
    return greet(name)


if __name__ == "__main__":
    print(hello())
