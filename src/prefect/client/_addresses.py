"""Addresses of APIs as they may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def strip_auth_from_url(url: str) -> str:
    """An address without the user and password in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
