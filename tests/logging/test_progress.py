"""The progress of mapped tasks: shown to people, not to pipes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import threading
from prefect import flow, task

seen = threading.Event()

@task
def wait(i):
    return seen.wait(0.6) or i

@flow
def mapped():
    return len(wait.map(range(4)).result())

print("done", mapped())
"""


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PREFECT_HOME": str(home), "TERM": "xterm", "PREFECT_LOGGING_COLORS": "false"}


def test_a_terminal_shows_how_far_a_map_is(tmp_path):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=terminal, stderr=terminal, env=environment(tmp_path), close_fds=True
    )
    os.close(terminal)
    output = b""
    while True:
        try:
            chunk = os.read(controller, 4096)
        except OSError:  # the terminal is closed when the process ends
            break
        if not chunk:
            break
        output += chunk
    assert process.wait(30) == 0
    text = output.decode()
    assert "wait: 0/4" in text
    assert "done 4" in text
    assert "Finished in state Completed()" in text


def test_a_pipe_gets_plain_lines_only(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        check=True,
        timeout=60,
    )
    assert "0/4" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stderr.count("Finished in state Completed()") == 5
