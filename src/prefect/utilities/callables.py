"""Looks at functions, binds their arguments, and turns parameters into arguments again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from prefect.exceptions import (
    MappingLengthMismatch,
    MappingMissingIterable,
    ParameterBindError,
    ReservedArgumentError,
    SignatureMismatchError,
)
from prefect.utilities._binding import shape_of
from prefect.utilities._lazy import lazy_names
from prefect.utilities.annotations import BaseAnnotation, allow_failure, quote, unmapped
from prefect.utilities.collections import isiterable

if TYPE_CHECKING:
    from prefect.utilities._parameter_models import validate_call_parameters
    from prefect.utilities._parameter_schema import (
        ParameterSchema,
        create_v1_schema,
        create_v2_schema,
        generate_parameter_schema,
        has_v1_type_as_param,
        parameter_docstrings,
        parameter_schema,
        parameter_schema_from_entrypoint,
        process_v1_params,
        process_v2_params,
    )
    from prefect.utilities.importtools import safe_load_namespace

R = TypeVar("R")

__all__ = [
    "MappingLengthMismatch",
    "MappingMissingIterable",
    "ParameterBindError",
    "ParameterSchema",
    "ReservedArgumentError",
    "SignatureMismatchError",
    "allow_failure",
    "call_with_parameters",
    "cloudpickle_wrapped_call",
    "collapse_variadic_parameters",
    "create_v1_schema",
    "create_v2_schema",
    "expand_mapping_parameters",
    "explode_variadic_parameter",
    "generate_parameter_schema",
    "get_call_parameters",
    "get_parameter_defaults",
    "has_v1_type_as_param",
    "isiterable",
    "parameter_docstrings",
    "parameter_schema",
    "parameter_schema_from_entrypoint",
    "parameters_to_args_kwargs",
    "process_v1_params",
    "process_v2_params",
    "quote",
    "raise_for_reserved_arguments",
    "safe_load_namespace",
    "unmapped",
    "validate_call_parameters",
]

# What builds pydantic models is loaded when it is first used.
__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(
            (
                "ParameterSchema",
                "create_v1_schema",
                "create_v2_schema",
                "generate_parameter_schema",
                "has_v1_type_as_param",
                "parameter_docstrings",
                "parameter_schema",
                "parameter_schema_from_entrypoint",
                "process_v1_params",
                "process_v2_params",
            ),
            "prefect.utilities._parameter_schema",
        ),
        "disable_logger": "prefect.logging.loggers",
        "get_logger": "prefect.logging.loggers",
        "safe_load_namespace": "prefect.utilities.importtools",
        "validate_call_parameters": "prefect.utilities._parameter_models",
    },
)


# --- arguments and parameters -----------------------------------------------------------------------------------------


def get_call_parameters(
    fn: Callable[..., Any], call_args: tuple[Any, ...], call_kwargs: dict[str, Any], apply_defaults: bool = True
) -> dict[str, Any]:
    """Bind the arguments of a call to the parameters of a function.

    Args:
        apply_defaults: Include the parameters that were not given, with their defaults. The default that a pydantic
            `Field` describes counts as the parameter's.

    Returns:
        The parameters in the order of the signature; `*args` is one of them, as a tuple, and so is `**kwargs`, as a
        dictionary.

    Raises:
        ParameterBindError: The arguments do not fit the function.
    """
    shape = shape_of(fn)
    try:
        if apply_defaults:
            return shape.bind(*call_args, **call_kwargs)
        return dict(shape.signature.bind(*call_args, **call_kwargs).arguments)
    except TypeError as error:
        raise ParameterBindError.from_bind_failure(fn, error, call_args, call_kwargs) from error


def get_parameter_defaults(fn: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of those parameters that have one."""
    return {name: default.get() for name, default in shape_of(fn).defaults.items() if not default.required}


