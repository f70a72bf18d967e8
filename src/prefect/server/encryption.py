"""Encrypts what must not stand in the database in clear: the data of block documents.

The key is `PREFECT_SERVER_ENCRYPTION_KEY` (or, as older set-ups call it, `ORION_ENCRYPTION_KEY`), a Fernet key. Without
one a key is made on first use and kept in the database, under `ENCRYPTION_KEY` in the table `configuration`. It is kept
there, and not in a file of the server's home, because a key must never be apart from what it opens: every server and
every embedded run on the same database finds it, whatever their homes, and a copy or backup of the database stays
readable. The price is that such a key hides secrets from a glance only; whoever takes the whole database has both. Who
needs more sets the variable. What was written under the database's own key stays readable then, and is encrypted
under the new key when it is next changed.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from prefect.server.database.store import Transaction
from prefect.server.models._rows import dumps, loads
from prefect.server.models.configuration import agree_on_configuration, read_configuration
from prefect.server.models.errors import ApiError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_VARIABLES = ("PREFECT_SERVER_ENCRYPTION_KEY", "ORION_ENCRYPTION_KEY")
_STORED_KEY = "ENCRYPTION_KEY"


class EncryptionKeyError(ApiError):
    """Encrypted data cannot be read with the keys at hand, or a key is no key at all.

    Nothing was changed. The message says which variable to set; it holds neither the key nor the data.
    """

    def __init__(self, message: str) -> None:
        super().__init__(500, message)


def encrypt(tx: Transaction, value: Any) -> str:
    """Turn a JSON value into a token that only the holder of the key can read.

    Raises:
        EncryptionKeyError: The key in the environment is malformed.
    """
    chosen, stored = _key_of_environment(), _key_of_database(tx)
    if chosen is None and stored is None:
        stored = agree_on_configuration(tx, _STORED_KEY, {"fernet_key": _new_key()})["fernet_key"]
    return _cipher(chosen, stored).encrypt(dumps(value).encode()).decode()


def decrypt(tx: Transaction, token: str) -> Any:
    """Read a token of `encrypt`.

    Raises:
        EncryptionKeyError: It was written under another key.
    """
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - costs 40 ms; most processes store no secrets

    chosen, stored = _key_of_environment(), _key_of_database(tx)
    if chosen is None and stored is None:
        raise EncryptionKeyError(_unreadable(chosen))
    try:
        return loads(_cipher(chosen, stored).decrypt(token))
    except InvalidToken:
        raise EncryptionKeyError(_unreadable(chosen)) from None


def check_key(tx: Transaction) -> None:
    """See whether the keys at hand open what is stored, so that a server can tell when it starts.

    Raises:
        EncryptionKeyError: They do not.
    """
    newest = tx.fetch_one("SELECT data FROM block_document ORDER BY updated DESC LIMIT 1")
    if newest is not None:
        decrypt(tx, newest["data"])


def _key_of_environment() -> str | None:
    return next((key for name in _VARIABLES if (key := os.environ.get(name))), None)


def _key_of_database(tx: Transaction) -> str | None:
    value = read_configuration(tx, _STORED_KEY)
    return None if value is None else value["fernet_key"]


def _new_key() -> str:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - costs 40 ms; most processes store no secrets

    return Fernet.generate_key().decode()


@lru_cache(maxsize=8)
def _cipher(chosen: str | None, stored: str | None) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - costs 40 ms; most processes store no secrets

    try:
        return MultiFernet([Fernet(key) for key in (chosen, stored) if key is not None])
    except ValueError:
        raise EncryptionKeyError(
            f"{_VARIABLES[0]} is not a Fernet key: expected 32 bytes in URL-safe base64. Make one with `python -c "
            '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`.'
        ) from None


def _unreadable(chosen: str | None) -> str:
    if chosen is None:
        return f"A block was encrypted under a key that is not at hand. Set {_VARIABLES[0]} to the key in use then."
    return (
        f"A block was encrypted under another key than the one in {_VARIABLES[0]}. Set the variable to the key in use "
        "then, or save the block again."
    )
