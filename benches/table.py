"""The figures as a table: a row a figure, what each is called, and the bar that it has to meet."""

from __future__ import annotations

from collections.abc import Mapping

Figures = Mapping[str, float]

SDK = {
    "import": "from prefect import flow, task",
    "version": "prefect --version",
    "hello_first": "hello.py, empty home",
    "hello_second": "hello.py, second run",
    "empty_flow": "empty flow, in a process",
    "empty_flow_console": "- with its log lines printed",
    "subflow": "empty subflow",
    "subflow_console": "- with its log lines printed",
    "task_loop": "task in a loop",
    "task_loop_console": "- with its log lines printed",
    "mapped": "mapped task, threads",
    "mapped_console": "- with its log lines printed",
    "packages": "packages installed",
}
SERVER = {
    "server_first": "server healthy, empty home",
    "server_second": "server healthy, second start",
    "server_memory": "memory of an idle server",
    "server_hello": "hello.py against a server",
}
for _database, _name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"), ("postgres2", "PostgreSQL, 2 processes")):
    for _clients in (20, 50):
        _case = f"rest_{_database}_{_clients}"
        SERVER[f"{_case}_rate"] = f"REST, {_name}, {_clients} clients"
        SERVER[f"{_case}_p99"] = "- p99 of its requests"
        SERVER[f"{_case}_failed"] = "- requests that failed"

BARS = {
    "import": 0.25, "version": 0.15, "hello_first": 0.6, "hello_second": 0.5, "empty_flow": 3e-3, "subflow": 2e-3,
    "task_loop": 150e-6, "mapped": 200e-6, "packages": 55,
    "server_first": 1.5, "server_second": 1.5, "server_memory": 80, "server_hello": 0.6,
    "rest_sqlite_50_rate": 400, "rest_sqlite_50_failed": 0,
    "rest_postgres_20_rate": 400, "rest_postgres_20_p99": 0.1,
}  # fmt: skip


def print_table(results: Mapping[str, Figures]) -> None:
    """Print what was measured; figures that a side lacks are dashes, and a row that all lack is left out."""
    ours, theirs = results["ours"], results.get("upstream", {})
    print(f"{'':44}{'ours':>14}{'upstream':>14}{'ratio':>8}{'bar':>12}")
    for key, title in (SDK | SERVER).items():
        if key in ours or key in theirs:
            print(
                f"{title:44}{shown(ours, key):>14}{shown(theirs, key):>14}"
                f"{ratio(ours, theirs, key):>8}{shown(BARS, key):>12}"
            )


def ratio(ours: Figures, theirs: Figures, key: str) -> str:
    """How many times better ours is, where that can be said."""
    better, worse = (theirs, ours) if key.endswith("_rate") else (ours, theirs)
    if key.endswith("_failed") or not better.get(key) or not worse.get(key):
        return "-"
    times = worse[key] / better[key]
    return f"{times:.0f}x" if times >= 10 else f"{times:.1f}x"


def shown(figures: Figures, key: str) -> str:
    """A figure with its unit."""
    if key not in figures:
        return "-"
    figure = figures[key]
    if key == "packages":
        return f"{figure:.0f}"
    if key == "server_memory":
        return f"{figure:.0f} MB"
    if key.endswith("_rate"):
        return f"{figure:.0f} runs/s" if figure >= 10 else f"{figure:.1f} runs/s"
    if key.endswith("_failed"):
        requests = figures.get(key.replace("_failed", "_requests"))
        return f"{figure:.0f}" if requests is None else f"{figure:.0f} of {requests:.0f}"
    if figure >= 0.1:
        return f"{figure:.2f} s"
    return f"{figure * 1e3:.2f} ms" if figure >= 1e-3 else f"{figure * 1e6:.0f} us"
