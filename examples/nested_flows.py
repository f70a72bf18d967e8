"""Flows that call flows: each part is a flow run of its own, with its parameters, its states and its retries.

Run it with `python examples/nested_flows.py`.
"""

from prefect import flow, tags, task
from prefect.runtime import flow_run


@task
def clean(line: str) -> str:
    """Spaces and capitals do not count."""
    return line.strip().lower()


@flow(flow_run_name="prepare-{source}")
def prepare(source: str, lines: list[str]) -> list[str]:
    """A part that can be run, and looked at, by itself."""
    print(f"{flow_run.get_name()} has the tags {sorted(flow_run.get_tags())}")
    return clean.map(lines).result()


@flow
def merge(*parts: list[str]) -> list[str]:
    """Everything once."""
    return sorted({line for part in parts for line in part})


@flow
def pipeline() -> list[str]:
    """Runs of other flows look like calls."""
    with tags("europe"):
        first = prepare("london", ["Ada ", "Grace"])
    second = prepare("tokyo", ["GRACE", " Katherine"])
    return merge(first, second)


if __name__ == "__main__":
    print(pipeline())
