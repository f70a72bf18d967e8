"""Says which role a route needs."""

from __future__ import annotations

from prefect.server.schemas.access import Role

_FOR_ADMINS = ("/api_keys/", "/audit/")
"""Beginnings of paths below which everything is for admins, reading too."""
_ADMIN_ROUTES = frozenset({("GET", "/admin/settings"), ("PUT", "/admin/storage"), ("DELETE", "/admin/storage")})
"""What is for admins elsewhere. The other routes below /admin are what every client asks for."""


def role_needed(method: str, path: str, writes: bool) -> Role:
    """The weakest role that may use a route.

    Args:
        method: The HTTP method.
        path: The path below the API's root, with `{names}`.
        writes: Whether it may change what is stored. A GET that does so changes nothing that users know of.
    """
    if path.startswith(_FOR_ADMINS) or (method, path) in _ADMIN_ROUTES:
        return Role.ADMIN
    return Role.OPERATOR if writes and method != "GET" else Role.VIEWER
