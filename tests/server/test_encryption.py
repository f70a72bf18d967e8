"""The encryption of what must not stand in the database in clear."""

from __future__ import annotations

import threading

import pytest
from cryptography.fernet import Fernet

from prefect.server.encryption import EncryptionKeyError, check_key, decrypt, encrypt

VARIABLE = "PREFECT_SERVER_ENCRYPTION_KEY"


@pytest.fixture(autouse=True)
def no_key_around(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("ORION_ENCRYPTION_KEY", raising=False)


def encrypted(store, value):
    return store.write(lambda tx: encrypt(tx, value))


def decrypted(store, token):
    return store.read(lambda tx: decrypt(tx, token))


def test_a_value_comes_back_as_it_was(store):
    value = {"a": [1, None, "é\u0000"], "b": {}}

    token = encrypted(store, value)

    assert "é" not in token and token != encrypted(store, value)
    assert decrypted(store, token) == value


def test_all_who_need_a_key_first_agree_on_one(store):
    tokens = []
    threads = [threading.Thread(target=lambda n=n: tokens.append(encrypted(store, n))) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(decrypted(store, token) for token in tokens) == list(range(6))


@pytest.mark.parametrize("variable", [VARIABLE, "ORION_ENCRYPTION_KEY"])
def test_the_key_of_the_environment_is_used_and_not_stored(store, monkeypatch, variable):
    key = Fernet.generate_key()
    monkeypatch.setenv(variable, key.decode())

    token = encrypted(store, {"a": 1})

    assert Fernet(key).decrypt(token) == b'{"a":1}'
    assert store.read(lambda tx: tx.fetch_all("SELECT * FROM configuration")) == []


def test_what_the_databases_key_wrote_stays_readable_under_a_key_of_the_environment(store, monkeypatch):
    old = encrypted(store, "old")
    key = Fernet.generate_key()
    monkeypatch.setenv(VARIABLE, key.decode())

    assert decrypted(store, old) == "old"
    assert Fernet(key).decrypt(encrypted(store, "new")) == b'"new"'


def test_another_key_is_named_as_the_reason(store, monkeypatch):
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    token = encrypted(store, "s3cret")
    other = Fernet.generate_key().decode()

    for key in (other, None):
        monkeypatch.setenv(VARIABLE, key) if key else monkeypatch.delenv(VARIABLE)
        with pytest.raises(EncryptionKeyError, match=VARIABLE) as caught:
            decrypted(store, token)
        assert other not in str(caught.value) and "s3cret" not in str(caught.value)


def test_a_malformed_key_is_refused_without_being_shown(store, monkeypatch):
    monkeypatch.setenv(VARIABLE, "not-a-key")

    with pytest.raises(EncryptionKeyError, match="Fernet") as caught:
        encrypted(store, 1)

    assert "not-a-key" not in str(caught.value)


def test_a_server_can_check_its_key_before_it_serves(api, monkeypatch):
    check = lambda: api.store.read(check_key)  # noqa: E731
    check()
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    block_type = api("POST", "/block_types/", {"name": "T", "slug": "t"}).body
    schema = api("POST", "/block_schemas/", {"block_type_id": block_type.id}).body
    body = {"name": "n", "data": {"a": 1}, "block_type_id": block_type.id, "block_schema_id": schema.id}
    api("POST", "/block_documents/", body)
    check()

    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())

    with pytest.raises(EncryptionKeyError):
        check()
    assert api.refused("POST", "/block_documents/filter").status == 500
