"""What blocks of a kind have in common, whoever makes them: the interfaces that integration packages implement."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeAlias, TypeVar

from pydantic import PrivateAttr
from typing_extensions import Self

from prefect.blocks.core import Block
from prefect.exceptions import MissingContextError
from prefect.logging.loggers import LoggingAdapter, get_logger, get_run_logger

__all__ = [
    "CredentialsBlock",
    "DatabaseBlock",
    "JobBlock",
    "JobRun",
    "LoggerOrAdapter",
    "LoggingAdapter",
    "NotificationBlock",
    "NotificationError",
    "ObjectStorageBlock",
    "SecretBlock",
]

T = TypeVar("T")

LoggerOrAdapter: TypeAlias = "logging.Logger | LoggingAdapter"


def _logger_of(owner: Any) -> LoggerOrAdapter:
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger(type(owner).__name__)


class CredentialsBlock(Block, ABC):
    """What authenticates with a service."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    def get_client(self, *args: Any, **kwargs: Any) -> Any:
        """A client of the service, signed in."""


class NotificationError(Exception):
    """A notification was not delivered.

    Attributes:
        log: What was logged about it.
    """

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


class NotificationBlock(Block, ABC):
    """A way to tell people something."""

    _block_schema_capabilities = ["notify"]

    _raise_on_failure: bool = PrivateAttr(default=False)

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def notify(self, body: str, subject: str | None = None) -> None:
        """Send a message."""

    @contextmanager
    def raise_on_failure(self) -> Generator[None, None, None]:
        """Raise `NotificationError` in this block when a message is not delivered; otherwise that is only logged."""
        before = self._raise_on_failure
        self._raise_on_failure = True
        try:
            yield
        finally:
            self._raise_on_failure = before


class JobRun(ABC, Generic[T]):
    """One run of a job in another system."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def wait_for_completion(self) -> logging.Logger:
        """Wait until the job run has ended."""

    @abstractmethod
    async def fetch_result(self) -> T:
        """What the job run gave."""


class JobBlock(Block, ABC, Generic[T]):
    """A job in another system."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def trigger(self) -> JobRun[T]:
        """Start a run of the job."""


class DatabaseBlock(Block, ABC):
    """A database. As a context manager, if the class supports it, it keeps its connection for as long."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def fetch_one(
        self, operation: str, parameters: dict[str, Any] | None = None, **execution_kwargs: Any
    ) -> tuple[Any, ...]:
        """The first row of a query."""

    @abstractmethod
    async def fetch_many(
        self, operation: str, parameters: dict[str, Any] | None = None, size: int | None = None, **execution_kwargs: Any
    ) -> list[tuple[Any, ...]]:
        """At most `size` rows of a query."""

    @abstractmethod
    async def fetch_all(
        self, operation: str, parameters: dict[str, Any] | None = None, **execution_kwargs: Any
    ) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    @abstractmethod
    async def execute(self, operation: str, parameters: dict[str, Any] | None = None, **execution_kwargs: Any) -> None:
        """Run a statement that gives no rows."""

    @abstractmethod
    async def execute_many(
        self, operation: str, seq_of_parameters: list[dict[str, Any]], **execution_kwargs: Any
    ) -> None:
        """Run a statement once for each set of parameters."""

    async def __aenter__(self) -> Self:
        raise NotImplementedError(f"{type(self).__name__} does not support async context management.")

    async def __aexit__(self, *args: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support async context management.")

    def __enter__(self) -> Self:
        raise NotImplementedError(f"{type(self).__name__} does not support context management.")

    def __exit__(self, *args: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not support context management.")


class ObjectStorageBlock(Block, ABC):
    """A store of objects, such as a bucket."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def download_object_to_path(self, from_path: str, to_path: str | Path, **download_kwargs: Any) -> Path:
        """Copy an object to a file."""

    @abstractmethod
    async def download_object_to_file_object(
        self, from_path: str, to_file_object: BinaryIO, **download_kwargs: Any
    ) -> BinaryIO:
        """Copy an object to an open file."""

    @abstractmethod
    async def download_folder_to_path(self, from_folder: str, to_folder: str | Path, **download_kwargs: Any) -> Path:
        """Copy all objects below a prefix to a folder."""

    @abstractmethod
    async def upload_from_path(self, from_path: str | Path, to_path: str, **upload_kwargs: Any) -> str:
        """Copy a file to an object."""

    @abstractmethod
    async def upload_from_file_object(self, from_file_object: BinaryIO, to_path: str, **upload_kwargs: Any) -> str:
        """Copy an open file to an object."""

    @abstractmethod
    async def upload_from_folder(self, from_folder: str | Path, to_folder: str, **upload_kwargs: Any) -> str:
        """Copy all files of a folder to objects."""


class SecretBlock(Block, ABC):
    """A secret that another system keeps."""

    @property
    def logger(self) -> LoggerOrAdapter:
        """The logger of the current run; outside of runs one with the name of the class."""
        return _logger_of(self)

    @abstractmethod
    async def read_secret(self) -> bytes:
        """The secret."""

    @abstractmethod
    async def write_secret(self, secret_data: bytes) -> str:
        """Replace the secret; gives where it is."""
