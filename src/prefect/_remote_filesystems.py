"""Places for files that fsspec can reach: object stores, network shares and the like."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, SecretStr, field_validator

from prefect import _file_trees
from prefect._compat.dispatch import async_dispatch
from prefect.filesystems import WritableDeploymentStorage, WritableFileSystem
from prefect.utilities.asyncutils import run_sync_in_worker_thread

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class RemoteFileSystem(WritableFileSystem, WritableDeploymentStorage):
    """Files on any system that fsspec knows, by the scheme of a URL.

    For `s3://my-bucket/my-folder/` files are in S3, if the package that fsspec needs for it is installed.

    Example:
        Load a remote place for files:
        ```python
        from prefect.filesystems import RemoteFileSystem

        remote_file_system_block = RemoteFileSystem.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Remote File System"
    _block_type_slug = "remote-file-system"

    basepath: str = Field(
        default=..., description="All paths are below this URL.", examples=["s3://my-bucket/my-folder/"]
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="What is passed to fsspec when it makes its file system."
    )

    _filesystem: Any = PrivateAttr(default=None)

    @field_validator("basepath")
    @classmethod
    def _check_basepath(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.scheme:
            raise ValueError(f"Base path must start with a scheme. Got {value!r}.")
        if not parts.netloc:
            raise ValueError(f"Base path must include a location after the scheme. Got {value!r}.")
        if parts.scheme == "file":
            raise ValueError("Base path scheme cannot be 'file'. Use `LocalFileSystem` instead for local file access.")
        return value

    @property
    def filesystem(self) -> AbstractFileSystem:
        """The file system of fsspec, made when it is first needed.

        Raises:
            RuntimeError: A package is missing that fsspec needs for the scheme.
        """
        if self._filesystem is None:
            # Needed only where there is a remote place.
            import fsspec  # noqa: PLC0415

            scheme = urlsplit(self.basepath).scheme
            try:
                self._filesystem = fsspec.filesystem(scheme, **self.settings)
            except ImportError as error:
                raise RuntimeError(
                    f"The file system of {self.basepath!r} could not be created: fsspec needs a package for the scheme "
                    f"{scheme!r} that is not installed: {error}"
                ) from error
        return self._filesystem

    def _resolve_path(self, path: str) -> str:
        """The whole URL of a file or folder.

        Raises:
            ValueError: It is not below `basepath`.
        """
        base = self.basepath.rstrip("/")
        within = path
        if "://" in path:
            scheme, base_scheme = urlsplit(path).scheme, urlsplit(base).scheme
            if scheme != base_scheme:
                raise ValueError(
                    f"Path {path!r} with scheme {scheme!r} must use the same scheme as the base path {base_scheme!r}."
                )
            if path.rstrip("/") != base and not path.startswith(f"{base}/"):
                raise ValueError(f"Path {path!r} is outside of the base path {self.basepath!r}.")
            within = path[len(base) :]
        if ".." in within.split("/"):
            raise ValueError(
                f"Path {path!r} may lead outside of the base path {self.basepath!r}. Write it without '..'."
            )
        return f"{base}/{within.lstrip('/')}"

    async def aread_path(self, path: str) -> bytes:
        """`read_path` for async code."""
        return await run_sync_in_worker_thread(self._read, path)

    @async_dispatch(aread_path)
    def read_path(self, path: str) -> bytes:  # type: ignore[override]
        """The content of a file.

        Raises:
            ValueError: The path leads out of the base path.
            FileNotFoundError: There is no such file.
        """
        return self._read(path)

    def _read(self, path: str) -> bytes:
        content: Any = self.filesystem.cat_file(self._resolve_path(path))
        return content

    async def awrite_path(self, path: str, content: bytes) -> str:
        """`write_path` for async code."""
        return await run_sync_in_worker_thread(self._write, path, content)

    @async_dispatch(awrite_path)
    def write_path(self, path: str, content: bytes) -> str:  # type: ignore[override]
        """Write a file, and the folders above it.

        Returns:
            The URL of the file.

        Raises:
            ValueError: The path leads out of the base path.
        """
        return self._write(path, content)

    def _write(self, path: str, content: bytes) -> str:
        url = self._resolve_path(path)
        self.filesystem.makedirs(posixpath.dirname(url), exist_ok=True)
        self.filesystem.pipe_file(url, content)
        return url

    async def aget_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """`get_directory` for async code."""
        await run_sync_in_worker_thread(self._get, from_path, local_path)

    @async_dispatch(aget_directory)
    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:  # type: ignore[override]
        """Copy a folder.

        Args:
            from_path: A folder below the base path; the base path itself by default.
            local_path: The folder that gets the content; the working directory by default.

        Raises:
            ValueError: The path leads out of the base path.
        """
        self._get(from_path, local_path)

    def _get(self, from_path: str | None, local_path: str | None) -> None:
        target = Path(local_path or ".").absolute()
        root = str(self.filesystem._strip_protocol(self._resolve_path(from_path or ""))).rstrip("/")
        for found in self.filesystem.find(root):
            file = target / posixpath.relpath(found, root)
            file.parent.mkdir(parents=True, exist_ok=True)
            self.filesystem.get_file(found, str(file))

    async def aput_directory(
        self,
        local_path: str | None = None,
        to_path: str | None = None,
        ignore_file: str | None = None,
        overwrite: bool = True,
    ) -> int:
        """`put_directory` for async code."""
        return await run_sync_in_worker_thread(self._put, local_path, to_path, ignore_file, overwrite)

    @async_dispatch(aput_directory)
    def put_directory(  # type: ignore[override]
        self,
        local_path: str | None = None,
        to_path: str | None = None,
        ignore_file: str | None = None,
        overwrite: bool = True,
    ) -> int:
        """Copy a folder to this place.

        Args:
            local_path: The folder; the working directory by default.
            to_path: A folder below the base path that gets the content; the base path itself by default.
            ignore_file: A file as `.gitignore`, which names what is left out.
            overwrite: Replace files that are there. Otherwise they stay as they are.

        Returns:
            How many files were copied.

        Raises:
            ValueError: `to_path` leads out of the base path.
        """
        return self._put(local_path, to_path, ignore_file, overwrite)

    def _put(self, local_path: str | None, to_path: str | None, ignore_file: str | None, overwrite: bool) -> int:
        source = Path(local_path or ".").absolute()
        patterns = Path(ignore_file).read_text(encoding="utf-8").splitlines() if ignore_file else None
        target = self._resolve_path(to_path or "").rstrip("/")
        copied = 0
        for relative in _file_trees.files_in(source, patterns):
            url = f"{target}/{relative}"
            if not overwrite and self.filesystem.exists(url):
                continue
            self.filesystem.makedirs(posixpath.dirname(url), exist_ok=True)
            self.filesystem.put_file(str(source / relative), url)
            copied += 1
        return copied


class SMB(WritableFileSystem, WritableDeploymentStorage):
    """Files on a Windows network share. Needs the package `smbprotocol`.

    Example:
        Load a network share:
        ```python
        from prefect.filesystems import SMB

        smb_block = SMB.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "SMB"
    _block_type_slug = "smb"

    share_path: str = Field(
        default=..., description="The share, followed by a folder in it.", examples=["/SHARE/dir/subdir"]
    )
    smb_username: SecretStr | None = Field(default=None, title="SMB Username", description="Who may use the share.")
    smb_password: SecretStr | None = Field(default=None, title="SMB Password", description="The password of that user.")
    smb_host: str = Field(default=..., title="SMB server/hostname", description="The server that has the share.")
    smb_port: int | None = Field(default=None, title="SMB port", description="The server's port; 445 by default.")

    _remote: RemoteFileSystem | None = PrivateAttr(default=None)

    @property
    def basepath(self) -> str:
        """The URL of the share."""
        return f"smb://{self.smb_host.rstrip('/')}/{self.share_path.lstrip('/')}"

    @property
    def filesystem(self) -> RemoteFileSystem:
        """The share as a remote file system."""
        if self._remote is None:
            settings = {
                "username": self.smb_username.get_secret_value() if self.smb_username else None,
                "password": self.smb_password.get_secret_value() if self.smb_password else None,
                "host": self.smb_host,
                "port": self.smb_port,
            }
            given = {key: value for key, value in settings.items() if value is not None}
            self._remote = RemoteFileSystem(basepath=self.basepath, settings=given)
        return self._remote

    async def aread_path(self, path: str) -> bytes:
        """`read_path` for async code."""
        return await self.filesystem.aread_path(path)

    @async_dispatch(aread_path)
    def read_path(self, path: str) -> bytes:  # type: ignore[override]
        """The content of a file; see `RemoteFileSystem.read_path`."""
        return self.filesystem._read(path)

    async def awrite_path(self, path: str, content: bytes) -> str:
        """`write_path` for async code."""
        return await self.filesystem.awrite_path(path, content)

    @async_dispatch(awrite_path)
    def write_path(self, path: str, content: bytes) -> str:  # type: ignore[override]
        """Write a file; see `RemoteFileSystem.write_path`."""
        return self.filesystem._write(path, content)

    async def aget_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:
        """`get_directory` for async code."""
        await self.filesystem.aget_directory(from_path, local_path)

    @async_dispatch(aget_directory)
    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> None:  # type: ignore[override]
        """Copy a folder from the share; see `RemoteFileSystem.get_directory`."""
        self.filesystem._get(from_path, local_path)

    async def aput_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """`put_directory` for async code."""
        return await self.filesystem.aput_directory(local_path, to_path, ignore_file)

    @async_dispatch(aput_directory)
    def put_directory(  # type: ignore[override]
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """Copy a folder to the share; see `RemoteFileSystem.put_directory`."""
        return self.filesystem._put(local_path, to_path, ignore_file, True)


for _cls in (RemoteFileSystem, SMB):
    _cls.__module__ = "prefect.filesystems"
