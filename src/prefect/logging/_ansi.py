"""Colours console lines with terminal escapes: what rich would do here, without loading it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prefect.logging._patterns import LEVELS, NAMES, STATES, URLS

_CODES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "yellow3": "38;5;184",
    "red3": "38;5;160",
    **{
        name: str(30 + n)
        for n, name in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))
    },
    **{
        f"bright_{name}": str(90 + n)
        for n, name in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))
    },
}


class Colouriser:
    """Puts the terminal's escapes around what stands out in a line."""

    def __init__(self, styles: Mapping[str, str]) -> None:
        """Prepare the escapes.

        Args:
            styles: Style definitions in rich's words (`bold magenta`), under names such as `log.web_url`.
        """
        self._pattern = re.compile("|".join(LEVELS + URLS + NAMES + STATES))
        self._codes = {name.removeprefix("log."): _escape_codes(style) for name, style in styles.items()}

    def __call__(self, line: str) -> str:
        """The line with its escapes."""
        pieces: list[str] = []
        end = 0
        for match in self._pattern.finditer(line):
            group = match.lastgroup
            codes = self._codes.get(group or "")
            if codes and group:
                start, stop = match.span(group)
                pieces += (line[end:start], "\x1b[", codes, "m", line[start:stop], "\x1b[0m")
                end = stop
        pieces.append(line[end:])
        return "".join(pieces)


def _escape_codes(style: str) -> str:
    codes = [_CODES.get(word) for word in style.split()]
    if None in codes:
        from rich.color import ColorSystem  # noqa: PLC0415 - only a style that is not in the small table needs rich
        from rich.style import Style  # noqa: PLC0415 - as above

        rendered = Style.parse(style).render("x", color_system=ColorSystem.EIGHT_BIT)
        return rendered.partition("[")[2].partition("m")[0]
    return ";".join(code for code in codes if code)
