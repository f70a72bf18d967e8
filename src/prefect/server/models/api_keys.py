"""API keys: made, listed, revoked; and what is needed to tell a good one from a bad one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_id, decode_time
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.server.schemas.access import ApiKey, ApiKeyCreate, ApiKeyCreated, Role

PREFIX = "pfs_"
"""Begins every key, so that programs that look for leaked secrets can find them."""
_KEY_BYTES = 32

_COLUMNS = "id, created, name, role, sees_secrets, expires_at, last_used_at, revoked_at"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the holder of a key is known as, and may do."""

    id: UUID
    name: str
    role: Role
    sees_secrets: bool
    expires_at: datetime | None


def hash_key(key: str) -> str:
    """What is stored of a key. A slow hash would protect a key of 256 random bits no better, and cost every request."""
    return sha256(key.encode("utf-8", "replace")).hexdigest()


def create_api_key(tx: Transaction, wanted: ApiKeyCreate) -> ApiKeyCreated:
    """Make a key. It is in the answer, and nowhere else.

    Raises:
        Invalid: It would have expired already.
        Conflict: The name is taken, or nobody would be left who can manage keys.
    """
    if wanted.expires_at is not None and wanted.expires_at <= tx.now:
        raise Invalid(f"The key would expire at {wanted.expires_at.isoformat()}, which is over. Choose a later time.")
    if tx.fetch_one("SELECT 1 FROM api_key WHERE name = ? AND revoked_at IS NULL", (wanted.name,)) is not None:
        raise Conflict(f"There is an API key named {wanted.name!r}. Choose another name, or revoke that key first.")
    if wanted.role is not Role.ADMIN and not _has_admin(tx):
        raise Conflict(
            "The first API key must have the role admin: with it the server begins to ask for keys, and only admins "
            "make more of them."
        )
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    created = ApiKeyCreated(
        id=uuid4(),
        created=tx.now,  # type: ignore[arg-type]
        name=wanted.name,
        role=wanted.role,
        sees_secrets=wanted.sees_secrets or wanted.role is Role.ADMIN,
        expires_at=wanted.expires_at,
        key=key,
    )
    tx.execute(
        "INSERT INTO api_key (id, created, name, key_hash, role, sees_secrets, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (created.id, tx.now, created.name, hash_key(key), created.role, created.sees_secrets, created.expires_at),
    )
    return created


def _has_admin(tx: Transaction) -> bool:
    row = tx.fetch_one(
        "SELECT 1 FROM api_key WHERE role = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        (Role.ADMIN, tx.now),
    )
    return row is not None


def read_api_keys(tx: Transaction, *, include_revoked: bool, limit: int, offset: int) -> list[ApiKey]:
    """Keys by name, those that are revoked too where that is wanted."""
    condition = "" if include_revoked else "WHERE revoked_at IS NULL "
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM api_key {condition}ORDER BY name, created, id LIMIT ? OFFSET ?", (limit, offset)
    )
    return [ApiKey.model_validate(dict(row)) for row in rows]


def revoke_api_key(tx: Transaction, name: str) -> None:
    """Let a key open nothing any more.

    Raises:
        NotFound: There is no key of this name, or it is revoked already.
    """
    if not tx.execute("UPDATE api_key SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", (tx.now, name)):
        raise NotFound(f"API key {name!r} not found.")


def read_credentials(tx: Transaction) -> tuple[bool, dict[str, Credential]]:
    """Whether there is or was any key, and the keys that are not revoked, by their hashes. Some may have expired."""
    rows = tx.fetch_all("SELECT key_hash, id, name, role, sees_secrets, expires_at, revoked_at FROM api_key")
    return bool(rows), {row["key_hash"]: _credential(row) for row in rows if row["revoked_at"] is None}


def has_api_keys(tx: Transaction) -> bool:
    """Whether there is or was any key, so that the server asks for one."""
    return tx.fetch_one("SELECT 1 FROM api_key LIMIT 1") is not None


def _credential(row: Any) -> Credential:
    id = decode_id(row["id"])
    assert id is not None
    return Credential(id, row["name"], Role(row["role"]), bool(row["sees_secrets"]), decode_time(row["expires_at"]))


def note_uses(tx: Transaction, uses: Mapping[UUID, datetime]) -> None:
    """Remember when keys were last used."""
    for id, used_at in uses.items():
        tx.execute(
            "UPDATE api_key SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
            (used_at, id, used_at),
        )
