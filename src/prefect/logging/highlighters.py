"""The console's patterns as highlighters for rich. Nothing else of the logging imports rich before it is needed."""

from __future__ import annotations

from rich.highlighter import RegexHighlighter

from prefect.logging._patterns import LEVELS, NAMES, STATES, URLS


class LevelHighlighter(RegexHighlighter):
    """Finds the names of levels."""

    base_style = "level."
    highlights = LEVELS


class UrlHighlighter(RegexHighlighter):
    """Finds URLs."""

    base_style = "url."
    highlights = URLS


class NameHighlighter(RegexHighlighter):
    """Finds the names of flows and flow runs."""

    base_style = "name."
    highlights = NAMES


class StateHighlighter(RegexHighlighter):
    """Finds the names of final states."""

    base_style = "state."
    highlights = STATES


class PrefectConsoleHighlighter(RegexHighlighter):
    """Finds everything that the other highlighters find."""

    base_style = "log."
    highlights = LEVELS + URLS + NAMES + STATES
