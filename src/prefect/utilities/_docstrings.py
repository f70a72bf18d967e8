"""Reads the descriptions of parameters from docstrings in Google's style."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"^\s*(args|arguments|params|parameters)\s*:", re.IGNORECASE)
_ENTRY = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(\(.*?\))?\s*:(\s+(?P<text>.*))?$")


def parameter_docstrings(docstring: str | None) -> dict[str, str]:
    """Return the description of each parameter that the docstring's `Args:` section describes."""
    lines = iter(inspect.cleandoc(docstring or "").splitlines())
    for line in lines:
        if _SECTION.match(line):
            return _entries(list(lines), _indent(line))
    return {}


def _entries(lines: list[str], section_indent: int) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    entry_indent: int | None = None
    for line in lines:
        if not line.strip():
            if current is not None:
                current.append("")
            continue
        indent = _indent(line)
        if indent <= section_indent:
            break
        if entry_indent is None:
            entry_indent = indent
        if indent > entry_indent:
            if current is not None:
                current.append(line.strip())
            continue
        entry = _ENTRY.match(line.strip())
        current = None
        if entry is not None:
            current = found.setdefault(entry["name"], [])
            current.append(entry["text"] or "")
    return {name: "\n".join(text).strip("\n") for name, text in found.items()}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
