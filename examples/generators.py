"""Generators as tasks and flows: results that are used while the rest is still being made.

Run it with `python examples/generators.py`.
"""

from collections.abc import Iterator

from prefect import flow, task

LOG = """\
GET /index 200
GET /missing 404
POST /order 201
GET /broken 500
GET /other 404
"""


@task
def read_lines(text: str) -> Iterator[str]:
    """One run, however many lines."""
    yield from text.splitlines()


@task
def parse(line: str) -> tuple[str, int]:
    """The path and the status of a request."""
    _, path, status = line.split()
    return path, int(status)


@flow
def errors(text: str) -> Iterator[str]:
    """A flow may hand on what it finds, too."""
    for line in read_lines(text):
        path, status = parse(line)
        if status >= 400:
            yield f"{path} ({status})"


if __name__ == "__main__":
    for error in errors(LOG):
        print(error)
