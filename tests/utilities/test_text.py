"""Shortened and similar text."""

import pytest

from prefect.utilities.text import fuzzy_match_string, truncated_to


def test_the_middle_of_a_long_text_is_left_out():
    assert truncated_to(10, "a" * 40 + "b" * 40) == "aaaaa...70 additional characters...bbbbb"
    assert truncated_to(5, "a" * 40 + "b" * 40) == "aa...76 additional characters...bb"


@pytest.mark.parametrize("text", ["", "short", "x" * 35])
def test_a_text_that_would_not_get_shorter_stays(text):
    assert truncated_to(10, text) == text


def test_no_text_is_an_empty_one():
    assert truncated_to(10, None) == ""


def test_a_misspelt_word_is_recognised():
    assert fuzzy_match_string("pikle", ["json", "pickle"]) == "pickle"
    assert fuzzy_match_string("zzz", ["json", "pickle"]) is None
