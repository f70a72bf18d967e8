"""Keeps a checkout of a git repository at the state that is wanted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prefect._code_storage.file_lock import file_lock
from prefect._code_storage.git_commands import GitError, run_git
from prefect._code_storage.git_login import TOKEN_FIELDS, GitCredentials, GitLogin, find_login, split_login
from prefect._code_storage.placeholders import with_block_placeholders
from prefect.blocks.core import Block
from prefect.logging.loggers import get_logger
from prefect.utilities.asyncutils import run_sync_in_worker_thread

_VERBS = {"clone": "clone", "submodule": "check out submodules of"}
"""What git commands do, for messages."""

_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")


class GitRepository:
    """Code in a git repository.

    Args:
        url: Where the repository is; whatever git understands.
        credentials: A mapping or block with a `token`, `access_token` or `password`, and perhaps a `username`; used for
            URLs over HTTPS. Commands, error messages and the clone's configuration never hold them.
        name: The folder of the checkout; the repository's name by default, with the branch's.
        branch: A branch or tag; the repository's default branch unless given.
        commit_sha: A commit, as 4 to 64 hexadecimal digits. Not together with `branch`.
        include_submodules: Check out the submodules too.
        pull_interval: Seconds after which whoever runs the code looks for changes; None: never.
        directories: Check out only these folders, and the files at the top.

    Raises:
        ValueError: The arguments contradict each other, or cannot be what they should be.
    """

    def __init__(
        self,
        url: str,
        credentials: GitCredentials | Block | dict[str, Any] | None = None,
        name: str | None = None,
        branch: str | None = None,
        commit_sha: str | None = None,
        include_submodules: bool = False,
        pull_interval: int | None = 60,
        directories: list[str] | None = None,
    ) -> None:
        _check(credentials, branch, commit_sha)
        self._given_url = url
        self._url, self._login_of_url = split_login(url)
        self._credentials = credentials
        self._branch = branch
        self._commit_sha = commit_sha
        self._include_submodules = include_submodules
        self._pull_interval = pull_interval
        self._directories = directories
        self._has_own_name = name is not None
        self._name = name or _name_of(self._url, branch)
        self._base_path = Path.cwd()
        self._logger = get_logger(f"runner.storage.git-repository.{self._name}")

    # --- what it is ---

    @property
    def destination(self) -> Path:
        """The folder of the checkout."""
        return self._base_path / self._name

    @property
    def pull_interval(self) -> int | None:
        """Seconds after which whoever runs the code looks for changes; None: never."""
        return self._pull_interval

    def set_base_path(self, path: Path) -> None:
        """Set the folder that the checkout is put into; the working directory unless set."""
        self._base_path = path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GitRepository) and self._identity() == other._identity()

    def _identity(self) -> tuple[Any, ...]:
        chosen = (self._branch, self._commit_sha, self._directories, self._include_submodules)
        return (self._url, self._name, *chosen)

    def __repr__(self) -> str:
        chosen = f"commit_sha={self._commit_sha!r}" if self._commit_sha else f"branch={self._branch!r}"
        return f"GitRepository(name={self._name!r} repository={self._url!r}, {chosen})"

    def to_pull_step(self) -> dict[str, Any]:
        """The step that clones this repository where a deployment runs.

        Raises:
            ValueError: The credentials are in clear; what is deployed names blocks.
            BlockNotSavedError: They are in a block that was never saved.
        """
        step: dict[str, Any] = {"repository": self._given_url, "branch": self._branch}
        if self._commit_sha:
            step["commit_sha"] = self._commit_sha
        if self._directories:
            step["directories"] = self._directories
        if self._include_submodules:
            step["include_submodules"] = True
        if self._has_own_name:
            step["clone_directory_name"] = self._name
        if self._login_of_url is not None:
            self._logger.warning(
                "The URL of %r holds credentials, which are stored in clear with the deployment. Use `credentials` with "
                "a saved block instead.",
                self,
            )
        if self._credentials is not None:
            step["credentials"] = _deployable(self._credentials)
        return {"prefect.deployments.steps.git_clone": step}

    # --- how the checkout is ---

    async def is_sparsely_checked_out(self) -> bool:
        """Whether the checkout holds some folders only."""
        return await self._asked("config", "--get", "core.sparseCheckout") == "true"

    async def is_shallow_clone(self) -> bool:
        """Whether the checkout lacks the history."""
        return await self._asked("rev-parse", "--is-shallow-repository") == "true"

    async def is_current_commit(self) -> bool:
        """Whether the checkout is at the commit that is wanted; False if no commit is."""
        if not self._commit_sha:
            return False
        here = await self._asked("rev-parse", "--verify", "--quiet", "HEAD")
        return bool(here) and here == await self._find_commit(self.destination)

    async def _asked(self, *arguments: str) -> str:
        """What git says of the checkout; nothing if it cannot say."""
        try:
            return await self._git(*arguments, cwd=self.destination, doing=f"look at {str(self.destination)!r}")
        except GitError:
            return ""

    # --- pulling ---

    async def pull_code(self) -> None:
        """Bring the checkout to the state that is wanted: clone, or fetch what is new. One process at a time does.

        What was changed in the checkout's own files is undone. A checkout that git cannot mend is replaced; as long as
        no new one can be made, the old one stays.

        Raises:
            RuntimeError: git failed; the message says how, without credentials.
            ValueError: The folder holds something else, or the credentials do not suffice.
        """
        login = find_login(self._url, self._credentials, self._login_of_url)
        async with file_lock(self._beside("lock")):
            if not (self.destination / ".git").exists():
                await self._clone(login)
                return
            await self._refuse_another_origin()
            try:
                await self._update(login)
            except GitError as error:
                self._logger.warning("%s Cloning it anew.", error)
                await self._clone(login)

    def _beside(self, suffix: str) -> Path:
        return self.destination.with_name(f".{self._name}.{suffix}")

    async def _refuse_another_origin(self) -> None:
        origin = await self._asked("config", "--get", "remote.origin.url")
        # A damaged clone does not know its origin.
        if not origin:
            return
        if split_login(origin)[0] != self._url:
            raise ValueError(
                f"The folder {str(self.destination)!r} is a clone of {split_login(origin)[0]!r}, not of {self._url!r}. "
                "Give this repository another `name`, or remove the folder."
            )
        if origin != self._url:
            # Left by a program that keeps credentials there.
            await self._git("remote", "set-url", "origin", self._url, cwd=self.destination, doing="forget credentials")

    async def _update(self, login: GitLogin | None) -> None:
        if await self.is_current_commit():
            self._logger.debug("Commit %s is checked out already.", self._commit_sha)
            return
        await self._select_directories(self.destination, login)
        if self._commit_sha:
            await self._check_out_commit(self.destination, login)
        else:
            depth = ["--depth", "1"] if await self.is_shallow_clone() else []
            fetch = ["fetch", *depth, "--no-tags", "--no-recurse-submodules", "origin", self._branch or "HEAD"]
            await self._git(*fetch, cwd=self.destination, login=login)
            await self._git("reset", "--hard", "FETCH_HEAD", cwd=self.destination, login=login)
        await self._update_submodules(self.destination, login)

    async def _clone(self, login: GitLogin | None) -> None:
        """Clone beside the checkout and put the clone into its place, so that none is ever half made."""
        self._refuse_foreign_files()
        new, old = self._beside("incoming"), self._beside("outgoing")
        for left in (new, old):
            await _remove(left)
        self._logger.debug("Cloning %r.", self)
        try:
            await self._clone_into(new, login)
            if self.destination.exists():
                self.destination.rename(old)
            new.rename(self.destination)
        finally:
            await _remove(new)
            await _remove(old)

    def _refuse_foreign_files(self) -> None:
        there = self.destination
        if (there / ".git").exists() or not there.exists():
            return
        if not there.is_dir() or any(there.iterdir()):
            raise ValueError(
                f"Cannot clone {self._url!r} into {str(there)!r}: there is something else already. Remove it, or give "
                "the repository another `name`."
            )

    async def _clone_into(self, folder: Path, login: GitLogin | None) -> None:
        options = ["--sparse"] if self._directories else []
        if self._commit_sha:
            options += ["--filter=blob:none", "--no-checkout"]
        else:
            options += ["--depth", "1", *(["--branch", self._branch] if self._branch else [])]
        await self._git("clone", *options, "--", self._url, str(folder), login=login)
        if self._commit_sha:
            await self._check_out_commit(folder, login)
        await self._select_directories(folder, login)
        await self._update_submodules(folder, login)

    async def _find_commit(self, folder: Path) -> str:
        """The whole name of the commit that is wanted; nothing if the clone does not have it."""
        name = f"{self._commit_sha}^{{commit}}"
        try:
            return await self._git("rev-parse", "--verify", "--quiet", name, cwd=folder)
        except GitError:
            return ""

    async def _check_out_commit(self, folder: Path, login: GitLogin | None) -> None:
        wanted = str(self._commit_sha)
        if not await self._find_commit(folder):
            # Servers give commits that no branch leads to, if asked by their whole name.
            await self._git("fetch", "origin", wanted, cwd=folder, login=login)
        commit = await self._find_commit(folder) or wanted
        await self._git("checkout", "--force", "--detach", commit, cwd=folder, login=login)

    async def _select_directories(self, folder: Path, login: GitLogin | None) -> None:
        if self._directories:
            await self._git("sparse-checkout", "set", "--", *self._directories, cwd=folder, login=login)
        elif folder == self.destination and await self.is_sparsely_checked_out():
            await self._git("sparse-checkout", "disable", cwd=folder, login=login)

    async def _update_submodules(self, folder: Path, login: GitLogin | None) -> None:
        if self._include_submodules:
            await self._git("submodule", "sync", "--recursive", cwd=folder, login=login)
            update = ["submodule", "update", "--init", "--recursive", "--force", "--depth", "1"]
            await self._git(*update, cwd=folder, login=login)

    async def _git(
        self, *arguments: str, cwd: Path | None = None, login: GitLogin | None = None, doing: str | None = None
    ) -> str:
        verb = _VERBS.get(arguments[0], "update the clone of")
        doing = doing or f"{verb} repository {self._url!r}"
        return await run_git(*arguments, cwd=cwd, url=self._url, login=login, doing=doing)


def _check(credentials: Any, branch: str | None, commit_sha: str | None) -> None:
    if isinstance(credentials, Mapping) and credentials.get("username"):
        if not any(credentials.get(name) for name in TOKEN_FIELDS):
            raise ValueError("If a username is provided, an access token or password must also be provided.")
    if branch and commit_sha:
        raise ValueError(
            f"Cannot provide both a branch and a commit SHA: got {branch!r} and {commit_sha!r}. Provide one of them."
        )
    if branch and branch.startswith("-"):
        raise ValueError(f"Branch names cannot start with '-': got {branch!r}.")
    if commit_sha is not None and not _COMMIT.fullmatch(commit_sha):
        raise ValueError(
            f"Invalid commit SHA: {commit_sha!r}. Expected 4 to 64 hexadecimal digits; the name of a branch or tag "
            "goes into `branch`."
        )


def _name_of(url: str, branch: str | None) -> str:
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return f"{name}-{branch.replace('/', '-')}" if branch else name


def _deployable(credentials: Block | Mapping[str, Any]) -> Any:
    if isinstance(credentials, Mapping):
        for name in TOKEN_FIELDS:
            if credentials.get(name) and not isinstance(credentials[name], Block):
                raise ValueError(
                    f"The credentials hold their {name!r} in clear, and would be stored so with the deployment. Please "
                    "save it as a Secret block, and use the block in its place."
                )
    return with_block_placeholders(credentials)


async def _remove(folder: Path) -> None:
    await run_sync_in_worker_thread(_remove_tree, folder)


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
