"""The block that keeps files in Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from typing_extensions import Self

from prefect._compat.dispatch import async_dispatch
from prefect.filesystems import WritableFileSystem
from prefect.utilities.asyncutils import run_sync_in_worker_thread

__all__ = ["RedisStorageContainer"]


class RedisStorageContainer(WritableFileSystem):
    """Files in a Redis database, such as results of tasks. Needs the package `redis`.

    Example:
        Make one, and store it:
        ```python
        from prefect.blocks.redis import RedisStorageContainer

        block = RedisStorageContainer.from_host("localhost", username="prefect", password="prefect")
        block.save("BLOCK_NAME")
        ```
    """

    _block_type_name = "RedisStorageContainer"
    _block_type_slug = "redisstoragecontainer"

    host: str | None = Field(default=None, description="The host of the server.")
    port: int = Field(default=6379, description="The port of the server.")
    db: int = Field(default=0, description="The number of the database.")
    username: SecretStr | None = Field(default=None, description="Who may use the database.")
    password: SecretStr | None = Field(default=None, description="The password of that user.")
    connection_string: SecretStr | None = Field(
        default=None, description="A URL such as redis://user:password@host:6379/0, instead of the other fields."
    )

    def block_initialization(self) -> None:
        """Check that the server is named."""
        if self.connection_string or self.host:
            return
        raise ValueError("The Redis server is not named: give `host`, or a whole `connection_string`.")

    @classmethod
    def from_host(
        cls,
        host: str,
        port: int = 6379,
        db: int = 0,
        username: SecretStr | str | None = None,
        password: SecretStr | str | None = None,
    ) -> Self:
        """A block for a server."""
        return cls.model_validate({"host": host, "port": port, "db": db, "username": username, "password": password})

    @classmethod
    def from_connection_string(cls, connection_string: SecretStr | str) -> Self:
        """A block for a URL such as `redis://user:password@host:6379/0`."""
        return cls.model_validate({"connection_string": connection_string})

    def _client(self) -> Any:
        try:
            import redis  # type: ignore[import-not-found]  # noqa: PLC0415 - optional
        except ImportError as error:
            raise RuntimeError("RedisStorageContainer needs the package `redis`: pip install redis") from error
        if self.connection_string is not None:
            return redis.Redis.from_url(self.connection_string.get_secret_value())
        return redis.Redis(
            host=self.host,
            port=self.port,
            db=self.db,
            username=self.username.get_secret_value() if self.username else None,
            password=self.password.get_secret_value() if self.password else None,
        )

    def _read(self, path: Path | str) -> bytes | None:
        with self._client() as client:
            return client.get(str(path))

    def _write(self, path: Path | str, content: bytes) -> bool:
        with self._client() as client:
            return bool(client.set(str(path), content))

    async def aread_path(self, path: Path | str) -> bytes | None:
        """`read_path` for async code."""
        return await run_sync_in_worker_thread(self._read, path)

    @async_dispatch(aread_path)
    def read_path(self, path: Path | str) -> bytes | None:  # type: ignore[override]
        """The content that is stored under a key, or None."""
        return self._read(path)

    async def awrite_path(self, path: Path | str, content: bytes) -> bool:
        """`write_path` for async code."""
        return await run_sync_in_worker_thread(self._write, path, content)

    @async_dispatch(awrite_path)
    def write_path(self, path: Path | str, content: bytes) -> bool:  # type: ignore[override]
        """Store content under a key; gives whether it was stored."""
        return self._write(path, content)
