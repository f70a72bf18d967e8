"""Places of flow code besides git repositories: file systems of fsspec, storage blocks, folders of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from prefect._code_storage.placeholders import with_block_placeholders
from prefect.blocks.core import Block
from prefect.filesystems import ReadableDeploymentStorage, WritableDeploymentStorage
from prefect.utilities.asyncutils import run_sync_in_worker_thread

_DRIVERS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
"""The packages that fsspec needs for a scheme."""


@runtime_checkable
class RunnerStorage(Protocol):
    """A place that flow code is taken from."""

    def set_base_path(self, path: Path) -> None:
        """Set the folder that the code is put into."""
        ...

    @property
    def pull_interval(self) -> int | None:
        """Seconds after which whoever runs the code looks for changes; None: never."""
        ...

    @property
    def destination(self) -> Path:
        """The folder that has the code once it is pulled."""
        ...

    async def pull_code(self) -> None:
        """Bring the code in `destination` up to date."""
        ...

    def to_pull_step(self) -> dict[str, Any] | list[dict[str, Any]]:
        """The steps that fetch the code where a deployment runs."""
        ...

    def __eq__(self, other: object) -> bool: ...


class RemoteStorage:
    """Code on any file system that fsspec knows, such as an object store.

    Args:
        url: The folder, such as `s3://bucket/path`.
        pull_interval: Seconds after which whoever runs the code looks for changes; None: never.
        **settings: Passed to fsspec; blocks stand for their values.
    """

    def __init__(self, url: str, pull_interval: int | None = 60, **settings: Any) -> None:
        self._url = url
        self._pull_interval = pull_interval
        self._settings = settings
        self._base_path = Path.cwd()

    @property
    def destination(self) -> Path:
        """The folder that has the code once it is pulled."""
        parts = urlsplit(self._url)
        return self._base_path / parts.netloc.rpartition("@")[2] / parts.path.strip("/")

    @property
    def pull_interval(self) -> int | None:
        """Seconds after which whoever runs the code looks for changes; None: never."""
        return self._pull_interval

    def set_base_path(self, path: Path) -> None:
        """Set the folder that the code is put into; the working directory unless set."""
        self._base_path = path

    async def pull_code(self) -> None:
        """Copy the folder.

        Raises:
            RuntimeError: It cannot be copied; the cause tells why.
        """
        try:
            await run_sync_in_worker_thread(self._copy)
        except Exception as error:  # each of fsspec's file systems has errors of its own
            raise RuntimeError(
                f"Failed to pull contents from remote storage {self._url!r} to {str(self.destination)!r}: {error}"
            ) from error

    def _copy(self) -> None:
        import fsspec  # noqa: PLC0415 - costs 60 ms, and most code is not there

        scheme = urlsplit(self._url).scheme
        file_system: Any = fsspec.filesystem(scheme, **_block_values(self._settings))
        source = str(file_system._strip_protocol(self._url)).rstrip("/")
        found = file_system.find(source)
        if not found:
            raise FileNotFoundError(f"There are no files in {self._url!r}.")
        for file in found:
            target = self.destination / str(file)[len(source) :].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            file_system.get_file(file, str(target))

    def to_pull_step(self) -> dict[str, Any]:
        """The step that copies the folder where a deployment runs.

        Raises:
            BlockNotSavedError: A setting is a block that was never saved.
        """
        step = {"url": self._url, **with_block_placeholders(self._settings)}
        driver = _DRIVERS.get(urlsplit(self._url).scheme)
        if driver:
            step["requires"] = driver
        return {"prefect.deployments.steps.pull_from_remote_storage": step}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemoteStorage):
            return False
        return (self._url, self._settings) == (other._url, other._settings)

    def __repr__(self) -> str:
        return f"RemoteStorage(url={self._url!r})"


class BlockStorageAdapter:
    """Code in a place that a block knows.

    Args:
        block: A block with `get_directory`.
        pull_interval: Seconds after which whoever runs the code looks for changes; None: never.

    Raises:
        TypeError: It is no block.
        ValueError: The block cannot give a folder.
    """

    def __init__(
        self, block: ReadableDeploymentStorage | WritableDeploymentStorage, pull_interval: int | None = 60
    ) -> None:
        if not isinstance(block, Block):
            raise TypeError(f"Expected a block object. Received a {type(block).__name__!r} object.")
        if not hasattr(block, "get_directory"):
            raise ValueError(f"Provided block must have a `get_directory` method; {type(block).__name__!r} has none.")
        self._block = block
        self._pull_interval = pull_interval
        self._base_path = Path.cwd()

    @property
    def destination(self) -> Path:
        """The folder that has the code once it is pulled."""
        return self._base_path / f"{self._block.get_block_type_slug()}-{self._block._block_document_name}"

    @property
    def pull_interval(self) -> int | None:
        """Seconds after which whoever runs the code looks for changes; None: never."""
        return self._pull_interval

    def set_base_path(self, path: Path) -> None:
        """Set the folder that the code is put into; the working directory unless set."""
        self._base_path = path

    async def pull_code(self) -> None:
        """Empty the folder, and have the block fill it."""
        await run_sync_in_worker_thread(_empty, self.destination)
        found: Any = self._block.get_directory(local_path=str(self.destination))
        if hasattr(found, "__await__"):
            await found

    def to_pull_step(self) -> dict[str, Any]:
        """The step that has the block fetch the folder where a deployment runs.

        Raises:
            BlockNotSavedError: The block was never saved.
        """
        of_block: Any = getattr(self._block, "get_pull_step", None)
        if of_block is not None:
            return of_block()
        self._block.get_block_placeholder()
        return {
            "prefect.deployments.steps.pull_with_block": {
                "block_type_slug": self._block.get_block_type_slug(),
                "block_document_name": self._block._block_document_name,
            }
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlockStorageAdapter) and self._block == other._block

    def __repr__(self) -> str:
        return f"BlockStorageAdapter(block={self._block.get_block_type_slug()}/{self._block._block_document_name})"


class LocalStorage:
    """Code in a folder of this machine, which stays where it is.

    Args:
        path: The folder; `~` is the home folder.
        pull_interval: Without effect: nothing is pulled.
    """

    def __init__(self, path: str, pull_interval: int | None = None) -> None:
        self._path = Path(path).expanduser().resolve()
        self._pull_interval = pull_interval

    @property
    def destination(self) -> Path:
        """The folder."""
        return self._path

    @property
    def pull_interval(self) -> int | None:
        """Seconds between pulls, which do nothing."""
        return self._pull_interval

    def set_base_path(self, path: Path) -> None:
        """Nothing: the code stays where it is."""

    async def pull_code(self) -> None:
        """Nothing: the code is there."""

    def to_pull_step(self) -> dict[str, Any]:
        """The step that makes the folder the working directory where a deployment runs."""
        return {"prefect.deployments.steps.set_working_directory": {"directory": str(self._path)}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalStorage) and self._path == other._path

    def __repr__(self) -> str:
        return f"LocalStorage(path={self._path!r})"


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _block_values(value: Any) -> Any:
    if isinstance(value, Block):
        get: Any = getattr(value, "get", None)
        return get() if get is not None else value.model_dump(context={"include_secrets": True})
    if isinstance(value, dict):
        return {key: _block_values(each) for key, each in value.items()}
    return [_block_values(each) for each in value] if isinstance(value, list) else value
