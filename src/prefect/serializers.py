"""Turns the values that runs return into bytes, and back.

A serializer is chosen by its type: `Serializer(type="json")` is a `JSONSerializer`. Subclasses of `Serializer` with a
`type` of their own can be chosen like the built-in ones.
"""

from __future__ import annotations

import abc
import binascii
import warnings
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from prefect.exceptions import SerializationError
from prefect.utilities._json_objects import prefect_json_object_decoder, prefect_json_object_encoder
from prefect.utilities.importtools import from_qualified_name
from prefect.utilities.pydantic import add_type_dispatch

__all__ = [
    "CompressedJSONSerializer",
    "CompressedPickleSerializer",
    "CompressedSerializer",
    "JSONSerializer",
    "PickleSerializer",
    "Serializer",
    "UnknownSerializer",
    "prefect_json_object_decoder",
    "prefect_json_object_encoder",
]

D = TypeVar("D")


@add_type_dispatch
class Serializer(BaseModel, Generic[D], abc.ABC):
    """Turns values into bytes, and bytes into values.

    Subclass it with a `type` of its own, `dumps` and `loads` to add a way to do so.
    """

    # Most programs import this and never serialise anything, so the validators are built when they are needed.
    model_config = ConfigDict(extra="forbid", defer_build=True)

    type: str

    def __init__(self, **data: Any) -> None:
        super().__init__(**data)

    @abc.abstractmethod
    def dumps(self, obj: D) -> bytes:
        """Return a value as bytes."""

    @abc.abstractmethod
    def loads(self, blob: bytes) -> D:
        """Return the value that `dumps` made the bytes of."""


class _UnknownSerializerError(SerializationError, RuntimeError):
    """A serializer is used whose type is not known here."""


