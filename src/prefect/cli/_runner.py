"""Calls the command line inside this process, for tests."""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from prefect.cli.root import run


class Invocation(NamedTuple):
    """What a call of the command line did."""

    exit_code: int
    stdout: str
    stderr: str


def invoke(arguments: Sequence[str], input: str = "") -> Invocation:
    """Call `prefect` with the given arguments, in the settings that apply here.

    Args:
        input: What is typed in. Questions are only asked with `--prompt` or the setting `cli.prompt`, because the
            output is no terminal.

    Returns:
        Exit code and output. Unexpected errors are raised in test mode, as by the command itself.
    """
    stdout, stderr, stdin = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(input)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            exit_code = run(list(arguments))
    except SystemExit as exit_:
        exit_code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    finally:
        sys.stdin = stdin
    return Invocation(exit_code, stdout.getvalue(), stderr.getvalue())
