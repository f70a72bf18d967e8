"""Refuses requests that change something and carry no good CSRF token, where the settings ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from prefect.server.models.csrf import is_csrf_token_good
from prefect.server.routes import ApiError

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class CsrfGuard:
    """Knows the key under which tokens are signed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def check(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        """See that a request may pass.

        Raises:
            ApiError: A header is missing, or the token is not good for the client.
        """
        if method not in _CHANGING:
            return
        token, client = headers.get(b"prefect-csrf-token"), headers.get(b"prefect-csrf-client")
        if token is None:
            raise ApiError(403, "Missing CSRF token. Get one from GET /csrf-token and send it as Prefect-Csrf-Token.")
        if client is None:
            raise ApiError(403, "Missing client identifier. Send the one that the token is for as Prefect-Csrf-Client.")
        if not is_csrf_token_good(
            self._key, client.decode("latin-1"), token.decode("latin-1"), datetime.now(timezone.utc)
        ):
            # Clients look for these first words before they get themselves a new token.
            raise ApiError(
                403,
                "Invalid CSRF token or client identifier.",
                headers={"Access-Control-Allow-Origin": "*"},
            )
