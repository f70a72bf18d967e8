"""Glob patterns and prefixes in SQL, told apart by case as the matching of labels demands."""

from __future__ import annotations

import re

from prefect.server.database.dialect import Dialect
from prefect.server.database.filters.clauses import Clause

_WILDCARDS = re.compile(r"[*?\[]")
_PIECES = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
"""Classes of characters as wholes, everything else character by character."""


def matches_glob(dialect: Dialect, expression: str, pattern: str) -> Clause:
    """The text of an expression matches a pattern of `*`, `?` and `[…]`; upper and lower case differ."""
    if not _WILDCARDS.search(pattern):
        return Clause(f"{expression} = ?", (pattern,))
    pieces = _PIECES.findall(pattern)
    if dialect.name == "sqlite":
        return Clause(f"{expression} GLOB ?", ("".join(_class(piece) for piece in pieces),))
    return Clause(f"{expression} ~ ?", (f"^{''.join(_posix(piece) for piece in pieces)}$",))


def starts_with(dialect: Dialect, expression: str, prefix: str) -> Clause:
    """The text of an expression starts with a prefix; upper and lower case differ."""
    if dialect.name == "sqlite":
        # GLOB, unlike a comparison of substrings, can use an index on the column.
        return Clause(f"{expression} GLOB ?", (re.sub(r"([*?\[])", r"[\1]", prefix) + "*",))
    return Clause(f"starts_with({expression}, ?)", (prefix,))


def _class(piece: str) -> str:
    """A class of characters, negated by `^`; anything else as it is."""
    if piece == "[":
        return "[[]"
    if len(piece) == 1:
        return piece
    if piece[1] == "!":
        return f"[^{piece[2:]}"
    if piece[1] == "^":  # which negates only here, where it stands first
        return f"[{piece[2:-1]}^]" if len(piece) > 3 else "^"
    return piece


def _posix(piece: str) -> str:
    if piece == "*":
        return ".*"
    if piece == "?":
        return "."
    if len(piece) == 1:
        return re.escape(piece)
    if piece == "[^]":
        return re.escape("^")
    inside = _class(piece)[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[{inside}]"
