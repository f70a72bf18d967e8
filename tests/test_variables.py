import asyncio

import pytest
from pydantic import ValidationError

from prefect.variables import Variable


@pytest.fixture(autouse=True)
def in_own_database(home):
    """No variable of one test is seen by another."""


def test_a_variable_is_set_and_read():
    stored = Variable.set("answer", {"value": [42]}, tags=["important"])
    assert (stored.name, stored.value, stored.tags) == ("answer", {"value": [42]}, ["important"])
    assert Variable.get("answer") == {"value": [42]}


@pytest.mark.parametrize("value", ["text", 3, 2.5, True, None, {"a": {"b": None}}, [1, "x", []]])
def test_any_json_value_can_be_stored(value):
    Variable.set("v", value)
    assert Variable.get("v", default="absent") == value


def test_a_missing_variable_gives_the_default():
    assert Variable.get("absent") is None
    assert Variable.get("absent", default=5) == 5


def test_an_existing_variable_is_overwritten_only_when_asked():
    Variable.set("v", 1, tags=["old"])
    with pytest.raises(ValueError, match="'v' already exists. Use `overwrite=True`"):
        Variable.set("v", 2)
    assert Variable.get("v") == 1
    assert Variable.set("v", 2, tags=["new"], overwrite=True).tags == ["new"]
    assert Variable.set("v", 3, overwrite=True).tags == []
    assert Variable.get("v") == 3


def test_a_variable_is_deleted_once():
    Variable.set("v", 1)
    assert Variable.unset("v") is True
    assert Variable.unset("v") is False
    assert Variable.get("v") is None


@pytest.mark.parametrize(("name", "value"), [("Has Spaces", 1), ("ok", "x" * 5000), ("ok", object()), ("x" * 256, 1)])
def test_what_is_not_allowed_is_refused_before_it_is_sent(name, value):
    with pytest.raises(ValidationError):
        Variable.set(name, value)


async def test_in_async_code_the_same_methods_are_awaited():
    await Variable.set("v", 1)
    assert await Variable.get("v") == 1
    await Variable.aset("v", 2, overwrite=True)
    assert await Variable.aget("v") == 2
    assert await Variable.aget("absent", default=7) == 7
    assert await Variable.aunset("v") is True
    assert await Variable.unset("v") is False


async def test_of_two_that_create_the_same_variable_one_is_told():
    outcomes = await asyncio.gather(Variable.aset("v", 1), Variable.aset("v", 2), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ValueError", "Variable"]
