"""Chooses the kind of storage that a text names."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import url2pathname

from prefect._code_storage.git_repository import GitRepository
from prefect._code_storage.places import LocalStorage, RemoteStorage, RunnerStorage


def create_storage_from_source(source: str, pull_interval: int | None = 60) -> RunnerStorage:
    """Make a storage of a text: a git repository, a folder that fsspec can reach, or a local folder.

    Args:
        source: A URL that ends in `.git` or begins with `git://`; a URL of another scheme that fsspec knows, such as
            `s3://`; or a path, which may begin with `file://`.
        pull_interval: Seconds after which whoever runs the code looks for changes; None: never.

    Raises:
        ValueError: Nothing is known of the URL's scheme.
    """
    parts = urlsplit(source)
    if parts.scheme == "git" or parts.path.endswith(".git"):
        return GitRepository(url=source, pull_interval=pull_interval)
    if parts.scheme in ("file", "local"):
        return LocalStorage(path=parts.netloc + url2pathname(parts.path), pull_interval=pull_interval)
    if "://" not in source:
        return LocalStorage(path=source, pull_interval=pull_interval)
    from fsspec import available_protocols  # noqa: PLC0415 - costs 60 ms, and most code is not there

    if parts.scheme in available_protocols():
        return RemoteStorage(url=source, pull_interval=pull_interval)
    raise ValueError(
        f"Nothing is known of the scheme {parts.scheme!r} of {source!r}. Expected the URL of a git repository, which "
        "ends in '.git'; a URL for fsspec, such as 's3://bucket/folder'; or a path."
    )
