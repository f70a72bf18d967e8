"""Warns about what will be removed, and says when and what to use instead."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class PrefectDeprecationWarning(DeprecationWarning):
    """Something public is used that a later release will not have."""


def warn_deprecated(what: str, *, instead: str, removal: str, stacklevel: int = 2) -> None:
    """Warn that something is deprecated.

    Args:
        what: What is used, such as "The parameter 'x' of `f`".
        instead: What to do, as a full sentence.
        removal: The first version without it.
        stacklevel: How far up the caller is that should change; 2 is the caller of the function that warns.
    """
    message = f"{what} is deprecated and will be removed in version {removal}. {instead}"
    warnings.warn(message, PrefectDeprecationWarning, stacklevel=stacklevel + 1)


def deprecated(*, instead: str, removal: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function warn about itself each time it is called."""

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        @wraps(fn)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            warn_deprecated(f"`{fn.__qualname__}`", instead=instead, removal=removal)
            return fn(*args, **kwargs)

        return wrapper

    return decorate