class UnknownSerializer(Serializer[Any]):
    """Stands for a serializer whose type is not known here; it can neither write nor read."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "__unknown__"

    def dumps(self, obj: Any) -> bytes:
        """Raise: this serializer cannot write."""
        raise self._error()

    def loads(self, blob: bytes) -> Any:
        """Raise: this serializer cannot read."""
        raise self._error()

    def _error(self) -> SerializationError:
        return _UnknownSerializerError(
            f"The serializer of type {self.type!r} is not known here. Import the module that defines it first."
        )


class PickleSerializer(Serializer[D]):
    """Pickles values, and encodes the pickle as base64 text.

    Only load what you trust: reading a pickle runs code that it holds.

    Attributes:
        picklelib: The module whose `dumps` and `loads` are used.
        picklelib_version: The version of it that values are written with; another one at hand is warned of.
    """

    type: str = Field(default="pickle", frozen=True)
    picklelib: str = "cloudpickle"
    picklelib_version: str | None = None

    @field_validator("picklelib")
    @classmethod
    def _has_functions(cls, value: str) -> str:
        # The default is known to be right, and costs 20 ms to import.
        return value if value == "cloudpickle" else _with_functions(value, "pickle library", "dumps", "loads")

    @model_validator(mode="after")
    def _warn_of_other_version(self) -> PickleSerializer[D]:
        if self.picklelib_version is not None:
            found = getattr(import_module(self.picklelib), "__version__", None)
            if found is not None and found != self.picklelib_version:
                warnings.warn(
                    f"Mismatched {self.picklelib!r} versions: values are written with {self.picklelib_version}, "
                    f"but {found} is installed. They may not be readable.",
                    RuntimeWarning,
                    stacklevel=2,
                )
        return self

    def dumps(self, obj: D) -> bytes:
        """Pickle a value.

        Raises:
            SerializationError: The value cannot be pickled.
        """
        try:
            pickled = import_module(self.picklelib).dumps(obj)
        except Exception as error:
            raise _unserialisable(obj, "pickled", error) from error
        return binascii.b2a_base64(pickled)

    def loads(self, blob: bytes) -> D:
        """Unpickle a value."""
        return import_module(self.picklelib).loads(binascii.a2b_base64(blob))


class JSONSerializer(Serializer[D]):
    """Writes values as JSON text.

    What JSON does not know, such as dates and models, is written with its class and restored on reading.

    Attributes:
        jsonlib: The module whose `dumps` and `loads` are used, such as "orjson".
        object_encoder: The qualified name of the function that turns other objects into JSON values, if any.
        object_decoder: The qualified name of the function that turns JSON objects back, if any.
        dumps_kwargs: More arguments of the module's `dumps`.
        loads_kwargs: More arguments of the module's `loads`.
    """

    type: str = Field(default="json", frozen=True)
    jsonlib: str = "json"
    object_encoder: str | None = Field(default="prefect.serializers.prefect_json_object_encoder")
    object_decoder: str | None = Field(default="prefect.serializers.prefect_json_object_decoder")
    dumps_kwargs: dict[str, Any] = Field(default_factory=dict)
    loads_kwargs: dict[str, Any] = Field(default_factory=dict)

    @field_validator("dumps_kwargs")
    @classmethod
    def _no_default(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "default" in value:
            raise ValueError("`default` cannot be provided. Use `object_encoder` instead.")
        return value

    @field_validator("loads_kwargs")
    @classmethod
    def _no_object_hook(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "object_hook" in value:
            raise ValueError("`object_hook` cannot be provided. Use `object_decoder` instead.")
        return value

    def dumps(self, obj: D) -> bytes:
        """Write a value as JSON.

        Raises:
            SerializationError: The value has no JSON form.
        """
        kwargs = self.dumps_kwargs
        if self.object_encoder:
            kwargs = kwargs | {"default": _function(self.object_encoder)}
        try:
            text = import_module(self.jsonlib).dumps(obj, **kwargs)
        except Exception as error:
            raise _unserialisable(obj, "written as JSON", error) from error
        return text.encode() if isinstance(text, str) else text

    def loads(self, blob: bytes) -> D:
        """Read a value from JSON."""
        lib = import_module(self.jsonlib)
        if not self.object_decoder:
            return lib.loads(blob.decode(), **self.loads_kwargs)
        decode = _function(self.object_decoder)
        if self.jsonlib == "orjson":
            # It knows no hooks.
            return _decode_objects(lib.loads(blob, **self.loads_kwargs), decode)
        return lib.loads(blob.decode(), object_hook=decode, **self.loads_kwargs)


def _decode_objects(value: Any, decode: Any) -> Any:
    if isinstance(value, dict):
        return decode({key: _decode_objects(item, decode) for key, item in value.items()})
    return [_decode_objects(item, decode) for item in value] if isinstance(value, list) else value


class CompressedSerializer(Serializer[D]):
    """Compresses what another serializer writes, and encodes it as base64 text.

    Attributes:
        serializer: The other serializer, or its type.
        compressionlib: The module whose `compress` and `decompress` are used.
    """

    type: str = Field(default="compressed", frozen=True)
    serializer: Serializer[Any]
    compressionlib: str = "lzma"

    @field_validator("serializer", mode="before")
    @classmethod
    def _from_type(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @field_validator("compressionlib")
    @classmethod
    def _has_functions(cls, value: str) -> str:
        return _with_functions(value, "compression library", "compress", "decompress")

    def dumps(self, obj: D) -> bytes:
        """Write a value with the other serializer, and compress it.

        Raises:
            SerializationError: The other serializer cannot write the value.
        """
        return binascii.b2a_base64(import_module(self.compressionlib).compress(self.serializer.dumps(obj)))

    def loads(self, blob: bytes) -> D:
        """Decompress a value, and read it with the other serializer."""
        return self.serializer.loads(import_module(self.compressionlib).decompress(binascii.a2b_base64(blob)))


class CompressedPickleSerializer(CompressedSerializer[D]):
    """Compresses pickles."""

    type: str = Field(default="compressed/pickle", frozen=True)
    serializer: Serializer[Any] = Field(default_factory=PickleSerializer)


class CompressedJSONSerializer(CompressedSerializer[D]):
    """Compresses JSON."""

    type: str = Field(default="compressed/json", frozen=True)
    serializer: Serializer[Any] = Field(default_factory=JSONSerializer)


_function = cache(from_qualified_name)


def _with_functions(name: str, role: str, *functions: str) -> str:
    try:
        module: ModuleType = import_module(name)
    except ImportError as error:
        raise ValueError(f"Failed to import requested {role}: {name!r}. Install the package that brings it.") from error
    for function in functions:
        if not callable(getattr(module, function, None)):
            raise ValueError(f"The {role} {name!r} does not have a {function!r} function.")
    return name


def _unserialisable(obj: Any, what: str, error: Exception) -> SerializationError:
    kind = f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix("builtins.")
    return SerializationError(
        f"A value of type {kind!r} could not be {what}: {type(error).__name__}: {str(error).rstrip('.')}. Return a value that can, choose "
        "another serializer with `result_serializer`, or switch persistence off with `persist_result=False`."
    )
