"""Marks around values."""

import pickle

import pytest

from prefect.utilities.annotations import BaseAnnotation, Quote, allow_failure, freeze, opaque, quote, unmapped

KINDS = [allow_failure, freeze, opaque, quote, unmapped]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_gives_its_value_back(kind):
    assert kind([1]).unwrap() == [1]
    assert kind([1]).value == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_can_be_put_around_another_value(kind):
    other = kind(1).rewrap("a")
    assert type(other) is kind
    assert other.unwrap() == "a"


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_survives_pickling_around_the_same_value(kind):
    assert pickle.loads(pickle.dumps(kind({"a": 1}))) == kind({"a": 1})


def test_marks_are_equal_by_kind_and_value():
    assert quote(1) == quote(1)
    assert quote(1) != quote(2)
    assert quote(1) != opaque(1)
    assert quote(1) != (1,)
    assert {quote(1), quote(1), opaque(1)} == {quote(1), opaque(1)}


def test_a_mark_shows_what_it_is_around():
    assert repr(allow_failure([1])) == "allow_failure([1])"


def test_an_unmapped_value_is_an_endless_sequence_of_itself():
    value = object()
    assert unmapped(value)[0] is value
    assert unmapped(value)[10_000] is value


def test_only_json_can_be_frozen():
    assert freeze({"a": [1]}).unfreeze() == {"a": [1]}
    with pytest.raises(ValueError, match="JSON serializable"):
        freeze(object())


def test_quote_and_unquote():
    assert quote([1]).unquote() == [1]


def test_the_old_spelling_warns():
    with pytest.warns(DeprecationWarning, match="Use `quote`"):
        old = Quote(1)
    assert isinstance(old, quote)


def test_marks_are_told_from_plain_tuples():
    assert isinstance(quote(1), BaseAnnotation)
    assert not isinstance((1,), BaseAnnotation)
