"""CSRF tokens: made for one client and for a while, and checked without being stored.

A token says until when it is good, and is signed together with the id of its client, under a key that all servers on one
database share. So none has to be written, looked up or cleaned away.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta, timezone

from prefect.server.database.store import Transaction
from prefect.server.models.configuration import agree_on_configuration

_KEY = "CSRF_KEY"
_EXPIRY_DIGITS = 12
_SIGNATURE_DIGITS = 52


def read_csrf_key(tx: Transaction) -> bytes:
    """The key of the servers on this database, made when there is none."""
    return bytes.fromhex(agree_on_configuration(tx, _KEY, {"key": secrets.token_hex(32)})["key"])


def make_csrf_token(key: bytes, client: str, expires_at: datetime) -> str:
    """A token of 64 hexadecimal digits for a client, good until an instant (to the second)."""
    expiry = f"{int(expires_at.timestamp()):0{_EXPIRY_DIGITS}x}"
    return expiry + _signature(key, client, expiry)


def is_csrf_token_good(key: bytes, client: str, token: str, now: datetime) -> bool:
    """Whether a token was made for a client under this key, and is not over."""
    expiry, signature = token[:_EXPIRY_DIGITS], token[_EXPIRY_DIGITS:]
    if not hmac.compare_digest(_signature(key, client, expiry).encode(), signature.encode("utf-8", "replace")):
        return False
    return datetime.fromtimestamp(int(expiry, 16), timezone.utc) > now


def csrf_expiry(now: datetime, lifetime: timedelta) -> datetime:
    """When a token that is made now is over."""
    return (now + lifetime).replace(microsecond=0)


def _signature(key: bytes, client: str, expiry: str) -> str:
    text = f"{expiry}:{client}".encode("utf-8", "replace")
    return hmac.digest(key, text, "sha256").hex()[:_SIGNATURE_DIGITS]
