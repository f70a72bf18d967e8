"""Runs git so that it never asks, never shows a password, and says what to do when it fails."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from subprocess import DEVNULL
from urllib.parse import urlsplit

import anyio

from prefect._code_storage.git_login import GitLogin
from prefect._internal.urls import strip_auth_from_urls_in_text

_USERNAME, _PASSWORD = "PREFECT__GIT_USERNAME", "PREFECT__GIT_PASSWORD"

# git runs this in its own shell, where it asks for credentials. They are neither in an argument, which others on the
# machine can see, nor in the configuration that a clone keeps.
_HELPER = f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${_USERNAME}" "${_PASSWORD}"; }}; f'

_LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
"""Set where git itself runs us, as in a hook. They would lead our commands to that repository."""

_NO_BRANCH = "Check the branch: the repository has none of that name."
_NO_COMMIT = "Check the commit: the repository has none such."
_HINTS = (
    (
        r"terminal prompts disabled|authentication failed|could not read (username|password)|permission denied|\b403\b",
        "Check the credentials: the server refused them, or wants some and got none.",
    ),
    (r"remote branch .* not found|couldn't find remote ref", _NO_BRANCH),
    (r"not our ref|did not match any|unadvertised object|bad object", _NO_COMMIT),
    (
        r"could not resolve host|could not connect|failed to connect|timed out|connection refused|unreachable",
        "Check the network, and the host in the URL.",
    ),
    (r"certificate", "Check the server's certificate; GIT_SSL_CAINFO names a file of authorities to trust."),
    (
        r"not found|does not appear to be a git repository|does not exist",
        "Check the URL, and that you have access: servers call a private repository missing.",
    ),
)


class GitError(RuntimeError):
    """A git command failed; the message holds no credentials.

    Attributes:
        exit_code: What git exited with.
        is_passing: Whether the same command may work a little later.
    """

    def __init__(self, message: str, exit_code: int, is_passing: bool = True) -> None:
        self.exit_code = exit_code
        self.is_passing = is_passing
        super().__init__(message)


async def run_git(
    *arguments: str, cwd: Path | None = None, url: str | None = None, login: GitLogin | None = None, doing: str
) -> str:
    """Run a git command and return what it prints.

    Args:
        *arguments: Of git.
        cwd: The working tree; the working directory by default.
        url: The repository's URL, without credentials; they are offered to its host only.
        login: The credentials.
        doing: What it is for, as the message of a failure begins: "clone repository 'https://…'".

    Raises:
        GitError: git exited with another code than 0.
        RuntimeError: There is no git.
    """
    git = shutil.which("git")
    if git is None:
        raise RuntimeError(f"Failed to {doing}: git was not found on the PATH. Install it.")
    environment = _environment(cwd, url, login)
    done = await anyio.run_process([git, *arguments], cwd=cwd, env=environment, stdin=DEVNULL, check=False)
    if done.returncode:
        said = strip_auth_from_urls_in_text(done.stderr.decode(errors="replace"), login.secrets if login else None)
        hint = next((hint for pattern, hint in _HINTS if re.search(pattern, said, re.IGNORECASE)), "")
        message = _message(doing, done.returncode, said, hint)
        raise GitError(message, done.returncode, is_passing=hint not in (_NO_BRANCH, _NO_COMMIT))
    return done.stdout.decode(errors="replace").strip()


def _environment(cwd: Path | None, url: str | None, login: GitLogin | None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in _LOCAL_VARIABLES}
    env.setdefault("GIT_TERMINAL_PROMPT", "0")
    # The hints know git's English.
    env["LC_ALL"] = "C"
    if cwd is not None:
        # A damaged clone must not lead to the repository that it happens to lie in.
        env["GIT_CEILING_DIRECTORIES"] = str(cwd.resolve().parent)
    if url is not None and login is not None:
        parts = urlsplit(url)
        scope = f"credential.{parts.scheme}://{parts.netloc}"
        # An empty helper forgets those of this machine, which may know somebody else.
        first = (f"{scope}.helper", "") if login.is_complete else (f"{scope}.username", login.username)
        _configure(env, [first, (f"{scope}.helper", _HELPER)])
        env |= {_USERNAME: login.username, _PASSWORD: login.password}
    return env


def _configure(env: dict[str, str], entries: list[tuple[str, str]]) -> None:
    start = int(env.get("GIT_CONFIG_COUNT") or 0)
    for number, (key, value) in enumerate(entries, start):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    env["GIT_CONFIG_COUNT"] = str(start + len(entries))


def _message(doing: str, exit_code: int, said: str, hint: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("Cloning into")]
    return " ".join(filter(None, [f"Failed to {doing} with exit code {exit_code}:", " | ".join(lines), hint]))
