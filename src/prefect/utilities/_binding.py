"""Binds arguments to parameters at a fraction of the cost of `inspect.Signature.bind`.

For each function a small one is generated that has the same parameters and returns them as a dictionary, so Python
itself does the binding. `def f(a, *rest, b=2)` becomes::

    def bind(a, *rest, b=default_b):
        return {"a": a, "rest": rest, "b": b}
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from prefect.exceptions import SignatureMismatchError

_NOT_GIVEN = object()


class CallShape:
    """The parameters of a function: how arguments become parameters, and parameters arguments again."""

    __slots__ = ("_order", "bind", "defaults", "names", "positional", "signature", "var_keyword", "var_positional")

    def __init__(self, signature: inspect.Signature, name: str) -> None:
        self.signature = signature
        self.names = frozenset(signature.parameters)
        parameters = signature.parameters.values()
        self.defaults = {p.name: _Default(p) for p in parameters if p.default is not p.empty}
        self.positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.var_positional = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.var_keyword = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self._order = list(signature.parameters)
        self.bind = _generate(signature, self.defaults, name)
        """Takes the arguments of a call and returns its parameters, defaults included, in the signature's order."""

    def arguments(self, parameters: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the positional and keyword arguments that pass some parameters.

        Raises:
            SignatureMismatchError: There is no such parameter.
        """
        if not self.names.issuperset(parameters):
            raise SignatureMismatchError.from_bad_params(self._order, list(parameters))
        args: list[Any] = []
        kwargs = dict(parameters)
        for name in self.positional:
            if name not in kwargs:
                # What follows a gap cannot be passed by position.
                break
            args.append(kwargs.pop(name))
        else:
            if self.var_positional is not None:
                args.extend(kwargs.pop(self.var_positional, ()))
        if self.var_keyword is not None:
            kwargs.update(kwargs.pop(self.var_keyword, {}))
        return tuple(args), kwargs


class _Default:
    """The default of a parameter, which may be described by a pydantic field."""

    __slots__ = ("factory", "required", "value")

    def __init__(self, parameter: Parameter) -> None:
        self.value = parameter.default
        self.factory: Callable[[], Any] | None = None
        self.required = False
        if type(self.value).__name__ == "FieldInfo" and _is_pydantic_field(self.value):
            field = self.value
            self.value = field.default
            self.factory = field.default_factory
            undefined = self.value is ... or type(self.value).__name__ in ("PydanticUndefinedType", "UndefinedType")
            self.required = undefined and self.factory is None

    def get(self) -> Any:
        return self.value if self.factory is None else self.factory()


def _is_pydantic_field(default: Any) -> bool:
    # A field can only exist if pydantic is loaded already.
    modules = (sys.modules.get("pydantic.fields"), sys.modules.get("pydantic.v1.fields"))
    return any(module is not None and isinstance(default, module.FieldInfo) for module in modules)


def _require(name: str) -> Any:
    raise TypeError(f"missing a required argument: {name!r}")


def _generate(signature: inspect.Signature, defaults: dict[str, _Default], name: str) -> Callable[..., dict[str, Any]]:
    # The generated function's globals begin with more underscores than any parameter, so that none is shadowed.
    own = "_"
    while any(parameter.startswith(own) for parameter in signature.parameters):
        own += "_"
    namespace: dict[str, Any] = {f"{own}not_given": _NOT_GIVEN, f"{own}require": _require}
    head: list[str] = []
    body: list[str] = []
    last_kind = None
    for position, parameter in enumerate(signature.parameters.values()):
        kind = parameter.kind
        if last_kind is Parameter.POSITIONAL_ONLY and kind is not Parameter.POSITIONAL_ONLY:
            head.append("/")
        if kind is Parameter.KEYWORD_ONLY and last_kind not in (Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL):
            head.append("*")
        last_kind = kind
        stars = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}.get(kind, "")
        value = parameter.name
        default = defaults.get(parameter.name)
        if default is None:
            head.append(stars + parameter.name)
        elif default.required:
            head.append(f"{parameter.name}={own}not_given")
            value = f"{parameter.name} if {parameter.name} is not {own}not_given else {own}require({parameter.name!r})"
        elif default.factory is not None:
            namespace[f"{own}make_{position}"] = default.factory
            head.append(f"{parameter.name}={own}not_given")
            value = f"{parameter.name} if {parameter.name} is not {own}not_given else {own}make_{position}()"
        else:
            namespace[f"{own}default_{position}"] = default.value
            head.append(f"{parameter.name}={own}default_{position}")
        body.append(f"{parameter.name!r}: {value}")
    if last_kind is Parameter.POSITIONAL_ONLY:
        head.append("/")
    # Nothing but the names of parameters, which are identifiers, gets into the source.
    source = f"def bind({', '.join(head)}):\n    return {{{', '.join(body)}}}"
    exec(compile(source, f"<binding of {name}>", "exec"), namespace)
    bind: FunctionType = namespace["bind"]
    bind.__name__ = bind.__qualname__ = name
    return bind


# Shapes are kept for as long as their functions live.
_shapes: WeakKeyDictionary[Any, CallShape] = WeakKeyDictionary()
_method_shapes: WeakKeyDictionary[Any, CallShape] = WeakKeyDictionary()


def shape_of(fn: Callable[..., Any]) -> CallShape:
    """Return the shape of a callable.

    Raises:
        ValueError: Python cannot tell the signature, as with some built-in functions.
    """
    # Bound methods are made anew on each access; the function below them stays.
    shapes, key = (_method_shapes, fn.__func__) if isinstance(fn, MethodType) else (_shapes, fn)
    try:
        shape = shapes.get(key)
    except TypeError:
        # No weak reference to it can be made, or it has no hash.
        return _shape(fn)
    if shape is None:
        shape = shapes[key] = _shape(fn)
    return shape


def _shape(fn: Callable[..., Any]) -> CallShape:
    return CallShape(inspect.signature(fn), getattr(fn, "__name__", None) or type(fn).__name__)
