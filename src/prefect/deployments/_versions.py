"""Finds out which version of the code is being deployed: from the variables of a CI system, or from git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from prefect.client.schemas.objects import VersionInfo

_SHORT = 8
_GIT_SECONDS = 10


class VersionType(str, Enum):
    """Where the version of a deployment is from."""

    SIMPLE = "prefect:simple"
    GITHUB = "vcs:github"
    GITLAB = "vcs:gitlab"
    BITBUCKET = "vcs:bitbucket"
    AZUREDEVOPS = "vcs:azuredevops"
    GIT = "vcs:git"


def infer_version_info(version: str | None, version_type: VersionType | None = None) -> VersionInfo:
    """What is known of the version of the code in the working directory.

    Args:
        version: The version that the user gave; by default the short name of the commit.
        version_type: Where to look only. By default the CI systems are tried in turn, then git.

    Returns:
        A version of the type `prefect:simple`, which may be empty, where nothing is known.
    """
    for kind, look in _SOURCES.items():
        if version_type in (None, kind) and (found := look()) is not None:
            found = {name: value for name, value in found.items() if value}
            return VersionInfo(type=kind.value, **{"version": version or found["commit_sha"][:_SHORT], **found})
    return simple_version_info(version)


def simple_version_info(version: str | None) -> VersionInfo:
    """A version that is nothing but a name."""
    return VersionInfo(type=VersionType.SIMPLE.value, version=version or "")


# -- CI systems --------------------------------------------------------------------------------------------------------


_CI_SYSTEMS = {
    VersionType.GITHUB: (
        ("GITHUB_SHA", "GITHUB_REF_NAME", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"),
        "{server}/{repository}/tree/{sha}",
    ),
    VersionType.GITLAB: (
        ("CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_PROJECT_NAME", "CI_PROJECT_URL"),
        "{server}/-/tree/{sha}",
    ),
    VersionType.BITBUCKET: (
        ("BITBUCKET_COMMIT", "BITBUCKET_BRANCH", "BITBUCKET_REPO_SLUG", "BITBUCKET_GIT_HTTP_ORIGIN"),
        "{server}/src/{sha}",
    ),
    VersionType.AZUREDEVOPS: (
        ("BUILD_SOURCEVERSION", "BUILD_SOURCEBRANCHNAME", "BUILD_REPOSITORY_NAME", "BUILD_REPOSITORY_URI"),
        "{server}?version=GC{sha}",
    ),
}
"""Which variables tell the commit, the branch, the repository and its address; and the address of the code."""


def _from_ci(kind: VersionType) -> dict[str, str] | None:
    names, url = _CI_SYSTEMS[kind]
    sha, branch, repository, server = (os.environ.get(name, "") for name in names)
    if not (sha and branch and repository and server):
        return None
    return _described(sha, branch, repository, url.format(server=server, repository=repository, sha=sha))


def _described(sha: str, branch: str, repository: str, url: str) -> dict[str, str]:
    return {
        "commit_sha": sha,
        "message": git_answer("log", "-1", "--pretty=%s", sha) or "",
        "branch": branch,
        "repository": repository,
        "url": without_credentials(url),
    }


# -- git ---------------------------------------------------------------------------------------------------------------


def _from_git() -> dict[str, str] | None:
    sha = git_answer("rev-parse", "HEAD")
    remote = sha and git_answer("remote", "get-url", "origin")
    if not sha or not remote:
        return None
    url = without_credentials(remote)
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    branch = git_answer("rev-parse", "--abbrev-ref", "HEAD") or ""
    return _described(sha, branch, path.strip("/").removesuffix(".git"), url)


def git_answer(*arguments: str) -> str | None:
    """What git answers in the working directory; None where there is no git, no repository, or no answer."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, errors="replace", timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def without_credentials(url: str) -> str:
    """Remotes may hold a token, which is nothing to be stored with a deployment."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


_SOURCES: Mapping[VersionType, Callable[[], dict[str, str] | None]] = {
    **{kind: partial(_from_ci, kind) for kind in _CI_SYSTEMS},
    VersionType.GIT: _from_git,
}
