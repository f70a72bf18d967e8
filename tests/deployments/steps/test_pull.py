"""Steps that bring code: clones of real repositories, copies, folders that are there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import fsspec
import pytest
from tests.runner.git_repositories import GitServer, Repository

from prefect.blocks.system import Secret
from prefect.deployments.steps import git_clone, pull_from_remote_storage, pull_with_block, set_working_directory
from prefect.deployments.steps.pull import agit_clone
from prefect.filesystems import LocalFileSystem


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "remote")


class TestGitClone:
    def test_it_clones_into_the_working_directory_and_says_where(self, repository, here):
        for _ in range(2):
            assert git_clone(repository.url) == {"directory": "code"}
        assert (here / "code" / "flow.py").exists()

    async def test_it_runs_in_async_code(self, repository, here):
        assert await agit_clone(repository.url, clone_directory_name="mine") == {"directory": "mine"}
        assert await git_clone(repository.url) == {"directory": "code"}

    def test_everything_about_the_checkout_can_be_said(self, repository, here):
        commit = repository.push({"flows/a.py": "", "data/b.csv": ""}, branch="feat/x")
        assert git_clone(repository.url, branch="feat/x") == {"directory": "code-feat-x"}
        assert git_clone(repository.url, commit_sha=commit, directories=["flows"]) == {"directory": "code"}
        assert (here / "code" / "flows").is_dir() and not (here / "code" / "data").exists()

    @pytest.mark.parametrize(
        "login",
        [
            {"access_token": "me:s3cret"},
            {"credentials": {"username": "me", "access_token": "s3cret"}},
            {"credentials": Secret(value="me:s3cret")},
        ],
    )
    def test_it_logs_in(self, repository, here, monkeypatch, login):
        with GitServer(repository.bare.parent, "me", "s3cret") as server:
            monkeypatch.setenv("GIT_SSL_CAINFO", str(server.certificate))
            git_clone(server.url("code.git"), **login)
        assert (here / "code" / "flow.py").exists()

    def test_one_kind_of_login_is_enough(self):
        with pytest.raises(ValueError, match="either an access token or credentials but not both"):
            git_clone("https://example.com/x.git", access_token="a", credentials={"token": "b"})

    def test_what_may_pass_is_tried_again(self, repository, here, monkeypatch):
        """The repository comes back between the first attempt and the second."""
        away = repository.bare.rename(repository.bare.with_name("away.git"))
        attempts = []

        async def sleep(seconds: float) -> None:
            attempts.append(seconds)
            away.rename(repository.bare)

        monkeypatch.setattr("prefect._internal.retries.asyncio.sleep", sleep)
        assert git_clone(repository.url) == {"directory": "code"}
        assert len(attempts) == 1

    def test_what_stays_wrong_is_not(self, repository, caplog):
        with pytest.raises(RuntimeError, match="Check the branch"):
            git_clone(repository.url, branch="nobody")
        assert "Trying again" not in caplog.text


def test_a_folder_becomes_the_working_directory(here, monkeypatch):
    (here / "deep").mkdir()
    assert set_working_directory("deep") == {"directory": str(here / "deep")}
    assert Path.cwd() == here / "deep"
    with pytest.raises(FileNotFoundError):
        set_working_directory("nowhere")
    monkeypatch.setenv("HOME", str(here))
    assert set_working_directory("~/deep")["directory"] == str(here / "deep")


def test_a_folder_of_a_remote_storage_is_copied(here):
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/code/flow.py", b"1")
    try:
        assert asyncio.run(pull_from_remote_storage("memory://bucket/code")) == {"directory": "bucket/code"}
    finally:
        memory.store.clear()
    assert (here / "bucket" / "code" / "flow.py").exists()


class TestWithBlock:
    def test_the_block_copies_its_folder(self, here, home, tmp_path):
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "flow.py").write_text("1")
        LocalFileSystem(basepath=str(tmp_path / "code")).save("my-code")
        result = asyncio.run(pull_with_block("my-code", "local-file-system"))
        assert result == {"directory": "local-file-system-my-code"}
        assert (here / "local-file-system-my-code" / "flow.py").exists()

    def test_a_block_that_is_not_there_is_named(self, home):
        with pytest.raises(
            ValueError, match="Unable to find block document named nobody for block type local-file-system"
        ):
            asyncio.run(pull_with_block("nobody", "local-file-system"))

    def test_a_block_without_a_folder_is_refused(self, home):
        Secret(value="x").save("no-folder")
        with pytest.raises(ValueError, match="must have a `get_directory` method"):
            asyncio.run(pull_with_block("no-folder", "secret"))
