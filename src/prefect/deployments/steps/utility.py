"""Steps that run commands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from io import StringIO
from typing import Any

import anyio
from typing_extensions import TypedDict

from prefect.deployments.steps._requirements import installer
from prefect.utilities.processutils import command_from_string, open_process, sanitize_subprocess_env, stream_text

__all__ = ["RunShellScriptResult", "pip_install_requirements", "run_shell_script"]

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


class RunShellScriptResult(TypedDict):
    """What the commands of a script printed.

    Attributes:
        stdout: On standard output, without blank space at the ends.
        stderr: On standard error, likewise.
    """

    stdout: str
    stderr: str


async def run_shell_script(
    script: str,
    directory: str | None = None,
    env: dict[str, str] | None = None,
    stream_output: bool = True,
    expand_env_vars: bool = False,
    shell: bool = False,
) -> RunShellScriptResult:
    """Run the lines of a script, each as a command of its own. The first one that fails ends it.

    Args:
        script: The commands. Empty lines and lines that begin with `#` are skipped; a `\\` at the end of a line joins it
            with the next.
        directory: Where to run them; the working directory by default.
        env: Environment variables besides those of this process.
        stream_output: Pass on what they print while they run.
        expand_env_vars: Replace `$NAME` and `${NAME}` by the values of environment variables first.
        shell: Have a shell run each line, so that operators as `|`, `&&` and `>` and built-ins as `cd` work. What a line
            changes in its shell, as the folder, is lost on the next.

    Returns:
        `stdout` and `stderr`: what all of them printed.

    Raises:
        RuntimeError: A command failed; the message has what it wrote to standard error.
        FileNotFoundError: There is no such command, or no such directory.
    """
    environment = sanitize_subprocess_env({**os.environ, **(env or {})})
    if directory is not None and not await anyio.Path(directory).is_dir():
        raise FileNotFoundError(f"There is no directory {directory!r} to run the script in.")
    if expand_env_vars:
        script = _expand(script, environment)
    stdout, stderr = StringIO(), StringIO()
    for line in _commands(script):
        command = _in_shell(line) if shell else command_from_string(line)
        try:
            code = await _run(command, stdout, stderr, stream_output, cwd=directory, env=environment)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"There is no command {command[0]!r}, which the script line {line!r} begins with. If it is one of a "
                "shell, run the script with `shell: true`."
            ) from error
        if code:
            raise RuntimeError(f"`run_shell_script` failed with error code {code}: {stderr.getvalue()}")
    return {"stdout": stdout.getvalue().strip(), "stderr": stderr.getvalue().strip()}


async def pip_install_requirements(
    directory: str | None = None, requirements_file: str = "requirements.txt", stream_output: bool = True
) -> dict[str, Any]:
    """Install the packages that a file lists into the environment of this process.

    Args:
        directory: Where the file is; the working directory by default.
        requirements_file: The file, from there.
        stream_output: Pass on what the installer prints while it runs.

    Returns:
        `stdout` and `stderr`: what the installer printed.

    Raises:
        RuntimeError: The installer failed, or there is none.
    """
    stdout, stderr = StringIO(), StringIO()
    command = [*installer(), "-r", requirements_file]
    code = await _run(command, stdout, stderr, stream_output, cwd=directory)
    if code:
        raise RuntimeError(f"pip_install_requirements failed with error code {code}: {stderr.getvalue()}")
    return {"stdout": stdout.getvalue().strip(), "stderr": stderr.getvalue().strip()}


async def _run(command: list[str], stdout: StringIO, stderr: StringIO, stream_output: bool, **options: Any) -> int:
    """Run a command, noting what it prints; its exit code."""
    from anyio.streams.text import TextReceiveStream  # noqa: PLC0415 - loaded together with the first process

    async with open_process(command, **options) as process:
        async with anyio.create_task_group() as tasks:
            for stream, sink, passed_on in (
                (process.stdout, stdout, sys.stdout),
                (process.stderr, stderr, sys.stderr),
            ):
                if stream is not None:
                    sinks = [sink, passed_on] if stream_output else [sink]
                    tasks.start_soon(stream_text, TextReceiveStream(stream, errors="replace"), *sinks)
        return await process.wait()


def _commands(script: str) -> list[str]:
    joined = re.sub(r"\\\r?\n", " ", script)
    lines = (line.strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _in_shell(line: str) -> list[str]:
    return [os.environ.get("COMSPEC", "cmd.exe"), "/c", line] if sys.platform == "win32" else ["/bin/sh", "-c", line]


def _expand(script: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), script)
