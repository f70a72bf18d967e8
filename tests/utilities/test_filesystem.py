"""Paths and directories."""

import threading
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from prefect.utilities.filesystem import (
    chdir_lock,
    create_default_ignore_file,
    filename,
    filter_files,
    get_open_file_limit,
    is_local_path,
    relative_path_to_current_platform,
    tmpchdir,
    to_display_path,
)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    for name in ("x.py", "a/y.py", "a/b/z.txt", "a/keep.log", "__pycache__/q.pyc", ".hidden", "docs/build/i.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "empty").mkdir()
    return root


DIRECTORIES = {"a", "a/b", "__pycache__", "docs", "docs/build", "empty"}
FILES = {"x.py", "a/y.py", "a/b/z.txt", "a/keep.log", "__pycache__/q.pyc", ".hidden", "docs/build/i.html"}


@pytest.mark.parametrize(
    ("patterns", "missing"),
    [
        ([], set()),
        (["# comment", ""], set()),
        (["*.py"], {"x.py", "a/y.py"}),
        (["*.py", "!x.py"], {"a/y.py"}),
        (["/x.py", "/y.py"], {"x.py"}),
        (["__pycache__/"], {"__pycache__", "__pycache__/q.pyc"}),
        (["x.py/"], set()),
        (["a"], {"a", "a/b", "a/y.py", "a/b/z.txt", "a/keep.log"}),
        (["a/**"], {"a/b", "a/y.py", "a/b/z.txt", "a/keep.log"}),
        (["a/*"], {"a/b", "a/y.py", "a/b/z.txt", "a/keep.log"}),
        (["b/"], {"a/b", "a/b/z.txt"}),
        (["a/b"], {"a/b", "a/b/z.txt"}),
        (["**/build"], {"docs/build", "docs/build/i.html"}),
        (["docs/**/i.html"], {"docs/build/i.html"}),
        (["?.py"], {"x.py", "a/y.py"}),
        (["[wx].py"], {"x.py"}),
        (["[!x].py"], {"a/y.py"}),
        ([r"\#nothing", r"\!nothing"], set()),
        (["*.log "], {"a/keep.log"}),
    ],
    ids=lambda value: str(sorted(value)),
)
def test_files_are_filtered_as_git_does(tree, patterns, missing):
    found = filter_files(str(tree), patterns, as_posix=True)
    # Directories of files that are wanted are wanted, whatever else.
    assert found == (DIRECTORIES | FILES) - missing | {
        path for path in DIRECTORIES if any(f.startswith(f"{path}/") for f in found)
    }
    assert not found & (missing & FILES)


def test_what_is_ignored_can_be_wanted_again(tree):
    assert filter_files(str(tree), ["*", "!*.py"], as_posix=True) == {"x.py", "a", "a/y.py"}


def test_directories_can_be_left_out(tree):
    assert filter_files(str(tree), ["*.py"], include_dirs=False, as_posix=True) == FILES - {"x.py", "a/y.py"}


def test_patterns_may_be_bytes(tree):
    assert "x.py" not in filter_files(str(tree), [b"*.py"])


def test_links_are_followed_once(tree):
    (tree / "a" / "round").symlink_to(tree)
    found = filter_files(str(tree), as_posix=True)
    assert "a/round" in found
    assert "a/round/x.py" not in found


def test_an_ignore_file_is_made_unless_there_is_one(tmp_path):
    assert create_default_ignore_file(str(tmp_path))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("")
    lines = (tmp_path / ".prefectignore").read_text().splitlines()
    assert filter_files(str(tmp_path), lines) == set()
    (tmp_path / ".prefectignore").write_text("mine")
    assert not create_default_ignore_file(str(tmp_path))
    assert (tmp_path / ".prefectignore").read_text() == "mine"


def test_the_working_directory_is_changed_for_a_while(tree):
    before = Path.cwd()
    with tmpchdir(str(tree)) as here:
        assert Path.cwd() == tree
        assert here == str(tree)
    with tmpchdir(str(tree / "x.py")):
        assert Path.cwd() == tree
    assert Path.cwd() == before


def test_the_working_directory_comes_back_after_an_error(tree):
    before = Path.cwd()
    with pytest.raises(KeyError), tmpchdir(str(tree)):
        raise KeyError
    assert Path.cwd() == before
    assert not chdir_lock.locked()


def test_threads_change_the_working_directory_one_after_another(tree):
    entered = threading.Event()

    def work():
        with tmpchdir(str(tree / "a")):
            entered.set()

    thread = threading.Thread(target=work)
    with tmpchdir(str(tree)):
        thread.start()
        assert not entered.wait(0.02)
        assert Path.cwd() == tree
    thread.join()
    assert entered.is_set()


@pytest.mark.parametrize(
    ("path", "name"), [("a/b/c.py", "c.py"), ("s3://bucket/key", "key"), ("c", "c"), ("a/b/", "b")]
)
def test_the_last_part_of_a_path(path, name):
    assert filename(path) == name


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("a", True),
        ("/a", True),
        (Path("a"), True),
        ("file:///a", True),
        ("s3://a", False),
        ("memory://a", False),
        (SimpleNamespace(fs=fsspec.filesystem("file")), True),
        (SimpleNamespace(fs=fsspec.filesystem("memory")), False),
    ],
)
def test_local_paths_are_told_from_others(path, local):
    assert is_local_path(path) is local


def test_paths_are_shown_relative_where_that_is_shorter(tree):
    assert to_display_path(tree / "a" / "y.py", relative_to=tree) == str(Path("a") / "y.py")
    assert to_display_path(tree / "x.py", relative_to=tree / "a") == str(tree / "x.py")
    with tmpchdir(str(tree)):
        assert to_display_path("x.py") == "x.py"


def test_paths_of_other_platforms_are_understood():
    assert relative_path_to_current_platform("a\\b/c") == Path("a") / "b" / "c"


def test_files_can_be_opened():
    assert get_open_file_limit() > 0
