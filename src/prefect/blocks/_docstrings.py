"""Reads what a block says of itself from the docstring of its class: a description, and an example of code.

Checksums of schemas depend on the description, so what belongs to it has to be the same everywhere.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

_HEADER = re.compile(r"^(?P<name>\w[\w -]*):(?: +.*)?$")
_EXAMPLES = ("example", "examples")


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a docstring: running text, whose name is empty, or what is indented below a header."""

    name: str
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip("\n").rstrip()


def description_of(docstring: str | None) -> str | None:
    """The first running text of a docstring, or None."""
    return next((part.text for part in _sections(docstring) if not part.name and part.text), None)


def example_of(docstring: str | None) -> str | None:
    """What stands in the first `Example:` or `Examples:` section of a docstring, or None."""
    section = next((part for part in _sections(docstring) if part.name in _EXAMPLES), None)
    if section is None:
        return None
    return section.text if section.name == "example" else "\n".join(_pieces(section.lines))


def _sections(docstring: str | None) -> list[_Section]:
    lines = inspect.cleandoc(docstring or "").splitlines()
    found, text, index, fenced = [], _Section("", []), 0, False
    while index < len(lines):
        line = lines[index]
        fenced ^= line.lstrip().startswith("```")
        if fenced or not _is_header(lines, index):
            text.lines.append(line)
            index += 1
            continue
        body, index = _indented(lines, index + 1)
        header = _HEADER.match(line)
        assert header is not None
        found += [text, _Section(header["name"].lower(), body)]
        text = _Section("", [])
    return [*found, text]


def _is_header(lines: list[str], index: int) -> bool:
    """A header stands alone above indented lines, with nothing or an empty line before it."""
    after = lines[index + 1] if index + 1 < len(lines) else ""
    return (
        _HEADER.match(lines[index]) is not None
        and after.strip() != ""
        and after[0].isspace()
        and (index == 0 or not lines[index - 1].strip())
    )


def _indented(lines: list[str], start: int) -> tuple[list[str], int]:
    """The lines from `start` on that are indented at least as far as the first of them, and where they end."""
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(indent)):
        end += 1
    return [line[len(indent) :] for line in lines[start:end]], end


def _pieces(lines: list[str]) -> list[str]:
    """Texts and interactive sessions, in turn. An empty line ends a session."""
    pieces: list[list[str]] = [[]]
    in_session = fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        starts_session = not fenced and not in_session and line.startswith(">>>")
        ends_session = in_session and not line.strip()
        if starts_session or ends_session:
            pieces.append([])
            in_session = starts_session
        pieces[-1].append(line)
    texts = ("\n".join(piece).strip("\n").rstrip() for piece in pieces)
    return [text for text in texts if text]
