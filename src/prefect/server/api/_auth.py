"""Decides who a request comes from: the server's auth string, an API key, or anybody where neither is asked for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from hmac import compare_digest
from uuid import UUID

from prefect.server.database.store import Store
from prefect.server.models.api_keys import Credential, hash_key, read_credentials
from prefect.server.schemas.access import Role

FREE = frozenset({"/health", "/ready"})
"""What load balancers ask, below the root of the API."""
_FRESH_SECONDS = 2.0
"""So long a key that another process has revoked may still open this one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks.

    Attributes:
        name: The name of the key; None where nobody was asked for one.
        role: What it may do.
        sees_secrets: Whether secrets are shown to it.
        key_id: The key, if it is one.
    """

    name: str | None
    role: Role
    sees_secrets: bool
    key_id: UUID | None = None


ANYBODY = Identity(None, Role.ADMIN, True)
"""Whoever comes while the server asks for nothing."""
_PASSWORD = Identity("auth string", Role.ADMIN, True)


class KeyRing:
    """The API keys as this process knows them: read again from the database every few seconds, when somebody asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._credentials: dict[str, Credential] = {}
        self._has_any = False
        self._fresh_until = 0.0
        self._changes = 0
        self._reading = threading.Lock()

    @property
    def has_any(self) -> bool:
        """Whether there is or was any key."""
        return self._has_any

    @property
    def is_stale(self) -> bool:
        """Whether keys may have changed since they were read."""
        return time.monotonic() > self._fresh_until

    def forget(self) -> None:
        """Look at the database before the next request: this process has changed it."""
        self._changes += 1
        self._fresh_until = 0.0

    def refresh(self) -> None:
        """Read the keys, unless that was just done. Waits for the database.

        Raises:
            Exception: The database cannot be read; what was known before still is.
        """
        with self._reading:
            if not self.is_stale:
                return
            changes, began = self._changes, time.monotonic()
            self._has_any, self._credentials = self._store.read(read_credentials)
            if changes == self._changes:  # else it may have been read before the change
                self._fresh_until = began + _FRESH_SECONDS

    def find(self, key: str) -> Credential | None:
        """The credential of a key, if it is good."""
        found = self._credentials.get(hash_key(key))
        return found if found is not None and _is_in_time(found) else None

    def holds(self, key_id: UUID) -> bool:
        """Whether the key of an id is still good."""
        return any(each.id == key_id and _is_in_time(each) for each in self._credentials.values())


def _is_in_time(credential: Credential) -> bool:
    return credential.expires_at is None or credential.expires_at > datetime.now(timezone.utc)


class Gate:
    """Tells who a request comes from. Lives in one event loop."""

    def __init__(self, auth_string: str | None, ring: KeyRing) -> None:
        self._token = (auth_string or "").encode()
        self._ring = ring
        self._refreshing: asyncio.Future[None] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether a credential is asked for."""
        return bool(self._token) or self._ring.has_any

    def forget(self) -> None:
        """Keys have changed in this process; from any thread."""
        self._ring.forget()

    async def freshen(self) -> None:
        """See that what is known about keys is new enough. Mostly does nothing.

        Raises:
            Exception: The database cannot be read.
        """
        # The first wait may be for a look at the database that began before a key was changed.
        for _ in range(2):
            if not self._ring.is_stale:
                return
            if self._refreshing is None or self._refreshing.done():
                # Not in the threads of requests, all of which may be waiting for the database.
                self._refreshing = asyncio.ensure_future(asyncio.to_thread(self._ring.refresh))
            await asyncio.shield(self._refreshing)

    def identify(self, authorization: bytes | None) -> Identity | None:
        """Who sends this header; None where a credential is asked for, and it is not a good one."""
        if not self.is_closed:
            return ANYBODY
        if authorization is None:
            return None
        scheme, _, credentials = authorization.partition(b" ")
        if scheme.lower() == b"bearer":
            return self._holder(credentials.strip().decode("latin-1"))
        if scheme.lower() != b"basic":
            return None
        try:
            decoded = base64.b64decode(credentials.strip(), validate=True)
        except binascii.Error:
            return None
        if self._is_password(decoded):
            return _PASSWORD
        # Clients that know nothing but Basic send a key as the password, or alone.
        return self._holder(decoded.rpartition(b":")[2].decode("latin-1"))

    def identify_token(self, token: object) -> Identity | None:
        """Who brings this token to the handshake of a websocket; None where one is asked for, and it is not a good one."""
        if not self.is_closed:
            return ANYBODY
        if not isinstance(token, str):
            return None
        # Surrogates are no text that the auth string could hold.
        return _PASSWORD if self._is_password(token.encode("utf-8", "replace")) else self._holder(token)

    def still_admits(self, identity: Identity) -> bool:
        """Whether somebody who was let in before would still be."""
        if identity is ANYBODY:
            return not self.is_closed
        return identity.key_id is None or self._ring.holds(identity.key_id)

    def _is_password(self, given: bytes) -> bool:
        return bool(self._token) and compare_digest(given, self._token)

    def _holder(self, key: str) -> Identity | None:
        found = self._ring.find(key)
        return None if found is None else Identity(found.name, found.role, found.sees_secrets, found.id)
