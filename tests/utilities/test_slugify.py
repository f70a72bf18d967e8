"""Names of plain letters."""

import pytest

from prefect.utilities.slugify import slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello World", "hello-world"),
        ("  a_b -- c  ", "a-b-c"),
        ("Ünïcode & stuff!!", "unicode-stuff"),
        ("ß æ ø Ł", "ss-ae-o-l"),
        ("Компьютер", "kompiuter"),
        ("ελληνικά", "ellenika"),
        ("10,000.50 reasons", "10000-50-reasons"),
        ("it's", "it-s"),
        ("don’t", "dont"),
        ("a—b", "a-b"),
        ("&lt;tag&gt; &#381; &#x17D;", "tag-z-z"),
        ("&nope; &#99999999;", "nope-99999999"),
        ("2026-11-21T05:00:00+00:00", "2026-11-21t05-00-00-00-00"),
        (b"bytes too", "bytes-too"),
        ("", ""),
        ("___", ""),
    ],
)
def test_text_becomes_a_slug(text, slug):
    assert slugify(text) == slug


@pytest.mark.parametrize(
    ("text", "options", "slug"),
    [
        ("A B", {"lowercase": False}, "A-B"),
        ("a b", {"separator": "_"}, "a_b"),
        ("a b", {"separator": ""}, "ab"),
        ("the one the", {"stopwords": ["the"]}, "one"),
        ("a_b.c", {"regex_pattern": r"[^-a-z0-9_]+"}, "a_b-c"),
        ("a|b", {"replacements": [["|", "or"]]}, "aorb"),
        ("a|b", {"replacements": [["-", "_"]], "replacement_stage": "post"}, "a_b"),
        ("日本 é", {"allow_unicode": True}, "日本-é"),
        ("x&lt;y", {"entities": False}, "x-lt-y"),
        ("x&#381;y", {"decimal": False}, "x-381-y"),
        ("x&#x17D;y", {"hexadecimal": False}, "x-x17d-y"),
        ("one two three four", {"max_length": 10}, "one-two-th"),
        ("one two three four", {"max_length": 8}, "one-two"),
        ("one two three four", {"max_length": 12, "word_boundary": True}, "one-two-four"),
        ("one two three four", {"max_length": 12, "word_boundary": True, "save_order": True}, "one-two"),
        ("abcdef", {"max_length": 3, "word_boundary": True}, "abc"),
    ],
    ids=str,
)
def test_options_change_the_slug(text, options, slug):
    assert slugify(text, **options) == slug


def test_only_text_becomes_a_slug():
    with pytest.raises(TypeError, match="not int"):
        slugify(3)


def test_a_backend_has_to_exist_and_to_be_installed():
    with pytest.raises(ValueError, match="'nothing'"):
        slugify("é", backend="nothing")
    with pytest.raises(ModuleNotFoundError, match="anyascii"):
        slugify("é", backend="anyascii")
