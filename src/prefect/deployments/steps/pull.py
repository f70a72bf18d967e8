"""Steps that bring code to where a flow run needs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect._code_storage.git_commands import GitError
from prefect._code_storage.git_repository import GitRepository
from prefect._code_storage.origin import find_folder
from prefect._code_storage.places import BlockStorageAdapter, RemoteStorage, RunnerStorage
from prefect._compat.dispatch import async_dispatch
from prefect._internal.retries import retry_async_fn
from prefect.blocks.core import Block
from prefect.utilities.asyncutils import run_coro_as_sync

__all__ = ["agit_clone", "git_clone", "pull_from_remote_storage", "pull_with_block", "set_working_directory"]


def set_working_directory(directory: str) -> dict[str, str]:
    """Make a folder the working directory; for code that is there already, as in a container image.

    Args:
        directory: The folder; `~` is the home folder. In a place that was made for one flow run, a folder that is not
            there is looked for where the command was given.

    Returns:
        `directory`: the absolute path.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    os.chdir(find_folder(directory))
    return {"directory": str(Path.cwd())}


async def agit_clone(
    repository: str,
    branch: str | None = None,
    commit_sha: str | None = None,
    include_submodules: bool = False,
    access_token: str | None = None,
    credentials: Block | None = None,
    directories: list[str] | None = None,
    clone_directory_name: str | None = None,
) -> dict[str, str]:
    """`git_clone` for async code."""
    if access_token and credentials:
        raise ValueError("Please provide either an access token or credentials but not both.")
    storage = GitRepository(
        url=repository,
        credentials={"access_token": access_token} if access_token else credentials,
        name=clone_directory_name,
        branch=branch,
        commit_sha=commit_sha,
        include_submodules=include_submodules,
        directories=directories,
    )
    await _clone(storage)
    return {"directory": _from_here(storage)}


async def _clone(storage: GitRepository) -> None:
    @retry_async_fn(
        max_attempts=3, base_delay=1, max_delay=10, retry_on_exceptions=(GitError,), operation_name="git_clone"
    )
    async def attempt() -> GitError | None:
        try:
            await storage.pull_code()
        except GitError as error:
            if error.is_passing:
                raise
            return error
        return None

    final = await attempt()
    if final is not None:
        raise final


@async_dispatch(agit_clone)
def git_clone(
    repository: str,
    branch: str | None = None,
    commit_sha: str | None = None,
    include_submodules: bool = False,
    access_token: str | None = None,
    credentials: Block | None = None,
    directories: list[str] | None = None,
    clone_directory_name: str | None = None,
) -> dict[str, str]:
    """Clone a git repository into the working directory, or bring the clone that is there up to date.

    What fails and may pass, as a network that is away, is tried three times.

    Args:
        repository: Its URL.
        branch: A branch or tag; the default branch unless given.
        commit_sha: A commit, in the place of a branch.
        include_submodules: Check out the submodules too.
        access_token: A token for a repository that wants one, as `{{ prefect.blocks.secret.name }}`.
        credentials: A block or mapping with a token, in the place of `access_token`.
        directories: Check out only these folders, and the files at the top.
        clone_directory_name: The folder of the clone; the repository's name by default, with the branch's.

    Returns:
        `directory`: the folder of the clone, relative to the working directory.

    Raises:
        RuntimeError: git failed; the message says how, without credentials.
        ValueError: The arguments contradict each other, or the folder holds something else.
    """
    return run_coro_as_sync(
        agit_clone(
            repository,
            branch=branch,
            commit_sha=commit_sha,
            include_submodules=include_submodules,
            access_token=access_token,
            credentials=credentials,
            directories=directories,
            clone_directory_name=clone_directory_name,
        )
    )


async def pull_from_remote_storage(url: str, **settings: Any) -> dict[str, Any]:
    """Copy a folder from a place that fsspec can reach into the working directory.

    Args:
        url: The folder, such as `s3://bucket/path`.
        **settings: Passed to fsspec.

    Returns:
        `directory`: the folder of the copy, relative to the working directory.

    Raises:
        RuntimeError: It cannot be copied; the cause tells why.
    """
    storage = RemoteStorage(url, **settings)
    await storage.pull_code()
    return {"directory": _from_here(storage)}


async def pull_with_block(block_document_name: str, block_type_slug: str) -> dict[str, Any]:
    """Have a storage block copy its folder into the working directory.

    Args:
        block_document_name: The name of the block.
        block_type_slug: Its type.

    Returns:
        `directory`: the folder of the copy, relative to the working directory.

    Raises:
        ValueError: There is no such block, or it holds no folder.
    """
    full_name = f"{block_type_slug}/{block_document_name}"
    try:
        block: Any = await Block.aload(full_name)
    except ValueError as error:
        raise ValueError(
            f"Unable to find block document named {block_document_name} for block type {block_type_slug}. Check that it "
            "exists on the server that runs this, and that its package is installed."
        ) from error
    storage = BlockStorageAdapter(block)
    await storage.pull_code()
    return {"directory": _from_here(storage)}


def _from_here(storage: RunnerStorage) -> str:
    return str(storage.destination.relative_to(Path.cwd()))
