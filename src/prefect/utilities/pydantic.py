"""Adds to pydantic models: choosing the class by a field, pickling, building in steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar, overload

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticUndefined, core_schema, to_jsonable_python

from prefect.utilities.dispatch import get_dispatch_key, lookup_type, register_base_type
from prefect.utilities.importtools import from_qualified_name, to_qualified_name
from prefect.utilities.names import obfuscate

__all__ = [
    "PartialModel",
    "add_cloudpickle_reduction",
    "add_type_dispatch",
    "custom_pydantic_encoder",
    "get_class_fields_only",
    "get_dispatch_key",
    "handle_secret_render",
    "lookup_type",
    "parse_obj_as",
    "register_base_type",
]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


# --- choosing the class by a field ------------------------------------------------------------------------------------


def add_type_dispatch(model_cls: type[M]) -> type[M]:
    """Make a model with a `type` field build, and validate to, the subclass whose default `type` it is given.

    ::

        @add_type_dispatch
        class Shape(BaseModel):
            type: str

        class Circle(Shape):
            type: str = "circle"

        Shape(type="circle")  # is a Circle

    An unknown type, and one that belongs to another class, is a validation error.

    Raises:
        ValueError: The model has no `type` field.
    """
    if "type" not in model_cls.model_fields:
        raise ValueError(f"Model class {model_cls.__name__!r} needs a field `type` to be dispatched by.")
    if not hasattr(model_cls, "__dispatch_key__"):
        model_cls.__dispatch_key__ = classmethod(_default_type)  # type: ignore[attr-defined]

    def __new__(cls: type[M], *args: Any, **kwargs: Any) -> M:
        target = _class_for(cls, kwargs["type"]) if "type" in kwargs else cls
        return super(model_cls, target).__new__(target)

    def __get_pydantic_core_schema__(cls: type[M], source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(data: Any, validate_as_this: Callable[[Any], M]) -> M:
            if isinstance(data, _unparametrised(cls)):
                return data
            if isinstance(data, dict) and "type" in data:
                target = _class_for(cls, data["type"])
                if target is not cls:
                    return target.model_validate(data)
            return validate_as_this(data)

        return core_schema.no_info_wrap_validator_function(validate, handler(source))

    model_cls.__new__ = __new__  # type: ignore[method-assign]
    model_cls.__get_pydantic_core_schema__ = classmethod(__get_pydantic_core_schema__)  # type: ignore[method-assign]
    if model_cls.__pydantic_complete__:
        # It was built without the hook.
        model_cls.model_rebuild(force=True)
    return register_base_type(model_cls)


def _default_type(cls: type[BaseModel]) -> str | None:
    default = cls.model_fields["type"].default
    return None if default is PydanticUndefined else default


def _class_for(cls: type[M], key: Any) -> type[M]:
    own_key = get_dispatch_key(cls, allow_missing=True)
    if key == own_key:
        return cls
    try:
        target = lookup_type(cls, key)
    except KeyError as error:
        # A class below the base that accepts any type takes what nobody else claims.
        if own_key is not None and cls.model_fields["type"].is_required():
            return cls
        raise _type_error(cls, key, str(error.args[0])) from None
    if not issubclass(target, _unparametrised(cls)):
        raise _type_error(
            cls, key, f"Type {key!r} is that of {target.__name__}, which is not a kind of {cls.__name__}."
        )
    return target


def _unparametrised(cls: type[M]) -> type[M]:
    # `Model[int]` is a subclass of `Model`, and no base of the other subclasses.
    return cls.__pydantic_generic_metadata__["origin"] or cls  # type: ignore[return-value]


def _type_error(cls: type[BaseModel], key: Any, message: str) -> ValidationError:
    error = PydanticCustomError("unknown_type", "{message}", {"message": message})
    return ValidationError.from_exception_data(cls.__name__, [InitErrorDetails(type=error, loc=("type",), input=key)])


# --- pickling ---------------------------------------------------------------------------------------------------------


@overload
def add_cloudpickle_reduction(__model_cls: type[M]) -> type[M]: ...
@overload
def add_cloudpickle_reduction(__model_cls: None = None, **kwargs: Any) -> Callable[[type[M]], type[M]]: ...
def add_cloudpickle_reduction(
    __model_cls: type[M] | None = None, **kwargs: Any
) -> type[M] | Callable[[type[M]], type[M]]:
    """Make instances of a model travel through pickle as JSON.

    Cloudpickle cannot carry some instances of models that were compiled; their JSON it can.

    Args:
        **kwargs: Passed to `model_dump_json`, for instance to leave fields out.
    """

    def decorate(cls: type[M]) -> type[M]:
        def __reduce__(self: M) -> tuple[Callable[..., Any], tuple[str, str]]:
            return _restore_model, (to_qualified_name(type(self)), self.model_dump_json(**kwargs))

        cls.__reduce__ = __reduce__  # type: ignore[method-assign]
        return cls

    return decorate if __model_cls is None else decorate(__model_cls)


def _restore_model(name: str, data: str) -> BaseModel:
    return from_qualified_name(name).model_validate_json(data)


# --- building in steps ------------------------------------------------------------------------------------------------


class PartialModel(Generic[M]):
    """Collects the fields of a model until it can be built.

    ::

        partial = PartialModel(Point, x=1)
        partial.y = 2
        partial.finalize()  # Point(x=1, y=2)

    A field can be set once.
    """

    def __init__(self, __model_cls: type[M], **kwargs: Any) -> None:
        self.fields: dict[str, Any] = {}
        self.model_cls = __model_cls
        for name, value in kwargs.items():
            setattr(self, name, value)

    def finalize(self, **kwargs: Any) -> M:
        """Build the model, with some more fields."""
        for name in kwargs:
            self.raise_if_already_set(name)
            self.raise_if_not_in_model(name)
        return self.model_cls(**self.fields, **kwargs)

    def raise_if_already_set(self, name: str) -> None:
        """Check that a field is not set yet.

        Raises:
            ValueError: It is.
        """
        if name in self.fields:
            raise ValueError(f"Field {name!r} has already been set.")

    def raise_if_not_in_model(self, name: str) -> None:
        """Check that a field exists.

        Raises:
            ValueError: It does not.
        """
        if name not in self.model_cls.model_fields:
            raise ValueError(f"Field {name!r} is not present in the model.")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("fields", "model_cls"):
            super().__setattr__(name, value)
            return
        self.raise_if_already_set(name)
        self.raise_if_not_in_model(name)
        self.fields[name] = value

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"PartialModel(model_cls={self.model_cls.__name__}, {fields})"


# --- values -----------------------------------------------------------------------------------------------------------


def custom_pydantic_encoder(type_encoders: dict[Any, Callable[[type[Any]], Any]], obj: Any) -> Any:
    """Return the JSON form of an object: by the encoder of its type or the nearest above it, else as pydantic does."""
    for base in type(obj).__mro__[:-1]:
        if base in type_encoders:
            return type_encoders[base](obj)
    return obj.model_dump(mode="json") if isinstance(obj, BaseModel) else to_jsonable_python(obj)


def parse_obj_as(type_: type[T], data: Any, mode: Literal["python", "json", "strings"] = "python") -> T:
    """Validate data as a type.

    Args:
        mode: Whether the data is Python objects, JSON text, or nothing but strings.

    Raises:
        pydantic.ValidationError: The data does not fit the type.
    """
    adapter: TypeAdapter[T] = TypeAdapter(type_)
    if mode == "json":
        return adapter.validate_json(data)
    return adapter.validate_strings(data) if mode == "strings" else adapter.validate_python(data)


def get_class_fields_only(model: type[BaseModel]) -> set[str]:
    """Return the fields that a model declares itself, without those it inherits."""
    inherited = {name for base in model.__bases__ for name in getattr(base, "model_fields", ())}
    return set(model.model_fields) - inherited | (set(model.__annotations__) & set(model.model_fields))


def handle_secret_render(value: Any, context: dict[str, Any]) -> object:
    """Return a value with its secrets shown if the context says so under "include_secrets", else obfuscated.

    Models are turned into dictionaries of their fields.
    """
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value() if context.get("include_secrets", False) else obfuscate(value)
    if isinstance(value, BaseModel):
        return {name: handle_secret_render(getattr(value, name), context) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {key: handle_secret_render(item, context) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(handle_secret_render(item, context) for item in value)
    return value
