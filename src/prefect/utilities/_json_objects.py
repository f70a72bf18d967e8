"""Turns objects that JSON does not know into JSON values, and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from prefect.utilities.importtools import from_qualified_name, to_qualified_name


def prefect_json_object_encoder(obj: Any) -> Any:
    """Return a JSON form of an object, as the `default` of a JSON encoder.

    The form is `{"__class__": <qualified name>, "data": ...}`, and for exceptions
    `{"__exc_type__": <qualified name>, "message": ...}`. Open files become a placeholder; they are not read.

    Raises:
        TypeError: The object has no JSON form.
    """
    if isinstance(obj, BaseException):
        return {"__exc_type__": to_qualified_name(type(obj)), "message": str(obj)}
    return {"__class__": to_qualified_name(type(obj)), "data": _data(obj)}


def _data(obj: Any) -> Any:
    if isinstance(obj, io.IOBase):
        return f"<Prefect IOStream Placeholder: type={type(obj).__name__}, repr={obj!r} (original content not read)>"
    if isinstance(obj, Iterator):
        # Encoding it would use it up.
        raise TypeError(f"An iterator of type {type(obj).__name__!r} has no JSON form.")
    try:
        # Models validate by their aliases, so that is how they have to be written.
        return to_jsonable_python(obj, by_alias=True)
    except (PydanticSerializationError, UnicodeDecodeError) as error:
        raise TypeError(f"An object of type {type(obj).__name__!r} has no JSON form: {error}") from error


def prefect_json_object_decoder(result: dict[str, Any]) -> Any:
    """Return the object that a dictionary made by `prefect_json_object_encoder` stands for; others stay as they are.

    A class that cannot be imported here leaves the dictionary as it is.

    Raises:
        ValueError: The dictionary stands for an exception of a type that is none.
        pydantic.ValidationError: The data does not fit the class.
    """
    if "__class__" in result:
        return _object(result)
    if "__exc_type__" in result:
        return _exception(result["__exc_type__"], result["message"])
    return result


def _object(result: dict[str, Any]) -> Any:
    try:
        cls = from_qualified_name(result["__class__"])
    except (ImportError, AttributeError):
        return result
    if not isinstance(cls, type):
        return result
    try:
        adapter = TypeAdapter(cls)
    except PydanticSchemaGenerationError:
        return result
    return adapter.validate_python(result["data"])


def _exception(name: str, message: str) -> BaseException:
    try:
        cls = from_qualified_name(name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"Invalid exception type: {name!r}. It cannot be imported here: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        raise ValueError(f"Invalid exception type: {name!r}. It is not an exception.")
    return cls(message)