def parameters_to_args_kwargs(
    fn: Callable[..., Any], parameters: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Turn parameters into the positional and keyword arguments that pass them.

    Raises:
        SignatureMismatchError: The function has no such parameter.
    """
    return shape_of(fn).arguments(parameters)


def call_with_parameters(fn: Callable[..., R], parameters: dict[str, Any]) -> R:
    """Call a function with parameters as `get_call_parameters` returns them.

    Raises:
        SignatureMismatchError: The function has no such parameter.
    """
    args, kwargs = shape_of(fn).arguments(parameters)
    return fn(*args, **kwargs)


def explode_variadic_parameter(fn: Callable[..., Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Put the entries of the `**kwargs` parameter beside the other parameters."""
    name = shape_of(fn).var_keyword
    if name is None or name not in parameters:
        return parameters
    rest = dict(parameters)
    return rest | rest.pop(name)


def collapse_variadic_parameters(fn: Callable[..., Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Put the parameters that the signature does not name into the `**kwargs` parameter.

    Raises:
        ValueError: There are such parameters, but the function takes no `**kwargs`.
    """
    shape = shape_of(fn)
    extra = {name: value for name, value in parameters.items() if name not in shape.names}
    if not extra:
        return parameters
    if shape.var_keyword is None:
        raise ValueError(
            f"Function {fn!r} takes no variadic keyword arguments, but the parameters {list(extra)} are not in its "
            f"signature {str(shape.signature)!r}."
        )
    known = {name: value for name, value in parameters.items() if name in shape.names}
    return known | {shape.var_keyword: extra}


def raise_for_reserved_arguments(fn: Callable[..., Any], reserved_arguments: Iterable[str]) -> None:
    """Check that no parameter has one of some names.

    Raises:
        ReservedArgumentError: One has.
    """
    names = shape_of(fn).names
    for argument in reserved_arguments:
        if argument in names:
            raise ReservedArgumentError(f"{argument!r} is a reserved argument name and cannot be used. Rename it.")


# --- mapping ----------------------------------------------------------------------------------------------------------


def expand_mapping_parameters(func: Callable[..., Any], parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn the parameters of one mapped call into the parameters of its children.

    Iterables are taken apart, strings and `unmapped` values are not. An annotation around an iterable is put around
    each of its items. Defaults that were not given are the same for every child.

    Raises:
        MappingMissingIterable: None of the parameters is iterable.
        MappingLengthMismatch: The iterables have different lengths.
    """
    mapped: dict[str, list[Any]] = {}
    constant: dict[str, Any] = {}
    for name, value in explode_variadic_parameter(func, parameters).items():
        items = _items_to_map(value)
        if items is None:
            constant[name] = _without_unmapped(value)
        else:
            mapped[name] = items
    if not mapped:
        raise MappingMissingIterable(
            "No iterable parameters were received. Parameters for map must include at least one iterable. "
            f"Parameters: {parameters!r}"
        )
    lengths = {name: len(items) for name, items in mapped.items()}
    if len(set(lengths.values())) > 1:
        raise MappingLengthMismatch(
            "Received iterable parameters with different lengths. Parameters for map must all be the same length. "
            f"Got lengths: {lengths}"
        )
    defaults = get_parameter_defaults(func)
    constant = {name: default for name, default in defaults.items() if name not in mapped} | constant
    children = (dict(zip(mapped, items, strict=True)) for items in zip(*mapped.values(), strict=True))
    return [collapse_variadic_parameters(func, child | constant) for child in children]


def _items_to_map(value: Any) -> list[Any] | None:
    if isinstance(value, BaseAnnotation):
        inner = value.unwrap()
        if isinstance(value, unmapped) or isinstance(inner, unmapped):
            return None
        items = _items_to_map(inner)
        return None if items is None else [value.rewrap(item) for item in items]
    return list(value) if isiterable(value) else None


def _without_unmapped(value: Any) -> Any:
    if isinstance(value, unmapped):
        return value.unwrap()
    if isinstance(value, BaseAnnotation) and isinstance(value.unwrap(), unmapped):
        return value.rewrap(value.unwrap().unwrap())
    return value


# --- calls in other processes -----------------------------------------------------------------------------------------


def cloudpickle_wrapped_call(__fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], bytes]:
    """Return a callable that plain pickle can carry, and that runs the call and returns its result cloudpickled."""
    # cloudpickle costs 20 ms to import and is needed for process pools only.
    import cloudpickle  # noqa: PLC0415

    return partial(_run_pickled_call, cloudpickle.dumps((__fn, args, kwargs)))


def _run_pickled_call(payload: bytes) -> bytes:
    import cloudpickle  # noqa: PLC0415 - see above

    fn, args, kwargs = cloudpickle.loads(payload)
    return cloudpickle.dumps(fn(*args, **kwargs))
