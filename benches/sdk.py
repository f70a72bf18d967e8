"""What the SDK costs: whole processes, and calls inside a running one; everything is recorded by the embedded core."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from sides import Side


def whole_process(side: Side, repeats: int, *arguments: str, command: Path | None = None) -> float:
    with tempfile.TemporaryDirectory() as home:
        side.run(Path(home), *arguments, command=command)
        return statistics.median(side.run(Path(home), *arguments, command=command)[0] for _ in range(repeats))


def hello(side: Side, repeats: int) -> tuple[float, float]:
    first, second = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as home:
            first.append(side.run(Path(home), "hello.py")[0])
            second.append(side.run(Path(home), "hello.py")[0])
    return statistics.median(first), statistics.median(second)


def in_process(side: Side, case: str, calls: int, quiet: bool) -> float:
    with tempfile.TemporaryDirectory() as home:
        _, output = side.run(Path(home), f"{case}.py", str(calls), quiet=quiet)
    return json.loads(output.strip().splitlines()[-1])["microseconds"] / 1e6


def measure(side: Side, quick: bool) -> dict[str, float]:
    """All the SDK's figures of a side, in seconds; the keys are those of `table.ROWS`."""
    ours = side.name == "ours"
    few = 3 if quick or not ours else 7
    figures = {
        "import": whole_process(side, few, "-c", "from prefect import flow, task"),
        "version": whole_process(side, few, "--version", command=side.command),
    }
    figures["hello_first"], figures["hello_second"] = hello(side, few if ours else 2)
    for case, calls in (("empty_flow", 100), ("subflow", 100), ("task_loop", 2000), ("mapped", 2000)):
        count = calls if ours else max(calls // 20, 3)
        figures[case] = in_process(side, case, count, quiet=True)
        figures[f"{case}_console"] = in_process(side, case, count, quiet=False)
    figures["packages"] = side.packages()
    return figures
