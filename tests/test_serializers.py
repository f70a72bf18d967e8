"""Values to bytes and back."""

import base64
import datetime
import decimal
import enum
import json
import pathlib
import subprocess
import sys
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Literal

import pydantic
import pytest
from pydantic import BaseModel, Field, RootModel

from prefect.exceptions import SerializationError
from prefect.serializers import (
    CompressedJSONSerializer,
    CompressedPickleSerializer,
    CompressedSerializer,
    JSONSerializer,
    PickleSerializer,
    Serializer,
    UnknownSerializer,
    prefect_json_object_decoder,
)
from prefect.utilities.dispatch import get_registry_for_type


class Size(enum.Enum):
    S = "s"


@dataclass
class Plain:
    a: int
    day: datetime.date


class Model(BaseModel):
    x: int = Field(default=1, alias="X")


class Numbers(RootModel[list[int]]): ...


class Opaque: ...


class Holder(BaseModel):
    serializer: Serializer


VALUES = [
    None,
    True,
    1,
    "text",
    [1, {"a": None}],
    datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc),
    datetime.date(2020, 1, 2),
    datetime.timedelta(seconds=3),
    uuid.UUID(int=1),
    pathlib.Path("a/b"),
    decimal.Decimal("1.5"),
    Size.S,
    Plain(1, datetime.date(2020, 1, 2)),
    Model(X=4),
    Numbers([1]),
    {1, 2},
    b"bytes",
    deque([1]),
    [Plain(1, datetime.date(2020, 1, 2))],
    {"nested": {"model": Model(X=5)}},
]

SERIALIZERS = [
    PickleSerializer(),
    PickleSerializer(picklelib="pickle"),
    JSONSerializer(),
    CompressedPickleSerializer(),
    CompressedJSONSerializer(),
    CompressedSerializer(serializer=JSONSerializer(), compressionlib="zlib"),
]


@pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda serializer: serializer.type)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_was(serializer, value):
    blob = serializer.dumps(value)
    assert isinstance(blob, bytes)
    back = serializer.loads(blob)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda serializer: serializer.type)
def test_an_exception_comes_back_with_its_type_and_text(serializer):
    back = serializer.loads(serializer.dumps(ValueError("boo")))
    assert type(back) is ValueError
    assert str(back) == "boo"


@pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda serializer: serializer.type)
def test_a_value_that_cannot_be_written_is_named(serializer):
    with pytest.raises(SerializationError, match=r"_thread\.lock.*persist_result=False"):
        serializer.dumps(threading.Lock())


def test_pickles_are_text_in_base64():
    blob = PickleSerializer().dumps("x" * 1000)
    assert base64.decodebytes(blob)
    # What other programs wrote has line breaks.
    assert PickleSerializer().loads(base64.encodebytes(base64.decodebytes(blob))) == "x" * 1000


def test_functions_are_pickled():
    offset = 2
    assert PickleSerializer().loads(PickleSerializer().dumps(lambda x: x + offset))(1) == 3


