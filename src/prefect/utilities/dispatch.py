"""Registers subclasses of a type by a key, so that data which holds the key finds its class.

::

    @register_base_type
    class Storage:
        @classmethod
        def __dispatch_key__(cls): return cls.__name__.lower()

    class Disk(Storage): ...

    lookup_type(Storage, "disk") is Disk
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any, TypeVar

__all__ = ["get_dispatch_key", "get_registry_for_type", "lookup_type", "register_base_type", "register_type"]

T = TypeVar("T", bound=type)

_registries: dict[type, dict[str, type]] = {}


def get_registry_for_type(cls: T) -> dict[str, T] | None:
    """Return the registry that a type belongs to, its own or the nearest above it; None if there is none."""
    return next((_registries[base] for base in cls.__mro__ if base in _registries), None)  # type: ignore[return-value]


def get_dispatch_key(cls_or_instance: Any, allow_missing: bool = False) -> str | None:
    """Return the key of a type: its `__dispatch_key__`, which may be a class method.

    Args:
        allow_missing: Return None where there is no key.

    Raises:
        ValueError: There is no key.
        TypeError: The key is not a string.
    """
    cls = cls_or_instance if isinstance(cls_or_instance, type) else type(cls_or_instance)
    key = getattr(cls, "__dispatch_key__", None)
    if callable(key):
        key = key()
    if key is None:
        if allow_missing:
            return None
        raise ValueError(
            f"Type {cls.__name__!r} does not define a value for '__dispatch_key__' which is required for registry lookup."
        )
    if not isinstance(key, str):
        raise TypeError(f"The '__dispatch_key__' of type {cls.__name__!r} must be a string, not {key!r}.")
    return key


def register_base_type(cls: T) -> T:
    """Give a type a registry, into which its subclasses are put as they are defined.

    A subclass without a key is left out: it is a base of others.
    """
    registry = _registries.setdefault(cls, {})
    key = get_dispatch_key(cls, allow_missing=True)
    if key is not None:
        registry[key] = cls
    # A model knows its fields, and so perhaps its key, only when pydantic's own hook is called.
    hook = "__pydantic_init_subclass__" if hasattr(cls, "__pydantic_init_subclass__") else "__init_subclass__"
    inherited = getattr(cls, hook)

    def register_subclass(subclass: type, **kwargs: Any) -> None:
        # The inherited hook is bound to the base; its function has to be called for the subclass.
        getattr(inherited, "__func__", _ignore)(subclass, **kwargs)
        _register_if_keyed(subclass)

    setattr(cls, hook, classmethod(register_subclass))
    return cls


def _ignore(subclass: type, **kwargs: Any) -> None:
    if kwargs:
        raise TypeError(f"{subclass.__name__}() takes no class arguments, but was given {sorted(kwargs)}.")


def _register_if_keyed(cls: type) -> None:
    is_parametrised = getattr(cls, "__pydantic_generic_metadata__", {}).get("origin") is not None
    if not is_parametrised and get_dispatch_key(cls, allow_missing=True) is not None:
        register_type(cls)


def register_type(cls: T) -> T:
    """Put a type into the registry of its base.

    Raises:
        ValueError: No base of it has a registry, or it has no key.
    """
    registry = get_registry_for_type(cls)
    if registry is None:
        bases = [base.__name__ for base in cls.__mro__[1:] if base is not object]
        raise ValueError(
            f"No registry found for type {cls.__name__!r} with bases {bases}. Did you forget to decorate the base with "
            "`register_base_type`?"
        )
    key = get_dispatch_key(cls)
    existing = registry.get(key)  # type: ignore[arg-type]
    # The same class again, as when a script is loaded twice, replaces itself without a word.
    if existing is not None and (existing.__module__, existing.__qualname__) != (cls.__module__, cls.__qualname__):
        warnings.warn(
            f"Type {cls.__name__!r} at {_place(cls)} has key {key!r} that matches existing registered type "
            f"{existing.__name__!r} from {_place(existing)}. The existing type will be overridden.",
            UserWarning,
            stacklevel=2,
        )
    registry[key] = cls  # type: ignore[index]
    return cls


def _place(cls: type) -> str:
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"module {cls.__module__!r}"


def lookup_type(cls: T, dispatch_key: str) -> T:
    """Return the registered type of a key.

    Raises:
        KeyError: There is none; names those that there are.
    """
    registry = get_registry_for_type(cls) or {}
    try:
        return registry[dispatch_key]
    except KeyError:
        known = ", ".join(sorted(repr(key) for key in registry)) or "none"
        raise KeyError(
            f"No class found for dispatch key {dispatch_key!r} in registry for type {cls.__name__!r}. Known keys: {known}."
        ) from None
