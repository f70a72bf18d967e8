"""Measures this project and upstream in one run, each in a virtual environment of its own, and keeps the history.

Usage: python benches/run.py [--only sdk|server] [--ours-only] [--quick]

Recording is on everywhere. The console handler prints nothing, but where a row says that log lines are printed; they go
into a pipe. Servers run with their defaults. The part on PostgreSQL makes a database of its own for each server, at
127.0.0.1:5432 or where PREFECT_TEST_POSTGRES_URL says, and is left out when none answers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from datetime import datetime, timezone

from sides import HERE, ROOT, UPSTREAM, Side
from table import print_table

import sdk
import server

PARTS = {"sdk": sdk.measure, "server": server.measure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(PARTS), help="measure one part; all without it")
    parser.add_argument("--ours-only", action="store_true", help="leave upstream out")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, shorter loads")
    options = parser.parse_args()
    sides = [Side("ours", ROOT / ".venv-bench", ["-e", str(ROOT)])]
    if not options.ours_only:
        sides.append(Side("upstream", ROOT / ".venv-upstream", UPSTREAM))
    load = os.getloadavg()[0]
    results: dict[str, dict[str, float]] = {}
    errors = []
    for side in sides:
        side.install()
        results[side.name] = {}
        for part in [options.only] if options.only else PARTS:
            try:
                results[side.name] |= PARTS[part](side, options.quick)
            except RuntimeError as error:
                errors.append(f"{side.name}, {part}: {error}")
    print_table(results)
    print(f"{os.cpu_count()} cores; the load of the machine before: {load:.2f}")
    keep(results, load)
    if errors:
        raise SystemExit("\n".join(["These parts could not be measured:", *errors]))


def keep(results: dict[str, dict[str, float]], load: float) -> None:
    """Add the figures to the history, with what they depend on: the commit, the machine, and its load before."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    entry = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(load, 2),
        "results": {
            side: {key: round(value, 7) for key, value in figures.items()} for side, figures in results.items()
        },
    }
    with (HERE / "history.jsonl").open("a") as history:
        history.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
