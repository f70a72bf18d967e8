"""Which version of the code is deployed: what CI systems and git say."""

from __future__ import annotations

import subprocess

import pytest
from tests.deployments._flows import etl

from prefect import get_client
from prefect.deployments._versions import VersionType, infer_version_info

GITHUB = {
    "GITHUB_SHA": "0123456789abcdef",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REPOSITORY": "org/repo",
    "GITHUB_SERVER_URL": "https://github.com",
}
GITLAB = {
    "CI_COMMIT_SHA": "0123456789abcdef",
    "CI_COMMIT_REF_NAME": "main",
    "CI_PROJECT_NAME": "repo",
    "CI_PROJECT_URL": "https://gitlab.com/org/repo",
}
BITBUCKET = {
    "BITBUCKET_COMMIT": "0123456789abcdef",
    "BITBUCKET_BRANCH": "main",
    "BITBUCKET_REPO_SLUG": "repo",
    "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/org/repo",
}
AZURE = {
    "BUILD_SOURCEVERSION": "0123456789abcdef",
    "BUILD_SOURCEBRANCHNAME": "main",
    "BUILD_REPOSITORY_NAME": "repo",
    "BUILD_REPOSITORY_URI": "https://dev.azure.com/org/repo",
}


def git(*arguments):
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(folder):
    """The working directory becomes a repository with one commit; gives a function that sets its remote."""
    git("init", "-b", "main")
    git("-c", "user.name=n", "-c", "user.email=e@x", "commit", "--allow-empty", "-m", "First line\n\nAnd more.")
    return lambda url: git("remote", "add", "origin", url)


def test_without_any_of_them_the_version_is_a_name():
    assert infer_version_info("1.0").model_dump() == {"type": "prefect:simple", "version": "1.0"}
    assert infer_version_info(None).version == ""


@pytest.mark.parametrize(
    ("variables", "type", "repository", "url"),
    [
        (GITHUB, "vcs:github", "org/repo", "https://github.com/org/repo/tree/0123456789abcdef"),
        (GITLAB, "vcs:gitlab", "repo", "https://gitlab.com/org/repo/-/tree/0123456789abcdef"),
        (BITBUCKET, "vcs:bitbucket", "repo", "https://bitbucket.org/org/repo/src/0123456789abcdef"),
        (AZURE, "vcs:azuredevops", "repo", "https://dev.azure.com/org/repo?version=GC0123456789abcdef"),
    ],
)
def test_ci_systems_say_it_in_their_variables(monkeypatch, variables, type, repository, url):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert infer_version_info(None).model_dump() == {
        "type": type,
        "version": "01234567",
        "commit_sha": "0123456789abcdef",
        "branch": "main",
        "repository": repository,
        "url": url,
    }
    assert infer_version_info("1.0").version == "1.0"
    monkeypatch.delenv(next(iter(variables)))
    assert infer_version_info(None).type == "prefect:simple"


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/org/repo.git", "https://github.com/org/repo.git"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
        ("https://user:token@github.com/org/repo", "https://github.com/org/repo"),
    ],
)
def test_git_says_it_and_keeps_its_secrets(repository, remote, url):
    repository(remote)
    sha = git("rev-parse", "HEAD")
    assert infer_version_info(None).model_dump() == {
        "type": "vcs:git",
        "version": sha[:8],
        "commit_sha": sha,
        "message": "First line",
        "branch": "main",
        "repository": "org/repo",
        "url": url,
    }


def test_a_repository_that_nobody_else_can_reach_says_nothing(repository):
    assert infer_version_info(None).type == "prefect:simple"


def test_the_type_may_be_said(repository, monkeypatch):
    repository("https://github.com/org/repo")
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    assert infer_version_info(None).type == "vcs:github"
    assert infer_version_info(None, VersionType.GIT).type == "vcs:git"
    assert infer_version_info("1.0", VersionType.SIMPLE).model_dump() == {"type": "prefect:simple", "version": "1.0"}
    assert infer_version_info(None, VersionType.GITLAB).type == "prefect:simple"


def test_the_commit_becomes_the_version_unless_the_user_gave_one(home, repository):
    repository("https://github.com/org/repo")
    sha = git("rev-parse", "HEAD")
    with get_client(sync_client=True) as client:
        versions = [
            client.read_deployment(etl.to_deployment(name, **options).apply()).version
            for name, options in (
                ("a", {}),
                ("b", {"version": "1.0"}),
                ("c", {"version_type": "prefect:simple"}),
                ("d", {"version_type": "vcs:gitlab"}),
            )
        ]
    assert versions == [sha[:8], "1.0", "v7", "v7"]
