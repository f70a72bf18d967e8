"""Compares a module with a description of its public surface: names, kinds, signatures, fields, members.

A description is an entry of `python_api.json.gz`; `published_modules()` reads them all. A difference is one line of text
that begins with the place it is found at, such as `prefect.flows.Flow.serve(limit)`, followed by a colon.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import gzip
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

Spec = Mapping[str, Any]

_MISSING = object()


@cache
def published() -> dict[str, Any]:
    """The whole description, as it was published."""
    return json.loads(gzip.decompress((Path(__file__).parent / "python_api.json.gz").read_bytes()))


def published_modules() -> dict[str, Spec]:
    """The description of each module by its name."""
    return published()["modules"]


def compare_module(module_name: str, spec: Spec) -> list[str]:
    """List the differences between a module and its description; empty if there are none."""
    try:
        module = import_module(module_name)
    except Exception as error:  # whatever keeps it from being imported is the difference
        return [f"{module_name}: cannot be imported: {type(error).__name__}: {error}"]
    found: list[str] = []
    for name, entry in spec["names"].items():
        found.extend(_compare_name(f"{module_name}.{name}", module, name, entry))
    return found


def unexplained(differences: list[str], exceptions: Mapping[str, str]) -> list[str]:
    """The differences that no exception explains, and the exceptions that explain nothing.

    Args:
        exceptions: By the place of a difference, why it is meant to be there.
    """
    places = {difference.partition(": ")[0] for difference in differences}
    stale = [f"{place}: is listed as an exception, but does not differ" for place in exceptions if place not in places]
    return [line for line in differences if line.partition(": ")[0] not in exceptions] + stale


# --- names ------------------------------------------------------------------------------------------------------------


def _compare_name(place: str, module: ModuleType, name: str, entry: Spec) -> Iterator[str]:
    try:
        value = getattr(module, name)
    except AttributeError:
        yield f"{place}: is missing"
        return
    except Exception as error:
        yield f"{place}: cannot be loaded: {type(error).__name__}: {error}"
        return
    if "same_as" in entry:
        yield from _compare_identity(place, value, entry["same_as"])
        return
    compare = _BY_KIND.get(entry["kind"])
    if compare is not None:
        yield from compare(place, value, entry)


def _compare_identity(place: str, value: Any, target: str) -> Iterator[str]:
    try:
        other = _resolve(target)
    except Exception as error:
        yield f"{place}: should be {target}, which cannot be loaded: {type(error).__name__}: {error}"
        return
    if value is not other:
        yield f"{place}: is not the same object as {target}"


def _resolve(name: str) -> Any:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(f"No module in {name!r}")


# --- functions --------------------------------------------------------------------------------------------------------


def _compare_function(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if not callable(value):
        yield f"{place}: should be callable, but is {value!r}"
        return
    if entry.get("fixture"):
        return
    yield from _compare_use(place, value, entry)
    yield from _compare_signature(place, value, entry.get("params", ()))


def _compare_use(place: str, function: Any, entry: Spec) -> Iterator[str]:
    plain = inspect.unwrap(function)
    if entry.get("dual"):
        if not hasattr(function, "aio"):
            yield f"{place}: should be sync or async by where it is called, but has no `.aio`"
    elif entry.get("context_manager"):
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            yield f"{place}: should be a context manager, but is a plain generator"
    elif entry.get("async_generator"):
        if not inspect.isasyncgenfunction(plain) and inspect.iscoroutinefunction(plain):
            yield f"{place}: should be an async generator, but is a coroutine function"
    elif bool(entry.get("async")) != inspect.iscoroutinefunction(plain):
        yield f"{place}: should {'' if entry.get('async') else 'not '}be an async function"


def _compare_signature(place: str, function: Any, params: Any, skip_first: bool = False) -> Iterator[str]:
    try:
        ours = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        yield f"{place}: has no signature: {error}"
        return
    if skip_first:
        ours = ours[1:]
    expected = [param["name"] for param in params]
    names = [parameter.name for parameter in ours]
    if [_plain(name) for name in names] != [_plain(name) for name in expected]:
        yield f"{place}: takes ({', '.join(names)}) instead of ({', '.join(expected)})"
        return
    for parameter, param in zip(ours, params, strict=True):
        kind = parameter.kind.name.lower()
        if kind != param["kind"]:
            yield f"{place}({param['name']}): is {kind} instead of {param['kind']}"
        has_default = parameter.default is not parameter.empty
        if has_default != (param["default"] is not None):
            yield f"{place}({param['name']}): should have {param['default'] or 'no default'}"
        elif has_default and not _same_default(param["default"], parameter.default):
            yield f"{place}({param['name']}): defaults to {_shown(parameter.default)} instead of {param['default']}"


def _plain(name: str) -> str:
    # A parameter that begins with two underscores has its class's name before it.
    return re.sub(r"^_[A-Za-z]\w*?__(?=\w)", "__", name)


# --- defaults and values ----------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__ if value.__module__ == "builtins" else f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def _same_default(expected: str, value: Any) -> bool:
    if expected.startswith("<"):
        # It stands for an object that has no text of its own; its kind has to do.
        return not isinstance(value, (str, int, float, bool, type(None)))
    if expected == "Ellipsis":
        return value is ...
    if isinstance(value, type):
        return expected.rpartition(".")[2] == value.__name__
    try:
        return ast.literal_eval(expected) == value
    except (ValueError, SyntaxError):
        pass
    if re.fullmatch(r"\w+\.\w+", expected) and hasattr(value, "name"):
        return expected == f"{type(value).__name__}.{value.name}"
    if expected == "set()":
        return value == set()
    return repr(value) == expected


# --- classes ----------------------------------------------------------------------------------------------------------


def _compare_class(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if not isinstance(value, type):
        yield f"{place}: should be a class, but is {value!r}"
        return
    yield from _compare_bases(place, value, entry.get("bases", ()))
    if entry.get("protocol") and not getattr(value, "_is_protocol", False):
        yield f"{place}: should be a protocol"
    if "fields" in entry:
        yield from _compare_fields(place, value, entry)
    members = entry.get("members")
    if isinstance(members, dict):
        for name, member in members.items():
            yield from _compare_member(place, value, name, member)
    for name in entry.get("inherited", ()):
        if not _has(value, name):
            yield f"{place}.{name}: is missing"
    for name in entry.get("dunders", ()):
        if getattr(value, name, None) is getattr(object, name, None):
            yield f"{place}.{name}: is missing"
    for name, attribute in (entry.get("attributes") or {}).items():
        yield from _compare_attribute(f"{place}.{name}", value, name, attribute)
    config = entry.get("config", {})
    if "extra" in config and isinstance(value, type) and issubclass(value, BaseModel):
        extra = value.model_config.get("extra") or "ignore"
        if extra != config["extra"]:
            yield f"{place}: takes extra fields as {extra!r} instead of {config['extra']!r}"


def _has(cls: type, name: str) -> bool:
    declared = any(name in base.__dict__.get("__annotations__", {}) for base in cls.__mro__)
    return declared or name in getattr(cls, "model_fields", {}) or hasattr(cls, name)


def _compare_bases(place: str, cls: type, bases: Any) -> Iterator[str]:
    for name in bases:
        if "." not in name and not hasattr(builtins, name):
            # A name without a module is private, or one of typing.
            continue
        if not name.startswith("prefect.") and "." in name:
            continue
        try:
            base = getattr(builtins, name) if "." not in name else _resolve(name)
        except Exception:
            yield f"{place}: should be a kind of {name}, which cannot be loaded"
            continue
        if isinstance(base, type) and not issubclass(cls, base):
            yield f"{place}: should be a kind of {name}"


def _compare_fields(place: str, cls: Any, entry: Spec) -> Iterator[str]:
    fields = entry["fields"]
    if entry["kind"] == "namedtuple":
        if list(getattr(cls, "_fields", ())) != fields:
            yield f"{place}: has the fields {getattr(cls, '_fields', None)} instead of {fields}"
    elif entry["kind"] == "typeddict":
        if set(cls.__annotations__) != set(fields):
            yield f"{place}: has the keys {sorted(cls.__annotations__)} instead of {sorted(fields)}"
    elif entry["kind"] == "model":
        yield from _compare_model_fields(place, cls, fields)
    elif entry.get("dataclass"):
        names = {field.name for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
        if names != set(fields):
            yield f"{place}: has the fields {sorted(names)} instead of {sorted(fields)}"


def _compare_model_fields(place: str, cls: Any, fields: Mapping[str, Spec]) -> Iterator[str]:
    if not issubclass(cls, BaseModel):
        yield f"{place}: should be a pydantic model"
        return
    ours = cls.model_fields
    for name in fields.keys() - ours.keys():
        yield f"{place}.{name}: is missing"
    for name in ours.keys() - fields.keys():
        yield f"{place}.{name}: is a field too many"
    for name in fields.keys() & ours.keys():
        expected, field = fields[name], ours[name]
        if field.is_required() != expected["required"]:
            yield f"{place}.{name}: should {'' if expected['required'] else 'not '}be required"
            continue
        default = expected.get("default")
        if default is None or default == "<computed>" or field.is_required():
            continue
        value = field.default
        if value is PydanticUndefined and field.default_factory is not None:
            try:
                value = field.default_factory()  # type: ignore[call-arg]
            except Exception:
                # One that needs the other fields, or the settings.
                continue
        if not _same_default(default, value):
            yield f"{place}.{name}: defaults to {_shown(value)} instead of {default}"


def _compare_member(place: str, cls: type, name: str, entry: Spec) -> Iterator[str]:
    place = f"{place}.{name}"
    raw = inspect.getattr_static(cls, name, _MISSING)
    if raw is _MISSING:
        if not _has(cls, name):
            yield f"{place}: is missing"
        return
    kind = entry["kind"]
    if kind == "property":
        if isinstance(raw, (staticmethod, classmethod)) or inspect.isfunction(raw):
            yield f"{place}: should be a property"
        return
    if isinstance(raw, classmethod) != (kind == "classmethod") and name not in ("__new__", "__init_subclass__"):
        yield f"{place}: should {'' if kind == 'classmethod' else 'not '}be a class method"
        return
    if isinstance(raw, staticmethod) != (kind == "staticmethod") and name != "__new__":
        yield f"{place}: should {'' if kind == 'staticmethod' else 'not '}be a static method"
        return
    function = getattr(cls, name)
    if not callable(function):
        yield f"{place}: should be callable, but is {function!r}"
        return
    if name not in ("__init__", "__new__"):
        yield from _compare_use(place, function, entry)
    bound = isinstance(raw, (classmethod, staticmethod)) and name != "__new__"
    yield from _compare_signature(place, function, entry.get("params", ()), skip_first=not bound)


def _compare_attribute(place: str, cls: type, name: str, entry: Any) -> Iterator[str]:
    if not _has(cls, name):
        yield f"{place}: is missing"
    elif isinstance(entry, dict) and "value" in entry and hasattr(cls, name):
        if not _same_default(entry["value"], getattr(cls, name)):
            yield f"{place}: is {_shown(getattr(cls, name))} instead of {entry['value']}"


def _compare_enum(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if not isinstance(value, type) or not hasattr(value, "__members__"):
        yield f"{place}: should be an enumeration, but is {value!r}"
        return
    yield from _compare_bases(place, value, entry.get("bases", ()))
    ours = [[name, member.value] for name, member in value.__members__.items()]
    if [[name, str(item)] for name, item in ours] != [[name, str(item)] for name, item in entry["members"]]:
        yield f"{place}: has the members {ours} instead of {entry['members']}"
    for name, member in (entry.get("methods") or {}).items():
        yield from _compare_member(place, value, name, member)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _compare_constant(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if "value" in entry and not entry["value"].startswith("prometheus_client"):
        try:
            expected = ast.literal_eval(entry["value"])
        except (ValueError, SyntaxError):
            # It names classes, which stand for themselves only.
            return
        # An empty container is there to be filled: earlier use may have done so.
        if value != expected and not (expected in ({}, [], set()) and isinstance(value, type(expected))):
            yield f"{place}: is {value!r} instead of {entry['value']}"


def _compare_instance(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if not callable(value):
        yield f"{place}: should be callable, but is {value!r}"


def _compare_is_module(place: str, value: Any, entry: Spec) -> Iterator[str]:
    if not isinstance(value, ModuleType):
        yield f"{place}: should be the module {entry['module']}"


_BY_KIND = {
    "function": _compare_function,
    "class": _compare_class,
    "model": _compare_class,
    "typeddict": _compare_class,
    "namedtuple": _compare_class,
    "enum": _compare_enum,
    "constant": _compare_constant,
    "instance": _compare_instance,
    "module": _compare_is_module,
}
"""How values of each kind are compared; of an alias, or a name that is made up on demand, only that it is there."""
