"""Everything that commands print and ask."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import click

from prefect.cli import _session

WIDTH_WITHOUT_TERMINAL = 200
"""Columns that tables may use when the output is not a terminal."""


class CommandFailed(Exception):
    """A command cannot do what it was asked for. The message is for the user; there is no traceback."""

    def __init__(self, message: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


def fail(message: str, exit_code: int = 1) -> NoReturn:
    """End the command with an error message."""
    raise CommandFailed(message, exit_code)


def echo(message: str = "", color: str | None = None, bold: bool = False) -> None:
    """Print a message, wrapped at the width of the terminal if there is one."""
    if sys.stdout.isatty() and _session.cli_settings().wrap_lines:
        message = _wrap(message, shutil.get_terminal_size().columns)
    styled = click.style(message, fg=color, bold=bold or None) if (color or bold) and uses_color() else message
    click.echo(styled, color=uses_color())


def success(message: str) -> None:
    """Print that something was done."""
    echo(message, "green")


def note(message: str) -> None:
    """Print something that the user should pay attention to."""
    echo(message, "yellow")


def error(message: str) -> None:
    """Print what went wrong."""
    echo(message, "red")


def error_aside(message: str) -> None:
    """Print what went wrong, or may go wrong, on stderr."""
    click.secho(message, fg="red", err=True, color=None if uses_color(sys.stderr) else False)


def print_json(value: Any) -> None:
    """Print a value as JSON: models as the API represents them, indented, never wrapped or coloured."""
    # Imported here because only JSON output needs it.
    from pydantic_core import to_jsonable_python  # noqa: PLC0415

    click.echo(json.dumps(to_jsonable_python(value), indent=2, ensure_ascii=False), color=False)


def print_table(
    title: str, columns: Sequence[str | tuple[str, dict[str, Any]]], rows: Iterable[Sequence[Any]], caption: str = ""
) -> None:
    """Print a table. Cells that do not fit are folded, never cut off.

    Args:
        columns: Headings, each alone or with options for `rich.table.Table.add_column`.
        rows: Cells: text, where square brackets are printed as they are, or anything that rich can print.
        caption: A remark below the table, in red.
    """
    # Imported here because rich takes longer to load than most commands to run.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, caption=caption or None, caption_style="red")
    for column in columns:
        heading, options = (column, {}) if isinstance(column, str) else column
        table.add_column(heading, overflow="fold", **options)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or WIDTH_WITHOUT_TERMINAL)
    Console(width=width, force_terminal=None if uses_color() else False).print(table)


def confirm(question: str, default: bool = False) -> bool:
    """Ask a yes/no question."""
    return click.confirm(question, default=default)


def confirm_or_abort(question: str, yes: bool = False) -> None:
    """Ask before something is destroyed, where there is somebody to ask, and end the command on a no.

    Args:
        yes: The user has agreed already.
    """
    if not yes and _session.is_interactive() and not confirm(question):
        fail("Aborted.")


def uses_color(stream: Any = None) -> bool:
    """Whether text is coloured: only on terminals, and only if nobody objects."""
    stream = sys.stdout if stream is None else stream
    return stream.isatty() and not os.environ.get("NO_COLOR") and _session.cli_settings().colors


def _wrap(message: str, width: int) -> str:
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent=line[: len(line) - len(line.lstrip())],
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            replace_whitespace=False,
        )
        if len(line) > width
        else line
        for line in message.split("\n")
    )