def test_making_a_pickle_serializer_does_not_load_the_library():
    code = (
        "import sys\n"
        "from prefect.serializers import PickleSerializer\n"
        "s = PickleSerializer()\n"
        "assert 'cloudpickle' not in sys.modules\n"
        "assert s.loads(s.dumps(1)) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_pickle_library_has_to_be_one():
    with pytest.raises(pydantic.ValidationError, match="Failed to import requested pickle library: 'nowhere'"):
        PickleSerializer(picklelib="nowhere")
    with pytest.raises(pydantic.ValidationError, match="'os' does not have a 'dumps'"):
        PickleSerializer(picklelib="os")


def test_another_version_of_the_pickle_library_is_warned_of():
    with pytest.warns(RuntimeWarning, match=r"'cloudpickle' versions: .* 0\.0"):
        PickleSerializer(picklelib_version="0.0")


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_says_what_class_an_object_is_of():
    assert json.loads(JSONSerializer().dumps(datetime.date(2020, 1, 2))) == {
        "__class__": "datetime.date",
        "data": "2020-01-02",
    }


def test_an_open_file_is_a_placeholder(tmp_path):
    file = tmp_path / "file"
    file.write_text("content")
    with file.open() as opened:
        back = JSONSerializer().loads(JSONSerializer().dumps(opened))
        assert opened.read() == "content"
    assert "not read" in back["data"]


def test_objects_of_unknown_classes_stay_dictionaries():
    for name in ("nowhere.Thing", "datetime.nothing", "os.system"):
        value = {"__class__": name, "data": {"a": 1}}
        assert prefect_json_object_decoder(value) == value


def test_what_claims_to_be_an_exception_has_to_be_one():
    with pytest.raises(ValueError, match="Invalid exception type: 'builtins.int'"):
        JSONSerializer().loads(b'{"__exc_type__": "builtins.int", "message": ""}')
    with pytest.raises(ValueError, match="Invalid exception type: 'nowhere.Error'"):
        JSONSerializer().loads(b'{"__exc_type__": "nowhere.Error", "message": ""}')


def test_a_generator_is_refused_and_not_used_up():
    generator = (i for i in [1])
    with pytest.raises(SerializationError, match="generator"):
        JSONSerializer().dumps(generator)
    assert list(generator) == [1]


def test_another_json_library_can_be_used():
    serializer = JSONSerializer(jsonlib="orjson")
    value = {"a": [Model(X=3)], "b": 1}
    assert serializer.loads(serializer.dumps(value)) == value


def test_encoders_can_be_left_out():
    with pytest.raises(SerializationError, match="Plain"):
        JSONSerializer(object_encoder=None).dumps(Plain(1, datetime.date(2020, 1, 1)))
    blob = JSONSerializer().dumps(datetime.date(2020, 1, 2))
    assert JSONSerializer(object_decoder=None).loads(blob)["data"] == "2020-01-02"


def test_arguments_are_passed_to_the_library_but_hooks_are_not():
    assert JSONSerializer(dumps_kwargs={"indent": 1}).dumps([1]) == b"[\n 1\n]"
    with pytest.raises(pydantic.ValidationError, match="`default` cannot be provided"):
        JSONSerializer(dumps_kwargs={"default": str})
    with pytest.raises(pydantic.ValidationError, match="`object_hook` cannot be provided"):
        JSONSerializer(loads_kwargs={"object_hook": dict})


# --- choosing by type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("pickle", PickleSerializer),
        ("json", JSONSerializer),
        ("compressed/pickle", CompressedPickleSerializer),
        ("compressed/json", CompressedJSONSerializer),
    ],
)
def test_a_serializer_is_chosen_by_its_type(kind, cls):
    assert type(Serializer(type=kind)) is cls
    assert type(Serializer.model_validate({"type": kind})) is cls
    assert type(Holder(serializer={"type": kind}).serializer) is cls
    assert type(Holder.model_validate_json(f'{{"serializer": {{"type": "{kind}"}}}}').serializer) is cls


def test_options_travel_with_the_type():
    assert Serializer(type="json", jsonlib="orjson") == JSONSerializer(jsonlib="orjson")
    compressed = Serializer(type="compressed", serializer={"type": "json", "jsonlib": "orjson"})
    assert compressed.serializer == JSONSerializer(jsonlib="orjson")
    assert CompressedSerializer(serializer="json").serializer == JSONSerializer()


def test_an_instance_is_kept_as_it_is():
    serializer = JSONSerializer(jsonlib="orjson")
    assert Holder(serializer=serializer).serializer is serializer


def test_an_unknown_type_is_an_error_that_names_the_known_ones():
    with pytest.raises(pydantic.ValidationError, match=r"'nothing'.*'json'.*'pickle'"):
        Serializer(type="nothing")
    with pytest.raises(pydantic.ValidationError) as caught:
        Holder(serializer={"type": "nothing"})
    assert caught.value.errors()[0]["loc"] == ("serializer", "type")


def test_a_serializer_is_not_of_another_type():
    with pytest.raises(pydantic.ValidationError, match="JSONSerializer"):
        PickleSerializer(type="json")
    with pytest.raises(pydantic.ValidationError):
        PickleSerializer().type = "json"


def test_unknown_options_are_refused():
    with pytest.raises(pydantic.ValidationError, match="Extra inputs are not permitted"):
        Serializer(type="pickle", colour="red")


def test_a_serializer_of_ones_own_can_be_chosen():
    class ReversedSerializer(Serializer):
        type: Literal["reversed"] = "reversed"

        def dumps(self, obj):
            return str(obj)[::-1].encode()

        def loads(self, blob):
            return blob.decode()[::-1]

    try:
        serializer = Serializer(type="reversed")
        assert type(serializer) is ReversedSerializer
        assert serializer.loads(serializer.dumps("abc")) == "abc"
    finally:
        get_registry_for_type(Serializer).pop("reversed")


def test_an_unknown_serializer_says_that_it_can_do_nothing():
    unknown = UnknownSerializer(type="elsewhere", colour="red")
    with pytest.raises(SerializationError, match="'elsewhere'"):
        unknown.dumps(1)
    with pytest.raises(SerializationError, match="'elsewhere'"):
        unknown.loads(b"")


def test_compression_libraries_have_to_be_ones():
    with pytest.raises(pydantic.ValidationError, match="'json' does not have a 'compress'"):
        CompressedJSONSerializer(compressionlib="json")


def test_what_was_compressed_is_smaller():
    value = "x" * 10_000
    assert len(CompressedJSONSerializer().dumps(value)) < len(JSONSerializer().dumps(value)) / 10
