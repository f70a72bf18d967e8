"""Runs the printed examples: as scripts of their own process, as modules of this one, or until they say something."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from types import ModuleType

from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import DeploymentResponse

SNIPPETS = Path(__file__).parent / "snippets"
PREFECT = Path(sysconfig.get_path("scripts")) / "prefect"
SECONDS = 60
"""The longest that one program may take, far more than any of them needs."""


@dataclass(frozen=True)
class Ran:
    """What a program said, and how it ended."""

    code: int
    output: str
    errors: str


def snippet(name: str) -> Path:
    """The file of an example, by its name without number and suffix."""
    [path] = SNIPPETS.glob(f"[0-9][0-9]_{name}.*")
    return path


def load(name: str, *, until: str = "", since: str = "", **names: object) -> ModuleType:
    """Run an example as a module of this process.

    Args:
        name: Its name without number and suffix.
        until: Leave out this line and what follows it.
        since: Leave out what precedes this line.
        names: What the example uses without defining it.
    """
    path = snippet(name)
    source = path.read_text(encoding="utf-8")
    if until:
        source = source[: source.index(until)]
    if since:
        before = source.index(since)
        source = "\n" * source[:before].count("\n") + source[before:]
    spec = importlib.util.spec_from_file_location(f"seed_{name}", path)
    module = importlib.util.module_from_spec(spec)
    vars(module).update(names)
    sys.modules[module.__name__] = module  # where parameter types, pickle and dataclasses look
    exec(compile(source, path, "exec"), vars(module))
    return module


class Program:
    """A program that stays, and what it has said so far on both streams."""

    def __init__(self, command: str, process: subprocess.Popen[str]) -> None:
        self._command = command
        self._process = process
        self.lines: list[str] = []

    def until(self, says: str) -> None:
        """Wait for a line that holds some text.

        Raises:
            AssertionError: The program ended, or was ended because it took too long, without saying so.
        """
        for line in self._process.stdout:
            self.lines.append(line)
            if says in line:
                return
        raise AssertionError(f"{self._command!r} never said {says!r}, but:\n{''.join(self.lines)}")


class Shell:
    """Runs programs in one folder, with one home, as a user would.

    Attributes:
        folder: Where they run.
        environment: Their variables.
    """

    def __init__(self, folder: Path, home: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self.environment |= {"PREFECT_HOME": str(home), "PYTHONPATH": str(folder), "COLUMNS": "200"} | variables
        self.environment["PATH"] = f"{PREFECT.parent}{os.pathsep}{self.environment['PATH']}"

    def python(self, *arguments: str | Path, **variables: str) -> Ran:
        """Run the interpreter."""
        return self._run([sys.executable, *arguments], variables)

    def script(self, name: str, **variables: str) -> Ran:
        """Run an example as a script; it has to end well."""
        ran = self.python(snippet(name), **variables)
        assert ran.code == 0, ran.errors
        return ran

    def bash(self, command: str, **variables: str) -> Ran:
        """Run a command line."""
        return self._run(["bash", "-c", command], variables)

    @contextmanager
    def started(self, command: str, says: str, **variables: str) -> Iterator[Program]:
        """Start a command line that does not end by itself; the block begins when its output holds some text."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        too_long = Timer(SECONDS, process.kill)
        too_long.start()
        try:
            program = Program(command, process)
            program.until(says)
            yield program
        finally:
            too_long.cancel()
            process.terminate()
            process.wait(SECONDS)
            process.stdout.close()

    def _run(self, command: list[str | Path], variables: dict[str, str]) -> Ran:
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)


def deployment_named(name: str) -> DeploymentResponse:
    """A deployment, by its flow's name and its own."""
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(name)


def put(shell: Shell, name: str, target: str) -> None:
    """Write an example into a file of the shell's folder."""
    (shell.folder / target).write_text(snippet(name).read_text(encoding="utf-8"), encoding="utf-8")
