"""Measures this project and upstream in one run, each in a virtual environment of its own, and keeps the history.

Usage: python benches/run.py [--ours-only] [--quick]

Recording is on everywhere. "quiet" means that the console handler prints nothing; the second column of each side prints
the default log lines into a pipe.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
UPSTREAM = [
    "prefect==3.8.8", "fastapi==0.141.1", "starlette==1.3.1", "pydantic==2.13.4", "sqlalchemy==2.0.45", "uvicorn==0.52.0",
]  # fmt: skip
BARS = {
    "import": 0.25, "version": 0.15, "hello_first": 0.6, "hello_second": 0.5, "empty_flow": 3e-3, "subflow": 2e-3,
    "task_loop": 150e-6, "mapped": 200e-6, "packages": 55,
}  # fmt: skip
TITLES = {
    "import": "from prefect import flow, task",
    "version": "prefect --version",
    "hello_first": "hello.py, empty home",
    "hello_second": "hello.py, second run",
    "empty_flow": "empty flow, in a process",
    "subflow": "empty subflow",
    "task_loop": "task in a loop",
    "mapped": "mapped task, threads",
    "packages": "packages installed",
}


class Side:
    """One implementation in its virtual environment."""

    def __init__(self, name: str, venv: Path, requirements: list[str]) -> None:
        self.name, self.venv, self.requirements = name, venv, requirements

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def install(self) -> None:
        if (self.venv / ".ready").exists():
            return
        uv = shutil.which("uv")
        if uv:
            subprocess.run([uv, "venv", "--quiet", "--clear", str(self.venv)], check=True)
            command = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        else:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.venv)], check=True)
            command = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *self.requirements], check=True)
        (self.venv / ".ready").touch()

    def run(self, home: Path, *arguments: str, quiet: bool = True, command: Path | None = None) -> tuple[float, str]:
        environment = {
            key: value
            for key, value in os.environ.items()
            # Both sides may keep compiled modules, as an installed package does.
            if not key.startswith("PREFECT_") and key not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        }
        environment |= {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        if quiet:
            environment["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
        start = time.perf_counter()
        done = subprocess.run(
            [str(command or self.python), *arguments], env=environment, capture_output=True, text=True, timeout=900,
            cwd=HERE / "cases", check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {arguments} failed:\n{done.stderr[-2000:]}")
        return seconds, done.stdout

    def packages(self) -> int:
        count = "from importlib.metadata import distributions as d; print(len({x.name for x in d()} - {'pip', 'setuptools'}))"
        return int(self.run(Path(tempfile.mkdtemp()), "-c", count)[1])


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
    ours = side.name == "ours"
    few = 3 if quick or not ours else 7
    figures = {
        "import": whole_process(side, few, "-c", "from prefect import flow, task"),
        "version": whole_process(side, few, "--version", command=side.venv / "bin" / "prefect"),
    }
    figures["hello_first"], figures["hello_second"] = hello(side, few if ours else 2)
    for case, calls in (("empty_flow", 100), ("subflow", 100), ("task_loop", 2000), ("mapped", 2000)):
        count = calls if ours else max(calls // 20, 3)
        figures[case] = in_process(side, case, count, quiet=True)
        figures[f"{case}_console"] = in_process(side, case, count, quiet=False)
    figures["packages"] = side.packages()
    return figures


def shown(figure: float | None, key: str) -> str:
    if figure is None:
        return "-"
    if key == "packages":
        return f"{figure:.0f}"
    return (
        f"{figure:.2f} s" if figure >= 0.1 else f"{figure * 1e3:.2f} ms" if figure >= 1e-3 else f"{figure * 1e6:.0f} us"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours-only", action="store_true", help="leave upstream out")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    options = parser.parse_args()
    sides = [Side("ours", ROOT / ".venv-bench", ["-e", str(ROOT)])]
    if not options.ours_only:
        sides.append(Side("upstream", ROOT / ".venv-upstream", UPSTREAM))
    results = {}
    for side in sides:
        side.install()
        results[side.name] = measure(side, options.quick)
    print_table(results)
    keep(results)


def print_table(results: dict[str, dict[str, float]]) -> None:
    ours, theirs = results["ours"], results.get("upstream", {})
    print(f"{'':34}{'ours':>11}{'+console':>11}{'upstream':>12}{'+console':>11}{'ratio':>8}{'bar':>10}")
    for key, title in TITLES.items():
        mine, other = ours[key], theirs.get(key)
        ratio = f"{other / mine:.0f}x" if other else "-"
        print(
            f"{title:34}{shown(mine, key):>11}{shown(ours.get(key + '_console'), key):>11}"
            f"{shown(other, key):>12}{shown(theirs.get(key + '_console'), key):>11}{ratio:>8}{shown(BARS[key], key):>10}"
        )


def keep(results: dict[str, dict[str, float]]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    entry = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "results": {
            side: {key: round(value, 7) for key, value in figures.items()} for side, figures in results.items()
        },
    }
    with (HERE / "history.jsonl").open("a") as history:
        history.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
