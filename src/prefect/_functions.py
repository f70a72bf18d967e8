"""What flows and tasks need to know about the callables that they are made of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from prefect.exceptions import ReservedArgumentError

RESERVED_PARAMETERS = ("return_state", "wait_for")


class FunctionFacts:
    """A callable, unwrapped from what binds it, and how it is called."""

    __slots__ = ("fn", "is_classmethod", "is_staticmethod", "isasync", "isgenerator", "kind")

    def __init__(self, fn: Any, owner: str) -> None:
        """Look at a callable.

        Args:
            fn: A function, a `staticmethod` or `classmethod` object, or any object with `__call__`.
            owner: "flow" or "task", for messages.

        Raises:
            TypeError: `fn` cannot be called.
            ReservedArgumentError: A parameter has a name that the decorated call uses itself.
        """
        self.is_staticmethod = isinstance(fn, staticmethod)
        self.is_classmethod = isinstance(fn, classmethod)
        if isinstance(fn, (staticmethod, classmethod)):
            fn = fn.__func__
        if not callable(fn):
            raise TypeError(f"Expected a function to make a {owner} of, not {fn!r}. Use @{owner} on a function.")
        self.fn: Callable[..., Any] = fn
        target = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004 - the method itself is looked at
        self.isasync = inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)
        self.isgenerator = inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)
        code = getattr(target, "__code__", None)
        if code is not None:
            for name in RESERVED_PARAMETERS:
                if name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
                    raise ReservedArgumentError(
                        f"{name!r} is a reserved argument name, so {owner} function {default_name(fn)!r} cannot have a "
                        "parameter of that name. Rename the parameter."
                    )


def default_name(fn: Any) -> str:
    """The name of a callable; of an object without one, the name of its class."""
    return getattr(fn, "__name__", None) or type(fn).__name__


class CallShape:
    """How bound parameters are handed to a function."""

    __slots__ = ("_positional_only", "_var_keyword", "_var_positional", "is_plain")

    def __init__(self, fn: Any) -> None:
        self._positional_only: list[str] = []
        self._var_positional: str | None = None
        self._var_keyword: str | None = None
        before_star: list[str] = []
        for name, parameter in inspect.signature(fn).parameters.items():
            if parameter.kind is parameter.POSITIONAL_ONLY:
                self._positional_only.append(name)
            elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                before_star.append(name)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                # What stands before *args must be given by position, or the extra arguments would take its place.
                self._positional_only += before_star
                self._var_positional = name
            elif parameter.kind is parameter.VAR_KEYWORD:
                self._var_keyword = name
        self.is_plain = not (self._positional_only or self._var_positional or self._var_keyword)

    def arguments(self, parameters: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and keyword arguments that pass these parameters."""
        if self.is_plain:
            return (), parameters  # type: ignore[return-value]
        keyword = dict(parameters)
        positional = [keyword.pop(name) for name in self._positional_only if name in keyword]
        if self._var_positional is not None:
            positional += keyword.pop(self._var_positional, ())
        if self._var_keyword is not None:
            keyword.update(keyword.pop(self._var_keyword, {}))
        return tuple(positional), keyword


def check_hooks(hooks: Any, keyword: str, owner: str) -> list[Callable[..., Any]]:
    """Check a hook list given to a decorator.

    Raises:
        TypeError: It cannot be iterated, or an element cannot be called; names the keyword.
    """
    if hooks is None:
        return []
    try:
        checked = list(hooks)
    except TypeError:
        raise TypeError(
            f"Expected a list of callables for {keyword!r} of {owner}, not {hooks!r}. Write {keyword}=[your_function]."
        ) from None
    for hook in checked:
        if not callable(hook):
            raise TypeError(f"Expected callables in {keyword!r} of {owner}, but found {hook!r}.")
    return checked
