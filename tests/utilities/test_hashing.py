"""Hashes of texts, files and objects."""

import datetime
import hashlib
import subprocess
import sys
import threading

import pytest
from pydantic import BaseModel

from prefect.exceptions import HashError
from prefect.utilities.hashing import file_hash, hash_objects, stable_hash


class Model(BaseModel):
    x: int = 1


def test_texts_are_hashed_one_after_another():
    assert stable_hash("a", b"b") == hashlib.md5(b"ab").hexdigest()
    assert stable_hash("a", hash_algo=hashlib.sha256) == hashlib.sha256(b"a").hexdigest()


def test_files_are_hashed_by_content(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"hello" * 1_000_000)
    assert file_hash(str(file)) == hashlib.md5(b"hello" * 1_000_000).hexdigest()


def test_json_objects_are_hashed_by_their_json():
    # Keys that other programs wrote must be found again.
    assert hash_objects(1, "a", x=2) == hashlib.md5(b'[[1, "a"], {"x": 2}]').hexdigest()
    assert hash_objects() == hashlib.md5(b"[[], {}]").hexdigest()


def test_the_order_of_keys_makes_no_difference():
    assert hash_objects({"a": 1, "b": 2}) == hash_objects({"b": 2, "a": 1})
    assert hash_objects({"a": 1}) != hash_objects({"a": 2})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)),
        (Model(), Model(x=2)),
        (b"a", b"b"),
        ({1, 2}, {1, 3}),
        (lambda: 1, lambda: 2),
        (ValueError("a"), ValueError("b")),
    ],
    ids=["date", "model", "bytes", "set", "function", "exception"],
)
def test_objects_beyond_json_are_told_apart(one, other):
    assert hash_objects(one) == hash_objects(one)
    assert hash_objects(one) != hash_objects(other)


def test_sets_hash_alike_in_every_process():
    code = "from prefect.utilities.hashing import hash_objects; print(hash_objects({'a', 'b', 'c', 'd'}))"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(hashes) == 1


def test_a_generator_is_not_used_up():
    generator = (i for i in [1, 2])
    assert hash_objects(generator) is None
    assert list(generator) == [1, 2]


def test_what_cannot_be_hashed_is_none_or_an_error():
    assert hash_objects(threading.Lock()) is None
    with pytest.raises(HashError, match=r"JSON error: .*\n.*Pickle error: "):
        hash_objects(threading.Lock(), raise_on_failure=True)
