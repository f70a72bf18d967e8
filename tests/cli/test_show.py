"""How one object is shown."""

from datetime import timedelta
from enum import Enum
from uuid import UUID

import pytest
from pydantic import BaseModel

from prefect.cli._show import show


class Colour(Enum):
    RED = "red"


class Policy(BaseModel):
    retries: int | None = None
    resuming: bool = False


class Thing(BaseModel):
    id: UUID = UUID(int=1)
    name: str = "[b]thing[/b]"
    note: str | None = None
    tags: list[str] = []
    colour: Colour = Colour.RED
    took: timedelta = timedelta(seconds=1)
    is_on: bool = False
    count: int = 0
    values: dict[str, object] = {}
    text: str = ""
    policy: Policy = Policy()


def shown(thing: BaseModel | dict[str, object], capsys: pytest.CaptureFixture[str]) -> str:
    show(thing)
    return capsys.readouterr().out


def test_fields_are_aligned_and_empty_ones_left_out(capsys: pytest.CaptureFixture[str]):
    assert shown(Thing(), capsys) == (
        "id:     00000000-0000-0000-0000-000000000001\n"
        "name:   [b]thing[/b]\n"
        "colour: red\n"
        "took:   1.000 s\n"
        "is_on:  false\n"
        "count:  0\n"
    )


def test_objects_inside_and_long_values_have_lines_of_their_own(capsys: pytest.CaptureFixture[str]):
    thing = Thing(tags=["a", "b"], values={"x": "y" * 80}, text="one\ntwo", policy=Policy(retries=2))
    assert shown(thing, capsys).splitlines()[2:] == [
        "tags:   a, b",
        "colour: red",
        "took:   1.000 s",
        "is_on:  false",
        "count:  0",
        "values:",
        "  {",
        f'    "x": "{"y" * 80}"',
        "  }",
        "text:",
        "  one",
        "  two",
        "policy:",
        "  retries: 2",
    ]


def test_a_dictionary_is_shown_with_all_its_items(capsys: pytest.CaptureFixture[str]):
    assert shown({"A": None, "Bcd": {"x": "1"}, "E": ""}, capsys) == 'A:   null\nBcd: {"x": "1"}\nE:\n'
