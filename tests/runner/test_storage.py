"""Where flow code is taken from: real repositories, a real server that wants a login, real folders."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from pathlib import Path

import fsspec
import pytest
from tests.runner.git_repositories import GitServer, Repository, git

from prefect.blocks.core import Block, BlockNotSavedError
from prefect.blocks.system import Secret
from prefect.filesystems import LocalFileSystem
from prefect.runner.storage import (
    BlockStorageAdapter,
    GitRepository,
    LocalStorage,
    RemoteStorage,
    RunnerStorage,
    create_storage_from_source,
)


@pytest.fixture(autouse=True)
def no_own_git_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "remote")


@pytest.fixture
def base(tmp_path) -> Path:
    return tmp_path / "base"


def pull(storage: RunnerStorage, base: Path) -> Path:
    storage.set_base_path(base)
    asyncio.run(storage.pull_code())
    return storage.destination


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


class TestGitRepository:
    @pytest.mark.parametrize(
        ("url", "options", "name"),
        [
            ("https://example.com/org/repo.git", {}, "repo"),
            ("https://example.com/org/repo/", {}, "repo"),
            ("git@example.com:org/repo.git", {}, "repo"),
            ("git@example.com:repo.git", {}, "repo"),
            ("https://example.com/org/repo.git", {"branch": "feat/x"}, "repo-feat-x"),
            ("https://example.com/org/repo.git", {"branch": "feat/x", "name": "mine"}, "mine"),
            ("https://example.com/org/repo.git", {"commit_sha": "abcdef"}, "repo"),
        ],
    )
    def test_its_folder_is_named_after_it(self, url, options, name, base):
        storage = GitRepository(url, **options)
        storage.set_base_path(base)
        assert storage.destination == base / name

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"credentials": {"username": "me"}}, "an access token or password must also be provided"),
            ({"branch": "main", "commit_sha": "abcdef"}, "both a branch and a commit SHA"),
            ({"branch": "--upload-pack=evil"}, "cannot start with '-'"),
            ({"commit_sha": "main"}, "Invalid commit SHA: 'main'"),
            ({"commit_sha": "abc"}, "Invalid commit SHA"),
        ],
    )
    def test_bad_arguments_are_refused(self, options, complaint):
        with pytest.raises(ValueError, match=complaint):
            GitRepository("https://example.com/repo.git", **options)

    def test_it_clones_the_newest_commit_only(self, repository, base):
        repository.push({"flow.py": "VERSION = 2\n"})
        storage = GitRepository(repository.url)
        there = pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 2\n"
        assert git(there, "rev-list", "--count", "HEAD") == "1"
        assert asyncio.run(storage.is_shallow_clone())
        assert files(base) == {"code/flow.py"}, "nothing is left beside the checkout"

    def test_pulling_again_gets_what_is_new_and_keeps_other_files(self, repository, base):
        storage = GitRepository(repository.url)
        there = pull(storage, base)
        (there / "made-by-the-flow.txt").write_text("kept")
        repository.push({"flow.py": "VERSION = 2\n"})
        inode = there.stat().st_ino
        pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 2\n"
        assert (there / "made-by-the-flow.txt").exists()
        assert there.stat().st_ino == inode, "it was fetched, not cloned anew"

    def test_a_rewritten_history_and_changed_files_are_no_obstacle(self, repository, base):
        storage = GitRepository(repository.url)
        there = pull(storage, base)
        (there / "flow.py").write_text("VERSION = 'changed by hand'\n")
        git(repository.tree, "checkout", "--quiet", "--orphan", "other")
        repository.push({"flow.py": "VERSION = 3\n"})
        pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 3\n"

    def test_a_branch_or_tag_is_checked_out(self, repository, base):
        repository.push({"flow.py": "VERSION = 'branch'\n"}, branch="feat/x")
        git(repository.tree, "tag", "v1")
        git(repository.tree, "push", "--quiet", "origin", "v1")
        assert (
            (pull(GitRepository(repository.url, branch="feat/x"), base) / "flow.py").read_text().endswith("'branch'\n")
        )
        repository.push({"flow.py": "VERSION = 'later'\n"}, branch="feat/x")
        assert (
            (pull(GitRepository(repository.url, branch="feat/x"), base) / "flow.py").read_text().endswith("'later'\n")
        )
        for _ in range(2):
            assert (
                (pull(GitRepository(repository.url, branch="v1"), base) / "flow.py").read_text().endswith("'branch'\n")
            )

    def test_a_commit_is_checked_out_by_its_whole_name_or_its_beginning(self, repository, base):
        first = repository.push({"flow.py": "VERSION = 'first'\n"})
        second = repository.push({"flow.py": "VERSION = 'second'\n"})
        for commit in (first, first[:7]):
            storage = GitRepository(repository.url, commit_sha=commit, name=f"at-{commit}")
            there = pull(storage, base)
            assert (there / "flow.py").read_text() == "VERSION = 'first'\n"
            assert asyncio.run(storage.is_current_commit())
        moved = GitRepository(repository.url, commit_sha=second, name=f"at-{first}")
        there = pull(moved, base)
        assert git(there, "rev-parse", "HEAD") == second

    def test_a_commit_that_is_checked_out_needs_no_server(self, repository, base):
        storage = GitRepository(repository.url, commit_sha=repository.push({"flow.py": "VERSION = 2\n"}))
        there = pull(storage, base)
        repository.bare.rename(repository.bare.with_name("away.git"))
        pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 2\n"

    def test_only_the_directories_that_are_asked_for_are_checked_out(self, repository, base):
        commit = repository.push({"flows/a.py": "", "flows/deep/b.py": "", "data/big.csv": "", "docs/x.md": ""})
        for options in ({"name": "newest"}, {"name": "commit", "commit_sha": commit}):
            storage = GitRepository(repository.url, directories=["flows"], **options)
            there = pull(storage, base)
            assert files(there) == {"flow.py", "flows/a.py", "flows/deep/b.py"}
            assert asyncio.run(storage.is_sparsely_checked_out())
        there = pull(GitRepository(repository.url, directories=["docs"], name="newest"), base)
        assert files(there) == {"flow.py", "docs/x.md"}
        there = pull(GitRepository(repository.url, name="newest"), base)
        assert "data/big.csv" in files(there)

    def test_submodules_are_checked_out_and_kept_up_to_date(self, repository, base, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
        part = Repository(tmp_path / "remote", "part")
        git(repository.tree, "submodule", "--quiet", "add", part.url, "part")
        repository.push({"flow.py": "VERSION = 2\n"})
        assert "part/flow.py" not in files(pull(GitRepository(repository.url, name="without"), base))
        storage = GitRepository(repository.url, include_submodules=True)
        there = pull(storage, base)
        assert "part/flow.py" in files(there)
        part.push({"flow.py": "VERSION = 'part 2'\n"})
        git(repository.tree / "part", "pull", "--quiet", "origin", "main")
        repository.push({"flow.py": "VERSION = 3\n"})
        pull(storage, base)
        assert (there / "part" / "flow.py").read_text() == "VERSION = 'part 2'\n"

    @pytest.mark.parametrize("damage", ["HEAD", "config", "objects", "index.lock"])
    def test_a_damaged_clone_is_replaced(self, repository, base, damage):
        storage = GitRepository(repository.url)
        there = pull(storage, base)
        target = there / ".git" / damage
        if target.is_dir():
            subprocess.run(["rm", "-rf", str(target)], check=True)
        elif damage == "index.lock":
            target.write_text("")
        else:
            target.unlink()
        repository.push({"flow.py": "VERSION = 2\n"})
        pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 2\n"
        assert sorted(path.name for path in base.iterdir()) == ["code"]

    def test_a_damaged_clone_within_another_repository_leaves_that_alone(self, repository, tmp_path):
        outer = tmp_path / "outer"
        outer.mkdir()
        git(outer, "init", "--quiet")
        (outer / "precious.txt").write_text("uncommitted")
        git(outer, "add", ".")
        there = pull(GitRepository(repository.url), outer)
        (there / ".git" / "HEAD").unlink()
        pull(GitRepository(repository.url), outer)
        assert (outer / "precious.txt").read_text() == "uncommitted"
        assert git(outer, "diff", "--cached", "--name-only") == "precious.txt"

    def test_the_old_checkout_stays_while_the_server_is_away(self, repository, base):
        storage = GitRepository(repository.url)
        there = pull(storage, base)
        repository.bare.rename(repository.bare.with_name("away.git"))
        with pytest.raises(RuntimeError, match="Failed to clone repository 'file://.*code.git' with exit code 128"):
            pull(storage, base)
        assert (there / "flow.py").read_text() == "VERSION = 1\n"
        assert sorted(path.name for path in base.iterdir()) == ["code"]

    def test_a_folder_with_something_else_is_left_alone(self, repository, base):
        storage = GitRepository(repository.url)
        (base / "code").mkdir(parents=True)
        (base / "code" / "mine.txt").write_text("precious")
        with pytest.raises(ValueError, match="there is something else already"):
            pull(storage, base)
        assert (base / "code" / "mine.txt").read_text() == "precious"

    def test_a_clone_of_another_repository_is_left_alone(self, repository, base, tmp_path):
        pull(GitRepository(repository.url), base)
        other = Repository(tmp_path / "elsewhere")
        with pytest.raises(ValueError, match=r"is a clone of 'file://.*', not of 'file://"):
            pull(GitRepository(other.url), base)

    def test_what_does_not_exist_is_named(self, repository, base):
        with pytest.raises(RuntimeError, match="Check the branch"):
            pull(GitRepository(repository.url, branch="nope"), base)
        with pytest.raises(RuntimeError, match="Check the URL"):
            pull(GitRepository(f"{repository.url}x.git"), base)
        with pytest.raises(RuntimeError, match="Check the commit"):
            pull(GitRepository(repository.url, commit_sha="0123456789" * 4), base)
        assert list(base.iterdir()) == []

    def test_without_git_it_says_so(self, repository, base, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(RuntimeError, match="git was not found on the PATH"):
            pull(GitRepository(repository.url), base)

    def test_processes_that_pull_at_once_wait_for_one_another(self, repository, base):
        code = (
            "import asyncio, sys, pathlib; from prefect.runner.storage import GitRepository\n"
            f"storage = GitRepository({repository.url!r}); storage.set_base_path(pathlib.Path({str(base)!r}))\n"
            "[asyncio.run(storage.pull_code()) for _ in range(3)]"
        )
        children = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(3)]
        for child in children:
            _, said = child.communicate(timeout=60)
            assert child.returncode == 0, said
            assert "Cloning it anew" not in said
        assert files(base) == {"code/flow.py"}

    def test_one_is_another_if_they_check_out_the_same(self):
        url = "https://example.com/org/repo.git"
        assert GitRepository(url) == GitRepository(url, credentials={"access_token": "x"})
        assert GitRepository(url) != GitRepository(url, branch="other")
        assert GitRepository(url) != GitRepository(url, commit_sha="abcdef")


TOKEN = "t0k/en@with:signs"


class TestCredentials:
    @pytest.fixture
    def server(self, repository, monkeypatch):
        with GitServer(repository.bare.parent, "me", TOKEN) as server:
            monkeypatch.setenv("GIT_SSL_CAINFO", str(server.certificate))
            yield server

    @pytest.mark.parametrize("kind", ["mapping", "password", "secret", "secret mapping", "block", "writer"])
    def test_every_form_of_credentials_opens_the_repository(self, server, base, kind):
        class Account(Block):
            _block_type_slug = "git-account-of-the-test"
            username: str = "me"
            token: Secret = Secret(value=TOKEN)

        class Writer(Block):
            _block_type_slug = "git-writer-of-the-test"

            def format_git_credentials(self, url: str) -> str:
                return url.replace("https://", "https://me:t0k%2Fen%40with%3Asigns@")

        credentials = {
            "mapping": {"username": "me", "access_token": TOKEN},
            "password": {"username": "me", "password": TOKEN},
            "secret": Secret(value=f"me:{TOKEN}"),
            "secret mapping": {"username": "me", "access_token": Secret(value=TOKEN)},
            "block": Account(),
            "writer": Writer(),
        }[kind]
        storage = GitRepository(server.url("code.git"), credentials=credentials)
        for _ in range(2):
            there = pull(storage, base)
        assert files(there) == {"flow.py"}
        assert set(server.asked) == {("me", TOKEN)}

    def test_credentials_are_nowhere_in_the_clone(self, server, base):
        there = pull(GitRepository(server.url("code.git"), credentials={"username": "me", "token": TOKEN}), base)
        for path in there.rglob("*"):
            if path.is_file():
                assert b"t0k" not in path.read_bytes(), path

    def test_credentials_that_another_program_left_are_removed(self, server, base):
        storage = GitRepository(server.url("code.git"), credentials={"username": "me", "token": TOKEN})
        there = pull(storage, base)
        git(there, "remote", "set-url", "origin", f"https://me:old@{server.host}/code.git")
        pull(storage, base)
        assert git(there, "config", "remote.origin.url") == server.url("code.git")

    def test_credentials_in_the_url_work_and_are_not_shown(self, server, base):
        quoted = "t0k%2Fen%40with%3Asigns"
        storage = GitRepository(f"https://me:{quoted}@{server.host}/code.git")
        there = pull(storage, base)
        assert files(there) == {"flow.py"}
        assert quoted not in repr(storage)
        assert quoted not in (there / ".git" / "config").read_text()

    def test_a_refusal_shows_no_credentials_and_says_what_to_check(self, server, base):
        storage = GitRepository(server.url("code.git"), credentials={"username": "me", "token": "wr0ng"})
        with pytest.raises(RuntimeError, match="Check the credentials") as caught:
            pull(storage, base)
        assert "wr0ng" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None and caught.value.__cause__ is None

    def test_without_credentials_nothing_waits_for_somebody_to_type_them(self, server, base):
        with pytest.raises(RuntimeError, match="wants some and got none"):
            pull(GitRepository(server.url("code.git")), base)

    def test_submodules_of_the_same_host_get_them_too(self, server, repository, base):
        part = Repository(repository.bare.parent, "part")
        (repository.tree / ".gitmodules").write_text(
            f'[submodule "part"]\n\tpath = part\n\turl = {server.url("part.git")}\n'
        )
        commit = git(part.tree, "rev-parse", "HEAD")
        (repository.tree / "part").mkdir()
        git(repository.tree, "update-index", "--add", "--cacheinfo", f"160000,{commit},part")
        repository.push({"flow.py": "VERSION = 2\n"})
        credentials = {"username": "me", "token": TOKEN}
        storage = GitRepository(server.url("code.git"), credentials=credentials, include_submodules=True)
        assert "part/flow.py" in files(pull(storage, base))

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("github.com", ("tok", "")),
            ("gitlab.example.com", ("oauth2", "tok")),
            ("bitbucket.org", ("x-token-auth", "tok")),
        ],
    )
    def test_each_server_is_told_the_token_as_it_wants_it(self, host, expected):
        from prefect._code_storage.git_login import find_login

        login = find_login(f"https://{host}/org/repo.git", {"access_token": "tok"})
        assert login is not None and (login.username, login.password) == expected

    def test_a_bitbucket_server_wants_a_user_too(self, base):
        url = "https://bitbucketserver.example.com/repo.git"
        with pytest.raises(ValueError, match="wants a user with the token"):
            pull(GitRepository(url, credentials={"token": "tok"}), base)

    def test_credentials_without_a_token_are_refused(self, base):
        with pytest.raises(ValueError, match="hold no token"):
            pull(GitRepository("https://example.com/repo.git", credentials={"key": "tok"}), base)


class TestGitPullStep:
    URL = "https://example.com/org/repo.git"

    def step(self, **options):
        (step,) = GitRepository(self.URL, **options).to_pull_step().values()
        return step

    def test_it_says_what_is_wanted(self):
        assert self.step() == {"repository": self.URL, "branch": None}
        assert self.step(commit_sha="abcdef") == {"repository": self.URL, "branch": None, "commit_sha": "abcdef"}
        assert self.step(branch="main", include_submodules=True, directories=["a"], name="mine") == {
            "repository": self.URL,
            "branch": "main",
            "include_submodules": True,
            "directories": ["a"],
            "clone_directory_name": "mine",
        }

    def test_saved_blocks_are_named(self, home):
        secret = Secret(value="tok")
        with pytest.raises(BlockNotSavedError):
            self.step(credentials={"access_token": secret})
        secret.save("my-token")
        assert self.step(credentials={"username": "me", "access_token": secret})["credentials"] == {
            "username": "me",
            "access_token": "{{ prefect.blocks.secret.my-token }}",
        }
        assert self.step(credentials=secret)["credentials"] == "{{ prefect.blocks.secret.my-token }}"

    @pytest.mark.parametrize("name", ["access_token", "token", "password"])
    def test_credentials_in_clear_are_refused(self, name):
        with pytest.raises(ValueError, match=f"hold their '{name}' in clear.*Secret block"):
            self.step(credentials={name: "tok"})

    def test_credentials_in_the_url_are_warned_of(self, caplog):
        GitRepository("https://me:tok@example.com/repo.git").to_pull_step()
        assert "stored in clear" in caplog.text
        assert "tok@" not in caplog.text


class TestRemoteStorage:
    @pytest.fixture
    def memory(self):
        memory = fsspec.filesystem("memory")
        yield memory
        memory.store.clear()

    def test_it_copies_the_folder(self, memory, base):
        memory.pipe({"/bucket/code/flow.py": b"1", "/bucket/code/deep/er.py": b"2", "/bucket/other": b"3"})
        storage = RemoteStorage("memory://bucket/code/")
        there = pull(storage, base)
        assert there == base / "bucket" / "code"
        assert files(there) == {"flow.py", "deep/er.py"}
        memory.pipe("/bucket/code/flow.py", b"new")
        pull(storage, base)
        assert (there / "flow.py").read_text() == "new"

    @pytest.mark.parametrize("url", ["memory://nothing/there", "nope://bucket/code"])
    def test_a_failure_names_the_place(self, url, base):
        with pytest.raises(RuntimeError, match=f"Failed to pull contents from remote storage '{url}'") as caught:
            pull(RemoteStorage(url), base)
        assert caught.value.__cause__ is not None

    def test_its_step_names_saved_blocks_and_the_package_that_is_needed(self, home):
        secret = Secret(value="tok")
        secret.save("my-key")
        assert RemoteStorage("s3://bucket/code", key=secret, deep={"secret": secret}).to_pull_step() == {
            "prefect.deployments.steps.pull_from_remote_storage": {
                "url": "s3://bucket/code",
                "key": "{{ prefect.blocks.secret.my-key }}",
                "deep": {"secret": "{{ prefect.blocks.secret.my-key }}"},
                "requires": "s3fs",
            }
        }
        step = RemoteStorage("memory://bucket").to_pull_step()
        assert step == {"prefect.deployments.steps.pull_from_remote_storage": {"url": "memory://bucket"}}

    def test_values_of_blocks_are_passed_to_the_file_system(self, base, tmp_path):
        (tmp_path / "root" / "sub").mkdir(parents=True)
        (tmp_path / "root" / "sub" / "flow.py").write_text("1")
        # A file system whose setting says where it looks.
        storage = RemoteStorage("dir://sub", path=Secret(value=str(tmp_path / "root")), target_protocol="file")
        assert files(pull(storage, base)) == {"flow.py"}


class TestBlockStorageAdapter:
    @pytest.fixture
    def block(self, home, tmp_path):
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "flow.py").write_text("1")
        return LocalFileSystem(basepath=str(tmp_path / "code"))

    def test_the_block_fills_the_emptied_folder(self, block, base):
        block.save("my-code")
        storage = BlockStorageAdapter(block)
        storage.set_base_path(base)
        assert storage.destination == base / "local-file-system-my-code"
        storage.destination.mkdir(parents=True)
        (storage.destination / "old.py").write_text("1")
        assert files(pull(storage, base)) == {"flow.py"}

    def test_its_step_names_the_block(self, block):
        with pytest.raises(BlockNotSavedError):
            BlockStorageAdapter(block).to_pull_step()
        block.save("my-code")
        assert BlockStorageAdapter(block).to_pull_step() == {
            "prefect.deployments.steps.pull_with_block": {
                "block_type_slug": "local-file-system",
                "block_document_name": "my-code",
            }
        }

    def test_a_block_may_have_a_step_of_its_own(self):
        class Own(Block):
            _block_type_slug = "own-step-of-the-test"

            def get_directory(self, from_path=None, local_path=None): ...

            def get_pull_step(self):
                return {"mine": {}}

        assert BlockStorageAdapter(Own()).to_pull_step() == {"mine": {}}

    def test_other_things_are_refused(self):
        with pytest.raises(TypeError, match="Expected a block object. Received a 'str' object"):
            BlockStorageAdapter("text")
        with pytest.raises(ValueError, match="must have a `get_directory` method"):
            BlockStorageAdapter(Secret(value="x"))


class TestLocalStorage:
    def test_the_code_stays_where_it_is(self, tmp_path, base):
        storage = LocalStorage("some/../code")
        assert pull(storage, base) == tmp_path / "code"
        assert storage.to_pull_step() == {
            "prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path / "code")}
        }
        assert storage == LocalStorage(str(tmp_path / "code"))

    def test_the_home_folder_has_a_sign(self):
        assert LocalStorage("~/code").destination == Path.home() / "code"


class TestChoice:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("https://example.com/org/repo.git", GitRepository("https://example.com/org/repo.git")),
            ("git@example.com:org/repo.git", GitRepository("git@example.com:org/repo.git")),
            ("git://example.com/repo", GitRepository("git://example.com/repo")),
            ("ssh://git@example.com/org/repo.git", GitRepository("ssh://git@example.com/org/repo.git")),
            ("s3://bucket/code", RemoteStorage("s3://bucket/code")),
            ("https://example.com/code", RemoteStorage("https://example.com/code")),
            ("file:///some/code", LocalStorage("/some/code")),
            ("local:///some/code", LocalStorage("/some/code")),
            ("/some/code", LocalStorage("/some/code")),
        ],
    )
    def test_the_source_decides(self, source, expected):
        assert create_storage_from_source(source, pull_interval=7) == expected
        assert create_storage_from_source(source, pull_interval=7).pull_interval == 7

    def test_a_relative_path_is_below_the_working_directory(self, tmp_path):
        assert create_storage_from_source("./code").destination == tmp_path / "code"

    def test_an_unknown_scheme_is_refused(self):
        with pytest.raises(ValueError, match="Nothing is known of the scheme 'nope' of 'nope://x'"):
            create_storage_from_source("nope://x")

    @pytest.mark.parametrize("storage", [GitRepository("x.git"), RemoteStorage("s3://x"), LocalStorage("x")])
    def test_each_is_a_runner_storage(self, storage):
        assert isinstance(storage, RunnerStorage)


def test_locks_of_dead_processes_are_given_back(repository, base):
    """A process that is killed while it holds the lock does not keep others out."""
    code = (
        "import asyncio, pathlib, os, signal; from prefect._code_storage.file_lock import file_lock\n"
        "async def hold():\n"
        f"    async with file_lock(pathlib.Path({str(base / '.code.lock')!r})):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(hold())"
    )
    subprocess.run([sys.executable, "-c", code], check=False, env=os.environ.copy())
    assert (base / ".code.lock").exists()
    assert files(pull(GitRepository(repository.url), base)) == {"flow.py"}
