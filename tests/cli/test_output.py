"""How commands print."""

import datetime
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from uuid import UUID

import pytest
from pydantic import BaseModel

from prefect.cli import _output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)


def on_terminal(print_: Callable[[], None]) -> str:
    with redirect_stdout(Terminal()) as stream:
        print_()
    return stream.getvalue()


def test_colours_are_for_terminals_only(capsys: pytest.CaptureFixture[str]):
    assert on_terminal(lambda: _output.success("done")) == "\x1b[32mdone\x1b[0m\n"
    _output.success("done")
    assert capsys.readouterr().out == "done\n"


@pytest.mark.parametrize(("name", "value"), [("PREFECT_CLI_COLORS", "false"), ("NO_COLOR", "1")])
def test_colours_can_be_turned_off(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    assert on_terminal(lambda: _output.error("no")) == "no\n"


def test_long_lines_are_wrapped_on_terminals_unless_turned_off(monkeypatch: pytest.MonkeyPatch):
    text = "  " + "word " * 20 + "\nhttp://" + "x" * 60
    lines = on_terminal(lambda: _output.echo(text)).splitlines()
    assert all(len(line) <= 40 and line.startswith("  ") for line in lines[:-1])
    assert lines[-1] == "http://" + "x" * 60
    monkeypatch.setenv("PREFECT_CLI_WRAP_LINES", "false")
    assert on_terminal(lambda: _output.echo(text)) == text + "\n"


def test_models_are_printed_as_the_api_represents_them(capsys: pytest.CaptureFixture[str]):
    class Thing(BaseModel):
        id: UUID
        at: datetime.datetime

    thing = Thing(id=UUID(int=1), at=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc))
    _output.print_json([thing])
    assert capsys.readouterr().out == (
        '[\n  {\n    "id": "00000000-0000-0000-0000-000000000001",\n    "at": "2026-01-01T00:00:00Z"\n  }\n]\n'
    )


def test_tables_fold_what_does_not_fit_and_drop_nothing(monkeypatch: pytest.MonkeyPatch):
    rows = [["0" * 36, "a [bold]name[/] of many words"]]
    monkeypatch.setenv("PREFECT_CLI_COLORS", "false")
    text = on_terminal(lambda: _output.print_table("Things", ["ID", ("Name", {"style": "bold"})], rows, caption="look"))
    assert all(part in text for part in ("Things", "ID", "Name", "[bold]", "words", "look"))
    assert text.count("0") == 36


def test_tables_in_pipes_are_wide_and_plain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    _output.print_table("", ["ID", "Name"], [["0" * 36, "n" * 120]])
    text = capsys.readouterr().out
    assert "0" * 36 in text and "n" * 120 in text and "\x1b" not in text
