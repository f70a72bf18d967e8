"""Starts the long processes of a session, which serve flows or work, and ends them as a person would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parts import eventually

FOLDER = Path.cwd()
# A process in the background may ignore Ctrl-C, and what it starts would too.
signal.signal(signal.SIGINT, signal.default_int_handler)
QUICK = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_LOGGING_LEVEL": "INFO"}
"""Upstream's runner and worker look for due runs so often; ours hear of them."""


def log_of(name: str) -> str:
    return (FOLDER / f"{name}.log").read_text()


@contextmanager
def running(name: str, *command: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of this session's Python; its output goes to `<name>.log`."""
    with (FOLDER / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            env={**os.environ, **QUICK, **variables}, stdout=log, stderr=log, cwd=FOLDER, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def interrupted(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGINT) -> Any:
    """The exit code of a process that is asked to end; None if it does not."""
    process.send_signal(by)
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        return None


def prefect(*words: Any, **variables: str) -> tuple[int, str]:
    """Run a command to its end: its exit code, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *map(str, words)],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, cwd=FOLDER, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def hooks(run_id: Any, count: int) -> list[str]:
    """What the hooks of a run have written down."""
    file = FOLDER / f"hooks-{run_id}"

    def read() -> list[str]:
        return sorted(file.read_text().splitlines()) if file.exists() else []

    return eventually(read, lambda lines: len(lines) >= count)
