"""Marks that users put around arguments to say how the engine should treat them."""

from __future__ import annotations

import json
import warnings
from typing import TypeVar

from typing_extensions import Self

T = TypeVar("T")

__all__ = ["BaseAnnotation", "NotSet", "Quote", "allow_failure", "freeze", "opaque", "quote", "unmapped"]


class BaseAnnotation(tuple[T]):
    """A value with a mark around it.

    The engine takes the mark off before a function sees the value. Two annotations are equal when both their types and
    their values are.
    """

    __slots__ = ()

    def __new__(cls, value: T) -> Self:
        return super().__new__(cls, (value,))  # pyright: ignore[reportArgumentType]

    def __getnewargs__(self) -> tuple[T]:
        return (self.unwrap(),)

    @property
    def value(self) -> T:
        return self.unwrap()

    def unwrap(self) -> T:
        """Return the value without the mark."""
        return tuple.__getitem__(self, 0)

    def rewrap(self, value: T) -> Self:
        """Return the same mark around another value."""
        return type(self)(value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.unwrap() == other.unwrap()  # type: ignore[attr-defined]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self.unwrap()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.unwrap()!r})"


class unmapped(BaseAnnotation[T]):
    """Passes a value to every child of a mapped task as it is, instead of item by item.

    It behaves as an endless sequence of the value.
    """

    __slots__ = ()

    def __getitem__(self, _: object) -> T:  # type: ignore[override]
        return self.unwrap()


class allow_failure(BaseAnnotation[T]):
    """Lets a run start although an upstream failed; the function then receives the exception in place of the value.

    Crashed and cancelled upstreams still keep the run from starting.
    """

    __slots__ = ()


class quote(BaseAnnotation[T]):
    """Keeps the engine from looking into a value: nothing in it is resolved and no dependency is tracked.

    Use it for very large collections that hold neither futures nor states.
    """

    __slots__ = ()

    def unquote(self) -> T:
        """Return the value without the mark."""
        return self.unwrap()


class Quote(quote[T]):
    """The old spelling of `quote`."""

    __slots__ = ()

    def __new__(cls, expr: T) -> Self:
        warnings.warn("`Quote` is deprecated. Use `quote` instead.", DeprecationWarning, stacklevel=2)
        return super().__new__(cls, expr)


class opaque(BaseAnnotation[T]):
    """Resolves a future or state to its value, but does not look into that value."""

    __slots__ = ()


class freeze(BaseAnnotation[T]):
    """Makes a parameter of a deployment read-only at the given value.

    Raises:
        ValueError: The value is not JSON-serialisable.
    """

    __slots__ = ()

    def __new__(cls, value: T) -> Self:
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Value must be JSON serializable to freeze a parameter at it, which a value of type "
                f"{type(value).__name__!r} is not: {error}. Pass a value made of numbers, strings, lists and dicts."
            ) from error
        return super().__new__(cls, value)

    def unfreeze(self) -> T:
        """Return the value without the mark."""
        return self.unwrap()


class NotSet:
    """Stands for a value that was not given, where `None` means something else. The class itself is the marker."""
