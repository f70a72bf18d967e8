"""`prefect.testing.cli`."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from prefect.testing.cli import (
    CycloptsCliRunner,
    CycloptsResult,
    check_contains,
    invoke_and_assert,
    temporary_console_width,
)

UNKNOWN = ["profile", "delete", "nope"]
MESSAGE = "Profile 'nope' not found."


def test_a_call_gives_what_it_printed_and_its_exit_code(home: Path):
    result = CycloptsCliRunner().invoke("profile delete 'nope'")
    assert (result.stdout, result.stderr, result.output) == (f"{MESSAGE}\n", "", f"{MESSAGE}\n")
    assert (result.exit_code, result.exception) == (1, None)
    usage = CycloptsCliRunner().invoke(["profile", "dlete"])
    assert (usage.exit_code, usage.stdout, usage.output) == (2, "", usage.stderr)


def test_an_unexpected_error_is_part_of_the_result(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_TESTING_TEST_MODE", "true")
    monkeypatch.setattr("prefect.cli.profile.load_profiles", lambda **_: 1 / 0)
    assert isinstance(CycloptsCliRunner().invoke("profile ls").exception, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        invoke_and_assert("profile ls")


def test_what_is_as_expected_passes(home: Path, capsys: pytest.CaptureFixture[str]):
    result = invoke_and_assert(
        UNKNOWN,
        expected_code=1,
        expected_output=f"\n  {MESSAGE} \n",
        expected_output_contains=["nope", "not found"],
        expected_output_does_not_contain="deleted",
        expected_line_count=1,
    )
    assert isinstance(result, CycloptsResult)
    assert MESSAGE in capsys.readouterr().out
    invoke_and_assert(UNKNOWN, expected_code=None, echo=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [
        ({}, "The exit code is 1, and not 0"),
        ({"expected_code": 2}, "The exit code is 1, and not 2"),
        ({"expected_code": 1, "expected_output": "Profile"}, "The output is"),
        ({"expected_code": 1, "expected_output_contains": "deleted"}, "'deleted' is not in the output"),
        ({"expected_code": 1, "expected_output_contains": ["nope", "deleted"]}, "'deleted' is not in the output"),
        ({"expected_code": 1, "expected_output_does_not_contain": ["x", "nope"]}, "'nope' should not be in the output"),
        ({"expected_code": 1, "expected_line_count": 2}, "There are 1 lines of output, and not 2"),
    ],
)
def test_what_is_not_as_expected_fails(expected: dict[str, object], complaint: str, home: Path):
    with pytest.raises(AssertionError, match=complaint):
        invoke_and_assert(UNKNOWN, **expected)


def test_questions_are_asked_where_there_are_answers(home: Path):
    invoke_and_assert("profile create mine")
    invoke_and_assert("profile delete mine", user_input="n", expected_code=1, expected_output_contains="Aborted")
    answers = [("Delete profile 'mine'?", "n")]
    invoke_and_assert("profile delete mine", prompts_and_responses=answers, expected_code=1)
    with pytest.raises(AssertionError, match="Another question"):
        invoke_and_assert(
            "profile delete mine", prompts_and_responses=[("Another question", "n")], expected_code=1, echo=False
        )
    with pytest.raises(ValueError, match="not both"):
        invoke_and_assert("profile delete mine", user_input="n", prompts_and_responses=answers)
    invoke_and_assert("profile delete mine")


def test_a_call_can_take_place_in_another_folder(home: Path, tmp_path: Path):
    before = Path.cwd()
    (tmp_path / "prefect.toml").write_text("[server.api]\nport = 4321\n")
    invoke_and_assert("config view", temp_dir=str(tmp_path), expected_output_contains="PREFECT_SERVER_API_PORT='4321'")
    assert Path.cwd() == before


def test_texts_are_looked_for_in_a_result():
    result = CycloptsResult("out\n", "err\n", 0, None)
    check_contains(result, "out\nerr", should_contain=True)
    check_contains(result, " err ", should_contain=True)
    check_contains(result, "nope", should_contain=False)
    with pytest.raises(AssertionError):
        check_contains(result, "nope", should_contain=True)
    with pytest.raises(AssertionError):
        check_contains(result, "out", should_contain=False)


def test_a_console_has_another_width_for_a_while():
    console = Console(width=50, file=io.StringIO())
    with temporary_console_width(console, 20):
        assert console.width == 20
    assert console.width == 50
