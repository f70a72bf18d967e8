"""Reading project files: what they may hold, and what is said of what they may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect.deployments._project.finding import find_flows
from prefect.deployments._project.reading import InvalidProjectError, parse_project, parse_yaml, read_text

PATH = Path("prefect.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("- a", "holds a list"),
        ("a: [", "is not valid YAML, line 1, column 5"),
        ("a: 1\na: 2\n", "duplicate key"),
        ("a: !!python/object:x {}", "is not valid YAML"),
        ("deployments: {a: 1}", "deployments: should be a valid list"),
        ("deployments: [a]", "#1: "),
        ("build: odd", "build: "),
        ("pull: [a.b.c]", "pull.0: "),
        ("deployments:\n- {name: x, tags: 4}", "x: tags: "),
        ("deployments:\n- {name: [1]}", "name: should be a valid string, not [1]"),
        ("deployments:\n- {name: x, work_pool: p}", "x: work_pool: "),
        ("deployments:\n- {name: x, concurrency_limit: many}", "x: concurrency_limit: "),
        ("deployments:\n- {name: x, parameters: [1]}", "x: parameters: "),
        ("deployments:\n- {name: x, schedules: [{}, {slug: a}]}", "x: schedules.1: a schedule has exactly one of"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str):
    with pytest.raises(InvalidProjectError) as raised:
        parse_project(PATH, text)
    assert says in str(raised.value) and "prefect.yaml" in str(raised.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "latin").write_bytes(b"name: \xe9\n")
    with pytest.raises(InvalidProjectError, match="not text in UTF-8"):
        read_text(tmp_path / "latin")
    with pytest.raises(InvalidProjectError, match="cannot be read"):
        read_text(tmp_path)
    assert read_text(tmp_path / "none") is None


def test_placeholders_may_stand_where_no_text_is_expected():
    [entry] = parse_project(
        PATH,
        """deployments:
- name: x
  concurrency_limit: "{{ $LIMIT }}"
  paused: "{{ $PAUSED }}"
  schedules: [{interval: "{{ $SECONDS }}"}]
""",
    ).deployments
    assert (entry.concurrency_limit, entry.paused) == ("{{ $LIMIT }}", "{{ $PAUSED }}")


def test_dates_are_text_and_words_are_those_that_project_files_have_always_had():
    assert parse_yaml(
        PATH, "{a: 2024-01-01, b: yes, y: n, c: [2024-01-01 10:00:00], d: 12e34, e: 1.5, f: 010, g: 1:30}"
    ) == {
        "a": "2024-01-01",
        "b": True,
        "y": "n",
        "c": ["2024-01-01T10:00:00"],
        "d": "12e34",
        "e": 1.5,
        "f": 8,
        "g": 90,
    }


def test_flows_are_found_without_executing_files(tmp_path: Path):
    for name, text in {
        "a.py": "from prefect import flow\n@flow\ndef one(): ...\n@flow(name='x')\nasync def two(): ...\ndef no(): ...\n",
        "deep/b.py": "import prefect\nraise SystemExit\n@prefect.flow(retries=1)\ndef three(): ...\n",
        "broken.py": "@flow\ndef (",
        ".venv/c.py": "@flow\ndef hidden(): ...\n",
        "venv/c.py": "@flow\ndef of_others(): ...\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert find_flows(tmp_path) == ["a.py:one", "a.py:two", "deep/b.py:three"]
