"""Understands the patterns of `.gitignore` files."""

from __future__ import annotations

import re
from collections.abc import Iterable


class IgnorePatterns:
    """A list of patterns, of which the last that matches a path decides.

    What no pattern matches shares the fate of the directory that it is in.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for rule in map(_rule, lines) if rule is not None]
        self._directories: dict[str, bool] = {"": False}

    def ignores(self, path: str) -> bool:
        """Say whether a path is to be ignored.

        Args:
            path: Relative to where the patterns are from, with `/` between its parts, and behind it for a directory.
        """
        for pattern, ignore in reversed(self._rules):
            if pattern.fullmatch(path):
                return ignore
        return self._directory_is_ignored(path.rstrip("/").rpartition("/")[0])

    def _directory_is_ignored(self, directory: str) -> bool:
        known = self._directories.get(directory)
        if known is None:
            known = self._directories[directory] = self.ignores(f"{directory}/")
        return known


def _rule(line: str) -> tuple[re.Pattern[str], bool] | None:
    line = line.rstrip("\r\n")
    # Spaces at the end count only behind a backslash.
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    if not line or line.startswith("#"):
        return None
    ignore = not line.startswith("!")
    if not ignore:
        line = line[1:]
    only_directories = line.endswith("/")
    line = line.rstrip("/")
    if not line:
        return None
    # A slash other than at the end ties the pattern to the place that it is from.
    anchored = "/" in line
    parts = line.lstrip("/").split("/")
    prefix = "" if anchored else "(?:.*/)?"
    suffix = "/" if only_directories else "/?"
    return re.compile(f"{prefix}{_expression(parts)}{suffix}"), ignore


def _expression(parts: list[str]) -> str:
    expression = ""
    for position, part in enumerate(parts):
        is_last = position == len(parts) - 1
        if part == "**":
            expression += ".+" if is_last else "(?:.*/)?"
        else:
            expression += _translate(part) + ("" if is_last else "/")
    return expression


def _translate(part: str) -> str:
    # Whatever it is, a part of a path is not empty.
    expression = "(?=[^/])"
    position = 0
    while position < len(part):
        character = part[position]
        position += 1
        if character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "[" and (end := part.find("]", position + 1)) > 0:
            inside = part[position:end].replace("\\", "\\\\")
            expression += f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]"
            position = end + 1
        elif character == "\\" and position < len(part):
            expression += re.escape(part[position])
            position += 1
        else:
            expression += re.escape(character)
    return expression
