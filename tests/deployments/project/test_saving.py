"""Saving a deployment in a project file: nothing that somebody wrote by hand is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from prefect._code_storage.file_lock import file_lock
from prefect.deployments._project.entries import ProjectError
from prefect.deployments._project.reading import ProjectFile, parse_project, parse_yaml, read_text
from prefect.deployments._project.saving import ChangedUnderneathError, render, save_entry, with_entry

NEW = {"name": "new", "entrypoint": "a.py:f", "tags": ["t"], "work_pool": {"name": "p", "job_variables": {"x": 1}}}
PATH = Path("prefect.yaml")


def read(folder: Path, text: str) -> ProjectFile:
    path = folder / "alone" / "prefect.yaml"
    path.parent.mkdir()
    path.write_bytes(text.encode())
    return ProjectFile(path, read_text(path), parse_project(path, text))


# Where the new entry goes is marked by >>>, with its column.
FILES = {
    "plain": "deployments:\n- name: one\n  entrypoint: a.py:g\n>>>0",
    "no end of line": "deployments:\n- name: one>>>0",
    "anchors": "w: &w {name: p}\ndeployments:\n- &one\n  name: one\n  work_pool: *w\n- <<: *one\n  name: two\n>>>0",
    "an alias at the end": "w: &w\n  name: p\ndeployments:\n- name: one\n  work_pool: *w\n>>>0\n# tail\nx: 1\n",
    "comments": "# head\ndeployments:   # all\n  # first\n  - name: one   # c\n    # inside\n    tags:\n      - a   # ta\n>>>2\n# tail\n\nother:\n    deep: 1\n",
    "quotes": "deployments:\n- name: 'one'\n  version: \"1.0\"\n  description: >-\n    long\n    # no comment\n\n>>>0other: [1,   2]\n",
    "flow style inside": "deployments:\n- {name: one, tags: [a,\n    b]} # c\n>>>0# tail\n",
    "a list that is not there": "name: x\n\n>>>key",
    "wide": "deployments:\n      - name: one\n>>>6",
    "aliases as items": "deployments:\n- &a {name: one}\n- *a # c\n>>>0# d\nx: 1\n",
    "no value at the end": "deployments:\n- name: one\n  parameters: # c\n>>>0# d\nx: 1\n",
    "text that ends in lines": "deployments:\n- name: one\n  description: |\n    text\n    # no comment\n>>>0  # a comment\nx: 1\n",
    "an item below its dash": "deployments:\n- # c\n  name: one\n>>>0  # t\n",
    "an anchor on the list": "deployments: &all\n  - name: one\n>>>2\n\n",
    "windows": "deployments:\r\n- name: one\r\n>>>0x: 1\r\n",
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_an_entry_is_added_and_every_other_byte_stays(what: str):
    before, mark, rest = FILES[what].partition(">>>")
    column, after = (0, rest[3:]) if rest.startswith("key") else (int(rest[0]), rest[1:])
    text = before + after
    end = "\r\n" if "\r\n" in text else "\n"
    added = "".join(f"{' ' * column}{line}{end}" for line in render(NEW).splitlines())
    made = with_entry(PATH, text, NEW)
    lead = before if before.endswith("\n") or not before else before + end
    assert made == lead + (f"deployments:{end}" if rest.startswith("key") else "") + added + after
    known = parse_yaml(PATH, text).get("deployments") or []
    assert parse_yaml(PATH, made)["deployments"] == [*known, NEW]


@pytest.mark.parametrize("line", ["deployments:", "deployments: []", "deployments: null", "deployments: ~   # c"])
def test_an_empty_list_is_begun(line: str):
    made = with_entry(PATH, f"# head\n{line}\n# tail\nx: 1\n", NEW)
    assert parse_yaml(PATH, made) == {"deployments": [NEW], "x": 1}
    assert made.startswith("# head\ndeployments:") and made.endswith("# tail\nx: 1\n")
    assert ("# c" in made) == ("# c" in line)


def test_a_list_in_flow_style_stays_one():
    made = with_entry(PATH, "deployments: [{name: a}] # c\nx: 1\n", NEW)
    assert made.startswith("deployments: [{name: a}, {") and made.endswith("}] # c\nx: 1\n")
    assert parse_yaml(PATH, made)["deployments"] == [{"name": "a"}, NEW]


def test_the_empty_entry_of_a_new_file_gives_way_unless_somebody_has_written_in_it():
    blank = "deployments:\n- name: null\n  tags: []\n  work_pool:\n    name: null\n    job_variables: {}\n# tail\n"
    assert with_entry(PATH, blank, NEW) == f"deployments:\n{render(NEW)}# tail\n"
    noted = blank.replace("tags: []", "tags: []  # the team's")
    assert "# the team's" in with_entry(PATH, noted, NEW)


@pytest.mark.parametrize(
    "text", ["yes", "1:30", "0x1", "null", "1e3", "a: b", "# c", "line\nline\n", "2024-01-01", "é", "{{ x }}"]
)
def test_text_is_read_as_it_was_written(text: str):
    made = with_entry(PATH, "deployments:\n- name: a\n", {"name": "n", "description": text})
    assert parse_yaml(PATH, made)["deployments"][1]["description"] == text


@pytest.mark.parametrize(
    "text", ["deployments: &d\n- name: a\nx: *d\n", "{deployments: null}", "a: 1\n...\n", "deployments:\n\n\n  null\n"]
)
def test_what_has_no_place_for_an_entry_is_left_alone(text: str):
    with pytest.raises(ProjectError, match="No place for a deployment"):
        with_entry(PATH, text, NEW)


def test_a_file_that_changed_underneath_is_not_written(tmp_path: Path):
    file = read(tmp_path, "deployments:\n- name: one\n")
    edited = "deployments:\n- name: one\n  tags: [edited]\n"
    file.path.write_text(edited)
    with pytest.raises(ChangedUnderneathError, match="changed by somebody else"):
        save_entry(file, NEW)
    assert file.path.read_text() == edited
    assert [each.name for each in file.path.parent.iterdir()] == ["prefect.yaml"]


def test_a_file_is_replaced_at_once_and_keeps_its_mode(tmp_path: Path):
    file = read(tmp_path, "deployments:\n- name: one\n")
    file.path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file.path)
    with file.path.open() as opened:
        saved = save_entry(ProjectFile(link, file.text, file.project), NEW)
        # Whoever has the file open still reads what it was.
        assert opened.read() == file.text
    assert link.is_symlink() and file.path.read_text() == saved.text
    assert file.path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in saved.project.deployments] == ["one", "new"]
    again = save_entry(saved, {**NEW, "name": "newer"})
    assert [each.name for each in again.project.deployments] == ["one", "new", "newer"]


async def test_who_saves_waits_for_another_who_does(tmp_path: Path):
    file = read(tmp_path, "deployments: []\n")
    with ThreadPoolExecutor(1) as threads:
        async with file_lock(file.path.with_name(".prefect.yaml.lock")):
            outcome = threads.submit(save_entry, file, NEW)
            # Long enough to have saved, were it not for the lock.
            assert not wait([outcome], timeout=0.3).done
            file.path.write_text("deployments: [] # of another\n")
        with pytest.raises(ChangedUnderneathError):
            await to_thread.run_sync(outcome.result)
    assert file.path.read_text() == "deployments: [] # of another\n"
    assert [each.name for each in file.path.parent.iterdir()] == ["prefect.yaml"]


@pytest.mark.parametrize("file", [ProjectFile(PATH), ProjectFile(PATH, "a: [", is_valid=False)])
def test_a_file_that_could_not_be_read_is_not_written(file: ProjectFile):
    with pytest.raises(ProjectError, match="is not saved"):
        save_entry(file, dict[str, Any](NEW))
