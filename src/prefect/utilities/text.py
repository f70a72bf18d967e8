"""Shortens text, and finds text that is nearly the same."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["fuzzy_match_string", "truncated_to"]


def truncated_to(length: int, value: str | None) -> str:
    """Return a text with its middle left out, if that makes it shorter.

    Args:
        length: How many characters of the text to keep.
    """
    if not value:
        return ""
    half = length // 2
    shortened = f"{value[:half]}...{len(value) - 2 * half} additional characters...{value[len(value) - half :]}"
    return shortened if len(value) > length and len(shortened) < len(value) else value


def fuzzy_match_string(word: str, possibilities: Iterable[str], *, n: int = 1, cutoff: float = 0.6) -> str | None:
    """Return the possibility that is most like a word, or None if none is like it.

    Args:
        n: How many candidates to look at.
        cutoff: How alike they must be, 0..1.
    """
    matches = difflib.get_close_matches(word, list(possibilities), n=n, cutoff=cutoff)
    return matches[0] if matches else None
