"""Takes the secrets of a block out of texts about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

_MASK = "********"

_SHORTEST = 4
"""Shorter texts are no secrets that could be told from other text."""


def scrubbed(text: str, block: BaseModel) -> str:
    """A text without the values of a block's secret fields, and without parts of URLs that are secret."""
    parts = {part for secret in _secrets_in(block) for part in _parts(secret) if len(part) >= _SHORTEST}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, _MASK)
    return text


def _secrets_in(value: Any) -> Iterator[str]:
    if hasattr(value, "get_secret_value"):
        yield from _texts_in(value.get_secret_value())
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name, None))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, str):
        yield value


def _parts(secret: str) -> Iterator[str]:
    yield secret
    if "://" in secret:
        url = urlsplit(secret)
        yield f"{url.path}?{url.query}" if url.query else url.path
        yield url.query
        yield from url.path.split("/")
