"""Places for files: what storage of results and code has to offer, and the local disk."""

from __future__ import annotations

import abc
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from prefect import _file_trees
from prefect._compat.dispatch import async_dispatch
from prefect._compat.moves import old_names
from prefect.blocks.core import Block
from prefect.utilities.asyncutils import run_sync_in_worker_thread

if TYPE_CHECKING:
    from prefect._remote_filesystems import SMB, RemoteFileSystem

__all__ = [
    "SMB",
    "LocalFileSystem",
    "NullFileSystem",
    "ReadableDeploymentStorage",
    "ReadableFileSystem",
    "RemoteFileSystem",
    "WritableDeploymentStorage",
    "WritableFileSystem",
]

_REMOTE = ("SMB", "RemoteFileSystem")

_LARGE = 1_000_000
"""Bytes from which on a file is not read or written in the event loop."""


_old_name = old_names(
    __name__,
    removed={
        "Azure": "`prefect_azure.AzureBlobStorageContainer`",
        "GCS": "`prefect_gcp.GcsBucket`",
        "GitHub": "`prefect_github.GitHubRepository`",
        "S3": "`prefect_aws.S3Bucket`",
    },
)


def __getattr__(name: str) -> Any:
    if name in _REMOTE:
        value = globals()[name] = getattr(import_module("prefect._remote_filesystems"), name)
        return value
    return _old_name(name)


class ReadableFileSystem(Block, abc.ABC):
    """A place where files can be read."""

    _block_schema_capabilities = ["read-path"]

    @abc.abstractmethod
    async def read_path(self, path: str) -> bytes:
        """The content of a file."""


class WritableFileSystem(Block, abc.ABC):
    """A place where files can be read and written."""

    _block_schema_capabilities = ["read-path", "write-path"]

    @abc.abstractmethod
    async def read_path(self, path: str) -> bytes:
        """The content of a file."""

    @abc.abstractmethod
    async def write_path(self, path: str, content: bytes) -> Any:
        """Write a file."""


class ReadableDeploymentStorage(Block, abc.ABC):
    """A place from which folders can be copied."""

    _block_schema_capabilities = ["get-directory"]

    @abc.abstractmethod
    async def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """Copy a folder here."""


class WritableDeploymentStorage(Block, abc.ABC):
    """A place from which and to which folders can be copied."""

    _block_schema_capabilities = ["get-directory", "put-directory"]

    @abc.abstractmethod
    async def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """Copy a folder here."""

    @abc.abstractmethod
    async def put_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> None:
        """Copy a folder there."""


class LocalFileSystem(WritableFileSystem, WritableDeploymentStorage):
    """The local disk.

    Example:
        Load a place on the local disk:
        ```python
        from prefect.filesystems import LocalFileSystem

        local_file_system_block = LocalFileSystem.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Local File System"
    _block_type_slug = "local-file-system"

    basepath: str | None = Field(
        default=None, description="All paths are below this folder. The working directory of each call by default."
    )

    def _resolve_path(self, path: str | Path, validate: bool = False) -> Path:
        """The absolute path of a file or folder.

        Raises:
            ValueError: It is not below `basepath`.
        """
        return Path(self._absolute(path))

    def _absolute(self, path: str | Path) -> str:
        # Worked out on texts: every result asks for it.
        base = os.path.abspath(os.path.expanduser(self.basepath) if self.basepath else os.getcwd())  # noqa: PTH100, PTH109, PTH111
        full = os.path.normpath(os.path.join(base, os.path.expanduser(path)))  # noqa: PTH111, PTH118
        if full != base and not full.startswith(base if base.endswith(os.sep) else base + os.sep):
            raise ValueError(f"Provided path {full} is outside of the base path {base}. Give one below it.")
        return full

    async def aread_path(self, path: str) -> bytes:
        """`read_path` for async code."""
        full = self._existing_file(path)
        if os.stat(full).st_size < _LARGE:  # noqa: PTH116
            return _read(full)
        return await run_sync_in_worker_thread(_read, full)

    @async_dispatch(aread_path)
    def read_path(self, path: str) -> bytes:  # type: ignore[override]
        """The content of a file.

        Raises:
            ValueError: It is not there, or is no file.
        """
        return _read(self._existing_file(path))

    def _existing_file(self, path: str) -> str:
        full = self._absolute(path)
        if not os.path.isfile(full):  # noqa: PTH113
            problem = "is not a file" if os.path.exists(full) else "does not exist"  # noqa: PTH110
            raise ValueError(f"Path {full} {problem}.")
        return full

    async def awrite_path(self, path: str, content: bytes) -> str:
        """`write_path` for async code."""
        if len(content) < _LARGE:
            return self._write(path, content)
        return await run_sync_in_worker_thread(self._write, path, content)

    @async_dispatch(awrite_path)
    def write_path(self, path: str, content: bytes) -> str:  # type: ignore[override]
        """Write a file, whole or not at all, and the folders above it.

        Returns:
            The absolute path of the file.

        Raises:
            ValueError: The path leads out of the base path, or a folder is there.
        """
        return self._write(path, content)

    def _write(self, path: str, content: bytes) -> str:
        full = self._absolute(path)
        try:
            _file_trees.write_atomically(full, content)
        except IsADirectoryError:
            raise ValueError(f"Path {full} already exists and is not a file.") from None
        return full

    async def aget_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """`get_directory` for async code."""
        await run_sync_in_worker_thread(self._get, from_path, local_path)

    @async_dispatch(aget_directory)
    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:  # type: ignore[override]
        """Copy a folder, without what its `.prefectignore` names.

        Args:
            from_path: A folder below the base path; the base path itself by default.
            local_path: The folder that gets the content; the working directory by default.

        Raises:
            FileNotFoundError: There is no such folder.
            ValueError: It is not below the base path.
        """
        self._get(from_path, local_path)

    def _get(self, from_path: str | None, local_path: str | None) -> None:
        source = self._resolve_path(from_path or "")
        patterns = _file_trees.ignore_patterns(source / ".prefectignore")
        _file_trees.copy_tree(source, Path(local_path or ".").expanduser().absolute(), patterns)

    async def aput_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> None:
        """`put_directory` for async code."""
        await run_sync_in_worker_thread(self._put, local_path, to_path, ignore_file)

    @async_dispatch(aput_directory)
    def put_directory(  # type: ignore[override]
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> None:
        """Copy a folder to this place.

        Args:
            local_path: The folder; the working directory by default.
            to_path: A folder below the base path that gets the content; the base path itself by default.
            ignore_file: A file as `.gitignore`, which names what is left out.

        Raises:
            FileNotFoundError: There is no such folder, or no such ignore file.
            ValueError: `to_path` is not below the base path.
        """
        self._put(local_path, to_path, ignore_file)

    def _put(self, local_path: str | None, to_path: str | None, ignore_file: str | None) -> None:
        patterns = Path(ignore_file).read_text(encoding="utf-8").splitlines() if ignore_file else None
        _file_trees.copy_tree(Path(local_path or ".").absolute(), self._resolve_path(to_path or ""), patterns)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()


class NullFileSystem(BaseModel):
    """A place that keeps nothing: reads None, and discards what is written."""

    async def read_path(self, path: str) -> None:
        """None."""

    async def write_path(self, path: str, content: bytes) -> None:
        """Discard the content."""

    async def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """Copy nothing."""

    async def put_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> None:
        """Copy nothing."""
