"""What holds for one call of the command line: its profile, whether it may ask questions, how it prints."""

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from prefect.settings.models.cli import CLISettings
    from prefect.settings.models.testing import TestingSettings


class SessionOptions(NamedTuple):
    """Options that are for the call as a whole, and the arguments that are left for the command."""

    profile: str | None
    prompt: bool | None
    version: bool
    arguments: list[str]


prompt_choice: ContextVar[bool | None] = ContextVar("prefect_cli_prompt", default=None)
"""What `--prompt` or `--no-prompt` said in this call."""


def split_session_options(arguments: list[str]) -> SessionOptions:
    """Take out the options for the whole call.

    `--profile`, `--prompt` and `--no-prompt` are taken anywhere before `--`. The short `-p`, `-v` and `--version` are
    only taken before the command, because commands have options of these names.

    Raises:
        click.UsageError: `--profile` comes without a name.
    """
    profile: str | None = None
    prompt: bool | None = None
    version = False
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        before_command = all(taken.startswith("-") for taken in rest)
        if argument == "--":
            rest += [argument, *remaining]
            break
        if argument == "--profile" or (argument == "-p" and before_command):
            if not remaining:
                raise click.UsageError(f"Option {argument!r} requires the name of a profile.")
            profile = remaining.pop(0)
        elif argument.startswith("--profile="):
            profile = argument.partition("=")[2]
        elif argument in ("--prompt", "--no-prompt"):
            prompt = argument == "--prompt"
        elif argument in ("--version", "-v") and before_command:
            version = True
        else:
            rest.append(argument)
    return SessionOptions(profile, prompt, version, rest)


def is_interactive() -> bool:
    """Whether there is somebody to ask: as the call says, else as the settings say, else if stdout is a terminal."""
    for choice in (prompt_choice.get(), cli_settings().prompt):
        if choice is not None:
            return choice
    return sys.stdout.isatty()


def cli_settings() -> "CLISettings":
    """The settings for printing and asking. Defaults if they are not valid, so that this can be said in colour."""
    # Imported here because settings take longer to load than help is to print.
    from prefect.settings.models.cli import CLISettings  # noqa: PLC0415

    try:
        return CLISettings()
    except ValueError:
        return CLISettings.model_construct()


def testing_settings() -> "TestingSettings":
    """The switches for tests. Defaults if they are not valid."""
    # Imported here, as above.
    from prefect.settings.models.testing import TestingSettings  # noqa: PLC0415

    try:
        return TestingSettings()
    except ValueError:
        return TestingSettings.model_construct()
