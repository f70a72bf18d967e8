"""The import path that integration packages use to take credentials out of text."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["strip_auth_from_urls_in_text"]

_CREDENTIALS = re.compile(r"(?P<scheme>https?://)[^\s/@]+(?:@[^\s/@]+)*@", re.IGNORECASE)
_HIDDEN = "***"


def strip_auth_from_urls_in_text(text: str, extra_secrets: Iterable[str] | None = None) -> str:
    """Return a text with the user and password left out of the URLs in it.

    Args:
        extra_secrets: More texts to hide, wherever they stand.
    """
    text = _CREDENTIALS.sub(r"\g<scheme>", text)
    # The longest first: one secret may be a part of another.
    for secret in sorted(filter(None, extra_secrets or ()), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text
