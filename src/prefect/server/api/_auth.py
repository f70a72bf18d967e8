"""Decides who may use the API: HTTP Basic authentication with the server's auth string."""

from __future__ import annotations

import base64
from hmac import compare_digest

_FREE = frozenset({"/health", "/ready"})
"""What load balancers ask, below the root of the API."""


class Gate:
    """Knows the secret that requests must carry, if they must carry one."""

    def __init__(self, auth_string: str | None) -> None:
        self._token = (auth_string or "").encode()
        self._header = b"Basic " + base64.b64encode(self._token)

    @property
    def is_closed(self) -> bool:
        """Whether a secret is asked for."""
        return bool(self._token)

    def admits_request(self, method: str, path: str, authorization: bytes | None) -> bool:
        """Whether a request may pass; `path` stands below the root of the API."""
        if not self._token or (method == "GET" and path in _FREE):
            return True
        if authorization is None:
            return False
        scheme, _, credentials = authorization.partition(b" ")
        return scheme.lower() == b"basic" and compare_digest(b"Basic " + credentials.strip(), self._header)

    def admits_token(self, token: object) -> bool:
        """Whether a websocket may pass whose handshake brings this token."""
        if not self._token:
            return True
        # Surrogates are no text that the auth string could hold.
        return isinstance(token, str) and compare_digest(token.encode("utf-8", "replace"), self._token)
