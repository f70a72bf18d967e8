"""Writes files whole or not at all, and copies folders."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from prefect.utilities.filesystem import filter_files

_PERMISSIONS = 0o666
"""Of new files, before the user's mask."""

_count = itertools.count()


def write_atomically(path: str, content: bytes) -> None:
    """Write a file, and the folders above it if they are missing.

    Who reads, or a kill in between, never sees half a file: the content is written beside it and moved into place.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:64]}.{os.getpid()}-{next(_count)}")  # noqa: PTH118 - on the path of every result
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        try:
            handle = os.open(beside, flags, _PERMISSIONS)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - text in, text out
            handle = os.open(beside, flags, _PERMISSIONS)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(beside, path)  # noqa: PTH105
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def ignore_patterns(file: Path) -> list[str] | None:
    """The patterns of an ignore file; None if there is no such file."""
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else None


def copy_tree(source: Path, target: Path, patterns: list[str] | None = None) -> None:
    """Copy a folder; links are copied as links, and files that are there already are replaced.

    Args:
        source: The folder.
        target: The folder that gets its content; made if it is missing.
        patterns: Lines as of a `.gitignore` file, for what is left out.

    Raises:
        FileNotFoundError: There is no folder `source`.
    """
    if not source.is_dir():
        raise FileNotFoundError(f"There is no folder {str(source)!r} to copy from.")
    if source.resolve() == target.resolve():
        return
    # Listed before anything is copied: the target may be inside of the source.
    found = list(_paths(source, patterns))
    target.mkdir(parents=True, exist_ok=True)
    for relative in found:
        _copy(source / relative, target / relative)


def files_in(source: Path, patterns: list[str] | None = None) -> list[str]:
    """The relative paths of the files in a folder at any depth, with forward slashes."""
    return sorted(path.as_posix() for path in _paths(source, patterns) if (source / path).is_file())


def _paths(source: Path, patterns: list[str] | None) -> Iterator[Path]:
    included = None if patterns is None else filter_files(str(source), patterns)
    for folder, names, files in os.walk(source):
        within = Path(folder).relative_to(source)
        for name in sorted(names) + sorted(files):
            relative = within / name
            if included is None or str(relative) in included:
                yield relative


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
