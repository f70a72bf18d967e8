"""Remembers the folder that relative paths meant before a place of its own was made for a flow run."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

origin: ContextVar[Path | None] = ContextVar("origin", default=None)


def find_folder(path: str) -> Path:
    """A folder by its path: from the working directory, or, where there is none such, from the folder remembered.

    Args:
        path: `~` is the home folder.
    """
    folder, start = Path(path).expanduser(), origin.get()
    return folder if start is None or folder.is_dir() else start / folder
