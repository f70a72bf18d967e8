"""Writes a deployment into a project file, and leaves every other byte of it as it stands.

A file that has changed since it was read is not written: whoever edits it by hand at the same time loses nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import BlockEndToken, BlockEntryToken, ScalarToken, Token

from prefect._code_storage.file_lock import file_lock
from prefect.deployments._project.entries import DeploymentEntry, ProjectError
from prefect.deployments._project.reading import (
    InvalidProjectError,
    ProjectFile,
    parse_project,
    parse_yaml,
    read_text,
)
from prefect.utilities.asyncutils import run_coro_as_sync


class ChangedUnderneathError(ProjectError):
    """A project file is not what it was when it was read."""


# -- the text ----------------------------------------------------------------------------------------------------------


def with_entry(path: Path, text: str, entry: Mapping[str, Any]) -> str:
    """The text of a project file with one entry more, at the end of the list or in the place of an empty one.

    Args:
        path: Its name, for messages.
        text: The file as it stands.
        entry: The deployment, as it is to stand there.

    Raises:
        ProjectError: The file is written in a way that leaves no place for it.
    """
    before = parse_yaml(path, text) or {}
    known = before.get("deployments") or []
    try:
        made, replaced = _spliced(text, entry)
        after = parse_yaml(path, made)
    except (InvalidProjectError, YAMLError, LookupError, ValueError):
        after = made = replaced = None
    wanted = [each for number, each in enumerate(known) if number != replaced]
    wanted.insert(len(known) if replaced is None else replaced, dict(entry))
    if made is None or after != {**before, "deployments": wanted}:
        raise ProjectError(f"No place for a deployment was found in {str(path)!r}, so nothing was written to it.")
    return made


def render(entry: Mapping[str, Any]) -> str:
    """An entry as an item of a list in YAML, without indentation."""
    yaml = YAML()
    yaml.width = 4096  # nothing is broken into lines
    written = StringIO()
    yaml.dump([_quoted(entry)], written)
    return written.getvalue()


def _quoted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _quoted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_quoted(each) for each in value]
    # Text that would be read as something else, such as `yes`, which the library thinks safe.
    if isinstance(value, str) and "\n" not in value and not _reads_as(value):
        return DoubleQuotedScalarString(value)
    return value


def _reads_as(text: str) -> bool:
    try:
        return parse_yaml(Path(), text) == text
    except InvalidProjectError:
        return False


def _spliced(text: str, entry: Mapping[str, Any]) -> tuple[str, int | None]:
    """The text with the entry in it, and the number of the entry whose place it has taken."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    key, deployments = _pair_of(YAML().compose(StringIO(text)), "deployments")
    if key is None or deployments is None:
        gap = [end] if lines and lines[-1].strip() else []
        return "".join([*lines, *gap, f"deployments:{end}", *_lines(entry, 0, end)]), None
    if not isinstance(deployments, SequenceNode) or not deployments.value:
        # The key alone, `null` or `[]`: what stands there goes, and the list begins on the next line.
        first, last = deployments.start_mark, deployments.end_mark
        number, line = key.end_mark.line, lines[key.end_mark.line]
        if first.line == last.line == number:
            lines[number] = line[: first.column].rstrip() + line[last.column :]
        return "".join([*lines[: number + 1], *_lines(entry, 0, end), *lines[number + 1 :]]), None
    if deployments.flow_style:
        place = deployments.end_mark.index - 1
        return f"{text[:place].rstrip()}, {json.dumps(dict(entry))}{text[place:]}", None
    tokens = [
        token
        for token in YAML(typ="safe", pure=True).scan(StringIO(text))
        if deployments.start_mark.index <= token.start_mark.index < deployments.end_mark.index
        and not isinstance(token, BlockEndToken)
    ]
    column = next(token.start_mark.column for token in tokens if isinstance(token, BlockEntryToken))
    dashes = [
        i for i, each in enumerate(tokens) if isinstance(each, BlockEntryToken) and each.start_mark.column == column
    ]
    for number, (item, first, after) in enumerate(
        zip(deployments.value, dashes, [*dashes[1:], len(tokens)], strict=True)
    ):
        span = slice(tokens[first].start_mark.line, _line_after(tokens[after - 1]))
        if _is_blank(item) and not any("#" in line for line in lines[span]):
            lines[span] = _lines(entry, column, end)
            return "".join(lines), number
    place = _line_after(tokens[-1])
    return "".join([*lines[:place], *_lines(entry, column, end), *lines[place:]]), None


def _line_after(token: Token) -> int:
    """The first line below a token. What follows it, be it blank or a comment, is not of what it ends."""
    is_block = isinstance(token, ScalarToken) and token.style in ("|", ">")
    return token.end_mark.line + (0 if is_block else 1)


def _lines(entry: Mapping[str, Any], column: int, end: str) -> list[str]:
    return [f"{' ' * column}{line}{end}" if line else end for line in render(entry).splitlines()]


def _pair_of(root: Node | None, name: str) -> tuple[Node, Node] | tuple[None, None]:
    """A key of the file and its value."""
    pairs = root.value if isinstance(root, MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == name), (None, None))


def _is_blank(item: Node) -> bool:
    """Whether an entry is the one of a new file, that waits to be filled in."""
    if isinstance(item, MappingNode):
        return all(_is_blank(value) for _, value in item.value)
    if isinstance(item, SequenceNode):
        return not item.value
    return isinstance(item, ScalarNode) and item.style is None and item.value in ("", "~", "null")


# -- the file ----------------------------------------------------------------------------------------------------------


def save_entry(file: ProjectFile, entry: Mapping[str, Any]) -> ProjectFile:
    """Write an entry into a project file that there is.

    Args:
        file: As it was read.

    Returns:
        The file as it is now.

    Raises:
        ChangedUnderneathError: It has changed since; nothing was written.
        ProjectError: It is not valid, or has no place for an entry; nothing was written.
    """
    if file.text is None or not file.is_valid:
        raise ProjectError(f"The deployment is not saved: {str(file.path)!r} is no project file that can be read.")
    text = with_entry(file.path, file.text, entry)
    # What cannot be read again is not written.
    project = parse_project(file.path, text)
    write_over(file.path, file.text, text)
    return ProjectFile(file.path, text, project)


def write_over(path: Path, known: str, text: str) -> None:
    """Replace a file at once, if it still holds what it is known to hold. Who calls this at the same time waits.

    Raises:
        ChangedUnderneathError: It does not; nothing was written.
    """
    run_coro_as_sync(_write_in_turn(path.resolve(), known, text))


async def _write_in_turn(path: Path, known: str, text: str) -> None:
    async with file_lock(path.with_name(f".{path.name}.lock")):
        _replace(path, known, text)


def _replace(path: Path, known: str, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # As late as can be, for the sake of editors, which know no lock.
        if read_text(path) != known:
            raise ChangedUnderneathError(
                f"{str(path)!r} was changed by somebody else after it was read, so nothing was written to it."
            )
        temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def as_written(entry: DeploymentEntry) -> dict[str, Any]:
    """An entry as it stands in a file: what is said, with its placeholders, and nothing else."""
    data = entry.said()
    order = list(DeploymentEntry.model_fields)
    kept = {name: data[name] for name in order if data.get(name) is not None or (name == "build" and name in data)}
    if "work_pool" in kept:
        kept["work_pool"] = {name: value for name, value in kept["work_pool"].items() if value is not None}
    return kept
