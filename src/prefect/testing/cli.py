"""Calls the command line in tests, and checks what it printed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.cli._runner import invoke

if TYPE_CHECKING:
    from rich.console import Console


class CycloptsResult:
    """What a call of the command line did.

    Attributes:
        stdout: What it printed.
        stderr: What it printed on stderr.
        output: Both, stdout first.
        exit_code: 0 for success, 1 for a failure, 2 for a wrong call.
        exception: An unexpected error, which ended the call.
    """

    def __init__(self, stdout: str, stderr: str, exit_code: int, exception: BaseException | None) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.output = stdout + stderr
        self.exit_code = exit_code
        self.exception = exception


class CycloptsCliRunner:
    """Calls `prefect` inside this process. The name is that of the published interface."""

    def invoke(self, args: str | list[str], input: str | None = None) -> CycloptsResult:
        """Call `prefect` with these arguments.

        Args:
            args: A list, or one line as it is typed in a shell.
            input: What is typed in. With it, the command asks its questions; without it, there is nobody to ask.
        """
        arguments = shlex.split(args) if isinstance(args, str) else list(args)
        if input is not None and not {"--prompt", "--no-prompt"}.intersection(arguments):
            arguments = ["--prompt", *arguments]
        try:
            done = invoke(arguments, input or "")
        except Exception as error:  # noqa: BLE001 - whatever ended the call is part of the result
            return CycloptsResult("", "", 1, error)
        return CycloptsResult(done.stdout, done.stderr, done.exit_code, None)


def check_contains(cli_result: CycloptsResult, content: str, should_contain: bool) -> None:
    """Check that a text is in the output of a call, or that it is not.

    Raises:
        AssertionError: It is not so.
    """
    found = content.strip() in cli_result.output.strip()
    if found is not should_contain:
        complaint = "is not in" if should_contain else "should not be in"
        raise AssertionError(f"{content.strip()!r} {complaint} the output:\n{cli_result.output}")


def invoke_and_assert(
    command: str | list[str],
    user_input: str | None = None,
    prompts_and_responses: list[tuple[str, str] | tuple[str, str, str]] | None = None,
    expected_output: str | None = None,
    expected_output_contains: str | Iterable[str] | None = None,
    expected_output_does_not_contain: str | Iterable[str] | None = None,
    expected_line_count: int | None = None,
    expected_code: int | None = 0,
    echo: bool = True,
    temp_dir: str | None = None,
) -> CycloptsResult:
    """Call the command line, and check its exit code and its output.

    Args:
        command: The arguments after `prefect`: a list, or one line as it is typed in a shell.
        user_input: What is typed in.
        prompts_and_responses: Instead of `user_input`: questions that must come up and what is answered, and for a
            choice from a list the text of the chosen line.
        expected_output: The whole output, apart from white space around it.
        expected_output_contains: Texts that must be in the output.
        expected_output_does_not_contain: Texts that must not be in the output.
        expected_line_count: How many lines there must be.
        expected_code: The exit code; None for any.
        echo: Print the output, so that pytest shows it when the test fails.
        temp_dir: The working directory of the call.

    Raises:
        AssertionError: Something is not as expected.
    """
    if user_input is not None and prompts_and_responses:
        raise ValueError("Give either user_input or prompts_and_responses, not both.")
    if prompts_and_responses:
        user_input = "".join(f"{entry[1]}\n" for entry in prompts_and_responses)
    with _working_directory(temp_dir) if temp_dir is not None else nullcontext():
        result = CycloptsCliRunner().invoke(command, user_input)
    if echo:
        print(f"\n------ prefect {command} ------\n{result.output}")
    if result.exception is not None and expected_code != 1:
        raise result.exception
    _check_code(result, expected_code)
    for entry in prompts_and_responses or ():
        check_contains(result, entry[0], should_contain=True)
        if len(entry) > 2:
            check_contains(result, entry[2], should_contain=True)
    for content in _texts(expected_output_contains):
        check_contains(result, content, should_contain=True)
    for content in _texts(expected_output_does_not_contain):
        check_contains(result, content, should_contain=False)
    if expected_output is not None and result.output.strip() != expected_output.strip():
        raise AssertionError(
            f"The output is\n{result.output.strip()}\n\nand not, as expected,\n{expected_output.strip()}"
        )
    lines = len(result.output.splitlines())
    if expected_line_count is not None and lines != expected_line_count:
        raise AssertionError(f"There are {lines} lines of output, and not {expected_line_count}:\n{result.output}")
    return result


@contextmanager
def temporary_console_width(console: Console, width: int) -> Generator[None, None, None]:
    """Give a rich console another width in this block."""
    before = console.width
    console.width = width
    try:
        yield
    finally:
        console.width = before


def _check_code(result: CycloptsResult, expected_code: int | None) -> None:
    if expected_code is not None and result.exit_code != expected_code:
        raise AssertionError(f"The exit code is {result.exit_code}, and not {expected_code}. Output:\n{result.output}")


def _texts(given: str | Iterable[str] | None) -> Iterable[str]:
    return [given] if isinstance(given, str) else given or ()


@contextmanager
def _working_directory(path: str) -> Generator[None, None, None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
