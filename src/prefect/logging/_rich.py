"""The rich console behind `PrefectConsoleHandler`, for the configurations that ask for what only rich does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.highlighter import Highlighter, NullHighlighter
from rich.theme import Theme

from prefect.logging.highlighters import PrefectConsoleHighlighter
from prefect.settings import get_current_settings


def make_console(stream: TextIO, highlighter: type[Highlighter] | None, styles: Mapping[str, str]) -> Console:
    """A console that writes to `stream` in our styles, with markup and colours as the settings say."""
    settings = get_current_settings().logging
    return Console(
        file=stream,
        highlighter=(highlighter or PrefectConsoleHighlighter)() if settings.colors else NullHighlighter(),
        theme=Theme(dict(styles), inherit=False),
        markup=settings.markup,
        no_color=not settings.colors,
    )
