"""Validates and coerces the parameters of a call by the annotations of the function."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from inspect import Parameter, Signature
from types import MethodType
from typing import Annotated, Any, Protocol
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo

from prefect.exceptions import ParameterTypeError
from prefect.utilities._annotations_of import has_v1_type, signature_with_types


def validate_call_parameters(fn: Callable[..., Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call, coerced to the annotations of the function.

    Validation is pydantic's, in lax mode; types that it does not know are checked with `isinstance`. Parameters that
    were not given get their defaults. What is in `*args` and `**kwargs` passes unchecked.

    Raises:
        ParameterTypeError: A value does not fit; each misfit has a line.
        ValueError: The signature cannot be turned into a model.
    """
    has_v1_values = _has_v1_values(parameters)
    if has_v1_values and any(isinstance(value, BaseModel) for value in parameters.values()):
        raise ParameterTypeError(
            "Cannot mix pydantic v1 and v2 models in one call; parameters of v2: "
            f"{[name for name, value in parameters.items() if isinstance(value, BaseModel)]}. Use one of them throughout."
        )
    validator = _validator_of(fn, v1=has_v1_values)
    try:
        return validator.validate(parameters)
    except ValidationError as error:
        raise ParameterTypeError.from_validation_error(error) from error


def _has_v1_values(parameters: dict[str, Any]) -> bool:
    v1 = sys.modules.get("pydantic.v1")
    return v1 is not None and any(isinstance(value, v1.BaseModel) for value in parameters.values())


class _Validator(Protocol):
    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]: ...


class _CurrentValidator:
    """Validates with a model that has a field for each parameter.

    Fields are numbered and the parameters' names are their aliases, so that a parameter may be called anything, also
    `json` or `_private`.
    """

    def __init__(self, signature: Signature, name: str, module: str) -> None:
        self._names: dict[str, str] = {}
        fields: dict[str, Any] = {}
        for position, parameter in enumerate(signature.parameters.values()):
            field = f"p{position}"
            self._names[field] = parameter.name
            fields[field] = named_field(_type_of(parameter), _default_of(parameter), parameter.name)
        self._model = _complete_model(name, module, fields)

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        values = self._model.model_validate(parameters).__dict__
        return {name: values[field] for field, name in self._names.items()}


def _type_of(parameter: Parameter) -> Any:
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD) or parameter.annotation is Parameter.empty:
        return Any
    return parameter.annotation


def _default_of(parameter: Parameter) -> Any:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return ()
    if parameter.kind is Parameter.VAR_KEYWORD:
        return {}
    return ... if parameter.default is Parameter.empty else parameter.default


def named_field(type_: Any, default: Any, name: str) -> tuple[Any, Any]:
    """Make a field go by the parameter's name, whatever alias the user gave it: callers know no other."""
    if not isinstance(default, FieldInfo):
        return type_, Field(default=default, alias=name)
    if default.default_factory is not None:
        return Annotated[type_, default], Field(default_factory=default.default_factory, alias=name)
    return Annotated[type_, default], Field(default=default.default, alias=name)


def _complete_model(name: str, module: str, fields: dict[str, Any]) -> type[BaseModel]:
    config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    def build() -> type[BaseModel]:
        return create_model(name, __config__=config, __module__=module, **fields)

    try:
        model = build()
        if model.__pydantic_complete__ or model.model_rebuild(raise_errors=False):
            return model
    except PydanticUserError:
        pass
    # Some type cannot be made sense of, for instance because it names another that does not exist at run time. Those
    # parameters go unchecked.
    for field, (type_, default) in fields.items():
        if not _is_usable(type_):
            fields[field] = (Any, default)
    try:
        return build()
    except PydanticUserError as error:
        raise ValueError(
            f"Cannot validate the parameters of function {name!r}: {error}. Change the signature, or switch validation "
            "off with validate_parameters=False."
        ) from error


def _is_usable(type_: Any) -> bool:
    try:
        create_model("Probe", __config__=ConfigDict(arbitrary_types_allowed=True), value=(type_, ...)).model_rebuild()
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return False
    return True


class _V1Validator:
    """Validates with a model of pydantic 1, for functions whose parameters are such models."""

    def __init__(self, signature: Signature, name: str) -> None:
        # Users who still have models of pydantic 1 have loaded this; nobody else should.
        from pydantic import v1  # noqa: PLC0415

        self._error = v1.ValidationError
        self._names: dict[str, str] = {}
        fields: dict[str, Any] = {}
        for position, parameter in enumerate(signature.parameters.values()):
            field = f"p{position}"
            self._names[field] = parameter.name
            fields[field] = (_type_of(parameter), v1.Field(_default_of(parameter), alias=parameter.name))
        config: Any = type("Config", (), {"arbitrary_types_allowed": True, "extra": v1.Extra.forbid})
        self._model = v1.create_model(name, __config__=config, **fields)

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            values = self._model.parse_obj(parameters).__dict__
        except self._error as error:
            raise ParameterTypeError.from_validation_error(error) from error  # type: ignore[arg-type]
        return {name: values[field] for field, name in self._names.items()}


# By whether the function is taken as a bound method and whether pydantic 1 is to be used. Validators are kept for as
# long as their functions live.
_validators: defaultdict[tuple[bool, bool], WeakKeyDictionary[Any, _Validator]] = defaultdict(WeakKeyDictionary)


def _validator_of(fn: Callable[..., Any], v1: bool) -> _Validator:
    key = fn.__func__ if isinstance(fn, MethodType) else fn
    validators = _validators[key is not fn, v1]
    try:
        known = validators.get(key)
    except TypeError:
        # No weak reference to it can be made, or it has no hash.
        return _build_validator(fn, v1)
    if known is None:
        known = validators[key] = _build_validator(fn, v1)
    return known


def _build_validator(fn: Callable[..., Any], v1: bool) -> _Validator:
    signature = signature_with_types(fn)
    name = getattr(fn, "__name__", None) or type(fn).__name__
    if v1 or any(has_v1_type(parameter.annotation) for parameter in signature.parameters.values()):
        return _V1Validator(signature, name)
    return _CurrentValidator(signature, name, getattr(fn, "__module__", None) or __name__)
