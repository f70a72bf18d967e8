"""The small types read what users write, and say what is wrong with the rest."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydantic import AnyUrl, BaseModel, TypeAdapter, ValidationError

from prefect import types
from prefect.types import _datetime, names

UTC = datetime.timezone.utc


def read(annotation: Any, value: Any) -> Any:
    return TypeAdapter(annotation).validate_python(value)


# -- instants --------------------------------------------------------------------------------------------------------


def test_naive_instants_are_utc():
    assert read(types.DateTime, "2020-01-01T10:00:00") == datetime.datetime(2020, 1, 1, 10, tzinfo=UTC)
    assert read(types.DateTime, datetime.datetime(2020, 1, 1)).tzinfo is UTC


def test_instants_keep_their_offset():
    value = read(types.DateTime, "2020-01-01T10:00:00+02:00")
    assert value.utcoffset() == datetime.timedelta(hours=2)


def test_an_annotation_of_instants_can_be_used_as_a_class():
    assert isinstance(datetime.datetime.now(UTC), types.DateTime)
    assert not isinstance(datetime.date.today(), types.DateTime)
    assert type(types.DateTime(2020, 1, 1, tzinfo=UTC)) is datetime.datetime
    assert type(types.DateTime.now(UTC)) is datetime.datetime


def test_instants_can_be_optional_fields():
    class Model(BaseModel):
        at: types.DateTime | None = None

    assert Model().at is None
    assert Model(at="2020-01-01").model_dump(mode="json") == {"at": "2020-01-01T00:00:00Z"}
    assert Model.model_json_schema()["properties"]["at"]["anyOf"][0] == {"format": "date-time", "type": "string"}


def test_now_is_in_the_time_zone_that_is_asked_for():
    assert _datetime.now().utcoffset() == datetime.timedelta(0)
    assert str(_datetime.now("America/New_York").tzinfo) == "America/New_York"
    assert _datetime.now(UTC).tzinfo is UTC


def test_texts_and_timestamps_become_instants():
    assert _datetime.parse_datetime("2020-01-01T00:00:00Z") == datetime.datetime(2020, 1, 1, tzinfo=UTC)
    assert _datetime.parse_datetime("2020-01-01").tzinfo is UTC
    assert _datetime.from_timestamp(0, "Europe/Paris").hour == 1
    with pytest.raises(ValueError, match="today"):
        _datetime.parse_datetime("today")


# -- numbers, times, levels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, set()),
        ("", set()),
        ("500", {500}),
        (" 500 , 502", {500, 502}),
        (500, {500}),
        ({500}, {500}),
        ([500, 501], {500, 501}),
        ({"500"}, {500}),
    ],
)
def test_extra_status_codes_are_read_from_texts_and_numbers(value: Any, expected: set[int]):
    assert read(types.ClientRetryExtraCodes, value) == expected


@pytest.mark.parametrize("value", ["abc", "99", "700", 1000])
def test_what_is_no_status_code_is_refused(value: Any):
    with pytest.raises(ValidationError):
        read(types.ClientRetryExtraCodes, value)


def test_sets_are_read_with_the_delimiter_that_is_asked_for():
    assert types.validate_set_T_from_delim_string("a;b", str, ";") == {"a", "b"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1.0),
        ("1,2", [1.0, 2.0]),
        (" 1 , 2 ", [1.0, 2.0]),
        ("1,", 1.0),
        ("", None),
        (None, None),
        (3, 3),
        ([1, 2], [1, 2]),
    ],
)
def test_retry_delays_are_read_from_texts(value: Any, expected: Any):
    assert read(types.TaskRetryDelaySeconds, value) == expected


def test_a_retry_delay_that_is_no_number_is_named():
    with pytest.raises(ValidationError, match="Invalid number format 'abc'"):
        read(types.TaskRetryDelaySeconds, "1,abc")


@pytest.mark.parametrize(("value", "seconds"), [(1, 1), (1.5, 1.5), ("10", 10), ("1.5", 1.5), ("PT1H", 3600)])
def test_durations_are_seconds(value: Any, seconds: float):
    assert read(types.SecondsTimeDelta, value) == datetime.timedelta(seconds=seconds)


def test_delays_are_not_negative():
    assert read(types.NonNegativeTimeDelta, 0) == datetime.timedelta(0)
    with pytest.raises(ValidationError, match="non-negative"):
        read(types.NonNegativeTimeDelta, -1)


def test_levels_are_read_in_any_case():
    assert read(types.LogLevel, "debug") == "DEBUG"
    for value in ("loud", 10, None):
        with pytest.raises(ValidationError):
            read(types.LogLevel, value)


def test_time_zones_are_known_names():
    assert read(types.TimeZone, "America/New_York") == "America/New_York"
    for name in ("Nope", "", "../../etc/passwd"):
        with pytest.raises(ValidationError, match="Unknown time zone"):
            read(types.TimeZone, name)


# -- texts -----------------------------------------------------------------------------------------------------------


def test_dictionaries_are_read_from_json():
    assert read(types.JsonStringOrDict, '{"a": "b"}') == {"a": "b"}
    assert read(types.JsonStringOrDict, {"a": "b"}) == {"a": "b"}
    for value in ("", "[1]", '{"a": 1}', None):
        with pytest.raises(ValidationError):
            read(types.JsonStringOrDict, value)


def test_empty_texts_are_left_out_of_lists():
    assert read(types.ListOfNonEmptyStrings, ["a", "", 1]) == ["a", "1"]
    with pytest.raises(ValidationError):
        read(types.ListOfNonEmptyStrings, None)


def test_urls_are_texts():
    assert read(types.LaxUrl, AnyUrl("http://x")) == "http://x/"
    assert read(types.LaxUrl, "not a url") == "not a url"


def test_labels_keep_the_types_of_their_values():
    labels = {"a": 1, "b": True, "c": 1.5, "d": "x", "e": "true", "f": "1"}
    assert repr(read(types.KeyValueLabelsField, labels)) == repr(labels)


def test_no_labels_are_an_empty_dictionary():
    assert read(types.KeyValueLabelsField, None) == {}
    assert types.cast_none_to_empty_dict(None) == {}
    assert types.convert_none_to_empty_dict(None) == {}


def test_secret_dictionaries_do_not_show_their_values():
    secret = types.SecretDict({"password": "open sesame"})
    assert secret.get_secret_value() == {"password": "open sesame"}
    shown = f"{secret!r} {secret} {TypeAdapter(types.SecretDict).dump_json(secret)}"
    assert "sesame" not in shown


# -- values of variables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 1.5, True, None, "x", [1, {"a": None}], {"a": [1]}, "1"])
def test_variables_hold_json(value: Any):
    assert repr(read(types.StrictVariableValue, value)) == repr(value)


@pytest.mark.parametrize("value", [b"x", {1}, object(), {"a": object()}, float("nan")])
def test_variables_hold_nothing_else(value: Any):
    with pytest.raises(ValidationError, match="must be serializable to JSON"):
        read(types.StrictVariableValue, value)


def test_the_keys_of_variables_are_texts():
    with pytest.raises(ValidationError, match="should be a valid string"):
        read(types.StrictVariableValue, {1: 2})


def test_variables_are_limited_by_the_characters_of_their_json():
    assert read(types.StrictVariableValue, "x" * 4998)
    assert read(types.StrictVariableValue, "é" * 4998)
    with pytest.raises(ValidationError, match="less than 5000 characters"):
        read(types.StrictVariableValue, "x" * 4999)


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", names.BANNED_CHARACTERS)
def test_names_do_not_hold_banned_characters(character: str):
    for annotation in (names.Name, names.NameOrEmpty, names.NonEmptyishName):
        with pytest.raises(ValidationError):
            read(annotation, f"a{character}b")


def test_empty_names_are_accepted_where_they_may_be():
    assert read(names.NameOrEmpty, "") == ""
    with pytest.raises(ValidationError):
        read(names.Name, "")
    for name in ("", " ", "'", '"', "' \""):
        with pytest.raises(ValidationError):
            read(names.NonEmptyishName, name)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (names.ArtifactKey, ["a-1", ""], ["A", "a_b", "a b", "a\n"]),
        (names.BlockTypeSlug, ["a-1"], ["A", "a_b"]),
        (names.BlockDocumentName, ["a-1"], ["A", "a_b", ""]),
        (names.VariableName, ["a-1_b", "x" * 255], ["A", "a b", "x" * 256]),
    ],
)
def test_keys_hold_lower_case_letters_digits_and_dashes(annotation: Any, good: list[str], bad: list[str]):
    assert [read(annotation, name) for name in good] == good
    for name in bad:
        with pytest.raises(ValidationError):
            read(annotation, name)


def test_underscores_take_the_place_of_dashes_where_they_should():
    assert names.raise_on_name_alphanumeric_underscores_only("a_b") == "a_b"
    assert names.raise_on_name_alphanumeric_underscores_only(None) is None
    with pytest.raises(ValueError, match="limit must only contain lowercase letters, numbers, and underscores"):
        names.raise_on_name_alphanumeric_underscores_only("a-b", field_name="limit")


@pytest.mark.parametrize("key", ["s3://bucket/path", "file:///x", "http://"])
def test_assets_are_named_by_uris(key: str):
    assert read(names.ValidAssetKey, key) == key


@pytest.mark.parametrize(
    "key",
    [
        "bucket",
        "S3://x",
        "x+y://z",
        "s3://a b",
        "s3://a?b",
        "s3://" + "a" * 508,
        *(f"s3://{c}" for c in names.RESTRICTED_ASSET_CHARACTERS),
    ],
)
def test_what_is_no_uri_names_no_asset(key: str):
    with pytest.raises(ValidationError):
        read(names.ValidAssetKey, key)
