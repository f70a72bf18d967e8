"""Works with paths and directories of the local machine."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any, AnyStr

from prefect.utilities._ignore_patterns import IgnorePatterns

__all__ = [
    "chdir_lock",
    "create_default_ignore_file",
    "filename",
    "filter_files",
    "get_open_file_limit",
    "is_local_path",
    "relative_path_to_current_platform",
    "tmpchdir",
    "to_display_path",
]

chdir_lock: threading.Lock = threading.Lock()
"""Held by whoever changes the working directory, of which a process has one."""

_OPEN_FILES_OF_WINDOWS = 512
_OPEN_FILES_OF_UNKNOWN = 200

_DEFAULT_IGNORED = """\
# Prefect
.prefectignore

# Python
__pycache__/
*.py[cod]
*$py.class
*.egg
*.egg-info/
.python-version

# Environments
.env
.venv
env/
venv/

# Tools
.mypy_cache/
.pytest_cache/
.ruff_cache/
.ipynb_checkpoints/
profile_default/
ipython_config.py
dask-worker-space/

# Editors and systems
.idea/
.vscode/
.DS_Store

# Version control
.git/
.hg/
"""


def create_default_ignore_file(path: str) -> bool:
    """Put a `.prefectignore` file into a directory, unless there is one.

    Returns:
        Whether the file was made.
    """
    file = Path(path) / ".prefectignore"
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(_DEFAULT_IGNORED)
    except FileExistsError:
        return False
    return True


def filter_files(
    root: str = ".",
    ignore_patterns: Iterable[AnyStr] | None = None,
    include_dirs: bool = True,
    *,
    as_posix: bool = False,
) -> set[str]:
    """Return the paths of what is in a directory at any depth, without what is ignored.

    Args:
        root: The directory, to which the paths are relative.
        ignore_patterns: Lines as of a `.gitignore` file.
        include_dirs: Return directories too.
        as_posix: Return paths with forward slashes on every platform.
    """
    lines = [line.decode() if isinstance(line, bytes) else line for line in ignore_patterns or ()]
    patterns = IgnorePatterns(lines)
    included: set[str] = set()
    for path in _walk(root):
        if path.endswith("/"):
            if include_dirs and not patterns.ignores(path):
                included.add(path[:-1])
        elif not patterns.ignores(path):
            included.add(path)
            if include_dirs:
                # A file that is wanted needs its directories, whatever is said about them.
                included.update(_parents(path))
    return included if as_posix or os.sep == "/" else {path.replace("/", os.sep) for path in included}


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _walk(root: str) -> Iterator[str]:
    seen: set[str] = set()
    for directory, names, files in os.walk(root, followlinks=True):
        # A link to a directory above would go round for ever.
        real = os.path.realpath(directory)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        prefix = Path(directory).relative_to(root).as_posix()
        prefix = "" if prefix == "." else f"{prefix}/"
        yield from (f"{prefix}{name}/" for name in names)
        yield from (f"{prefix}{name}" for name in files)


@contextmanager
def tmpchdir(path: str) -> Generator[str, None, None]:
    """Make a directory, or that of a file, the working directory of the process for a while.

    Other threads that want to do so wait until then.
    """
    target = Path(path).absolute()
    if not target.is_dir():
        target = target.parent
    with chdir_lock:
        previous = Path.cwd()
        os.chdir(target)
        try:
            yield str(target)
        finally:
            os.chdir(previous)


def filename(path: str) -> str:
    """Return the last part of a path, which may be a URL."""
    return re.split(r"[/\\]" if os.sep == "\\" else "/", path.rstrip("/"))[-1]


def is_local_path(path: str | Path | Any) -> bool:
    """Say whether a path, URL or open file of fsspec is on this machine."""
    if isinstance(path, Path):
        return True
    if isinstance(path, str):
        scheme, separator, _ = path.replace("::", "://", 1).partition("://")
        return not separator or scheme in ("file", "local")
    return type(path.fs).__name__ == "LocalFileSystem"


def to_display_path(path: Path | str, relative_to: Path | str | None = None) -> str:
    """Return the shortest way to write a path: relative to a directory if it is inside, else absolute.

    Args:
        relative_to: The directory; the working directory unless given.
    """
    absolute = Path(path).resolve()
    base = Path(relative_to or ".").resolve()
    return str(absolute.relative_to(base) if absolute.is_relative_to(base) else absolute)


def relative_path_to_current_platform(path_str: str) -> Path:
    """Return a relative path that was written on any platform as one of this platform."""
    return Path(PureWindowsPath(path_str).as_posix())


def get_open_file_limit() -> int:
    """Return how many files this process may have open at once."""
    try:
        import resource  # noqa: PLC0415 - Unix only
    except ImportError:
        return _OPEN_FILES_OF_WINDOWS
    try:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except (OSError, ValueError):
        return _OPEN_FILES_OF_UNKNOWN
