"""Makes up names for runs, and hides secrets in text."""

from __future__ import annotations

import os
from random import Random
from typing import Any

from prefect.utilities._words import ADJECTIVES, ANIMALS

__all__ = ["IGNORE_LIST", "OBFUSCATED_PREFIX", "generate_slug", "obfuscate", "obfuscate_string"]

IGNORE_LIST = {
    "beaver",
    "chubby",
    "fat",
    "flat",
    "gay",
    "hot",
    "naked",
    "raw",
    "sexy",
    "sick",
    "stupid",
    "thick",
    "ugly",
}
"""Words that no generated name holds."""

OBFUSCATED_PREFIX = "****"

_OBFUSCATED_LENGTH = 8
_ALWAYS_HIDDEN = 10
_TAIL = 4


def generate_slug(n_words: int) -> str:
    """Return that many random words joined by dashes: adjectives, and an animal at the end.

    Raises:
        ValueError: No words are asked for.
    """
    if n_words < 1:
        raise ValueError(f"A name needs at least one word, not n_words={n_words!r}.")
    adjectives = [_random.choice(ADJECTIVES) for _ in range(n_words - 1)]
    return "-".join([*adjectives, _random.choice(ANIMALS)])


# Its own, so that names do not repeat where a user seeds the shared one, and the user's numbers are not disturbed.
_random = Random(os.urandom(32))

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def obfuscate_string(s: str, show_tail: bool = False) -> str:
    """Return stars in place of a text; their number says nothing about its length.

    Args:
        show_tail: Show up to four characters of the end, if at least ten stay hidden.
    """
    tail = s[_ALWAYS_HIDDEN:][-_TAIL:] if show_tail else ""
    return "*" * (_OBFUSCATED_LENGTH - len(tail)) + tail


def obfuscate(s: Any, show_tail: bool = False) -> str:
    """Return stars in place of anything, as `obfuscate_string`. Of a secret no end is shown."""
    return obfuscate_string(
        s if isinstance(s, str) else str(s), show_tail=show_tail and not hasattr(s, "get_secret_value")
    )
