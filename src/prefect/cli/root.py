"""The command `prefect` itself: one call from its arguments to its exit code."""

import sys
import traceback
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click

from prefect._version import __version__
from prefect.cli import _errors, _output, _session
from prefect.cli._commands import TableGroup
from prefect.cli.table import COMMANDS

USAGE_ERROR = 2

root = TableGroup(
    "prefect",
    table=COMMANDS,
    help="Prefect: run, schedule and watch workflows.",
    params=[
        click.Option(["--profile", "-p"], metavar="NAME", help="Use this profile for this call."),
        click.Option(["--prompt/--no-prompt"], default=None, help="Ask questions, or do not."),
        click.Option(["--version", "-v"], is_flag=True, help="Show the version."),
    ],
)
"""The options are here for the help only: `_session.split_session_options` takes them out first."""


def run(arguments: list[str]) -> int:
    """Run one command line in this process.

    Returns:
        The exit code: 0 for success, 1 if the command failed, 2 if it was called in a wrong way.
    """
    shown_before = warnings.showwarning
    warnings.showwarning = _show_warning
    try:
        return _run(arguments)
    finally:
        warnings.showwarning = shown_before


def _run(arguments: list[str]) -> int:
    try:
        session = _session.split_session_options(arguments)
        if session.version:
            click.echo(__version__)
            return 0
        token = _session.prompt_choice.set(session.prompt)
        try:
            with _profile(session.profile):
                code = root.main(session.arguments, prog_name="prefect", standalone_mode=False)
        finally:
            _session.prompt_choice.reset(token)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        error.show()
        return USAGE_ERROR
    except _UnknownProfile as error:
        _output.error_aside(f"Unknown profile {error.name!r}.")
        return 1
    except _output.CommandFailed as failure:
        if failure.message:
            _output.error(failure.message)
        return failure.exit_code
    except (click.Abort, KeyboardInterrupt):
        _output.error("Aborted.")
        return 1
    except click.ClickException as error:
        _output.error(error.format_message())
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain again when it flushes stdout at exit.
        sys.stdout = None  # type: ignore[assignment]
        return 1
    except Exception as error:  # noqa: BLE001 - the outermost boundary: every error becomes an exit code here
        return _fail_unexpectedly(error)


def _fail_unexpectedly(error: Exception) -> int:
    message = _errors.describe(error)
    if message is None:
        if _session.testing_settings().test_mode:
            raise error
        traceback.print_exception(error)
        message = f"An exception occurred: {type(error).__name__}: {error}"
    _output.error(message)
    return 1


class _UnknownProfile(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _profile(name: str | None) -> AbstractContextManager[Any]:
    """Make a profile apply to the call. Without a name no settings are read, so that broken ones can be mended."""
    if name is None:
        return nullcontext()
    # Imported here because help and many mistakes need no settings.
    from prefect.settings.context import use_profile  # noqa: PLC0415
    from prefect.settings.profiles import load_profiles  # noqa: PLC0415

    profiles = load_profiles().profiles_by_name
    if name not in profiles:
        raise _UnknownProfile(name)
    return use_profile(profiles[name], include_current_context=False)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show a warning without the line of code that gave it."""
    if issubclass(category, UserWarning):
        click.secho(f"Warning: {message}", fg="yellow", err=True, color=None if sys.stderr.isatty() else False)
