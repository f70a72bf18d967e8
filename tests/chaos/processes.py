"""Processes that run flows on one home, and what they have been told is stored."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path

PATIENCE_SECONDS = 120.0

PRELUDE = """
import os, sys, time
from prefect import flow, task, get_run_logger
from prefect.runtime import flow_run

_journal = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def note(*words):
    "Write down, durably, what this process has been told."
    os.write(_journal, (" ".join(map(str, words)) + chr(10)).encode())
    os.fsync(_journal)
"""
"""What every program starts with."""


class Home:
    """A PREFECT_HOME and its database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @property
    def database(self) -> Path:
        return self.path / "prefect.db"

    def start(self, program: str | Path, journal: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a program, or a file, in a process of its own; it appends to `journal` what it calls `note` with."""
        command = [str(program)] if isinstance(program, Path) else ["-c", PRELUDE + program]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return subprocess.Popen(
            [sys.executable, *command, *arguments],
            env=clean | {"PREFECT_HOME": str(self.path), "JOURNAL": str(journal)} | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, program: str | Path, journal: Path, *arguments: str, **environment: str) -> str:
        """Run a program to its end; gives what it printed."""
        process = self.start(program, journal, *arguments, **environment)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output
        return output

    @contextmanager
    def rows(self):
        """Ask the database file itself. Nobody else's connection is kept open, as a killed process leaves none."""
        with closing(sqlite3.connect(self.database, timeout=60)) as connection:
            yield lambda sql, *values: connection.execute(sql, values).fetchall()

    def check_integrity(self) -> None:
        with self.rows() as ask:
            assert ask("PRAGMA integrity_check") == [("ok",)]
            assert ask("PRAGMA foreign_key_check") == []

    def flow_run_states(self) -> dict[str, str]:
        with self.rows() as ask:
            return dict(ask("SELECT id, state_type FROM flow_run"))

    def task_run_states(self) -> Counter[tuple[str, str]]:
        """How many task runs of each flow run are in each state: (flow run id, type) -> count."""
        with self.rows() as ask:
            counted = ask("SELECT flow_run_id, state_type, count(*) FROM task_run GROUP BY 1, 2")
        return Counter({(run, state): count for run, state, count in counted})

    def end_all_leases(self) -> None:
        """Let the leases of all processes be over now, instead of a minute later."""
        with closing(sqlite3.connect(self.database, timeout=60)) as connection, connection:
            connection.execute("UPDATE flow_run_lease SET expires_at = '2001-01-01T00:00:00.000000Z'")


def noted(journal: Path) -> list[list[str]]:
    """The lines of a journal, each as its words; a last line that was cut short by the kill is left out."""
    if not journal.exists():
        return []
    whole, _, _ = journal.read_text().rpartition("\n")
    return [line.split(" ") for line in whole.splitlines()]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until a condition holds.

    Raises:
        AssertionError: It does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.01)
