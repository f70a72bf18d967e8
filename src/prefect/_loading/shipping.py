"""Packs a flow that is an object of this process, so that another process can run it without its source."""

from __future__ import annotations

import base64
import gzip
import pickle
import sys
import types
import typing
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any

import cloudpickle

from prefect.flows import Flow
from prefect.utilities.importtools import is_script


def pack_flow(flow: Flow[..., Any]) -> bytes:
    """Everything that a process on this machine needs to run the flow.

    Args:
        flow: The flow. The function, and what it uses of the main module, or of the file that it was loaded from, travel as
            they are now.

    Raises:
        Exception: Something that the function uses cannot be pickled.
    """
    # Modules are searched for along the path before anything can be unpacked that names them.
    where = {"path": sys.path, "arguments": sys.argv}
    with _scripts_by_value(flow.fn.__module__):
        return pickle.dumps({**where, "flow": cloudpickle.dumps(_with_types_as_annotations(flow))})


@contextmanager
def _scripts_by_value(module_name: str) -> Generator[None, None, None]:
    """Let a module that was loaded as a script travel with what is pickled in this block: nobody could import it."""
    module = sys.modules.get(module_name)
    if module is None or not is_script(module_name) or module_name in cloudpickle.list_registry_pickle_by_value():
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def pack_bundle(bundle: Mapping[str, Any]) -> bytes:
    """The flow of a bundle (see `prefect.bundles`), for a process on this machine. Nothing of it is executed here.

    Args:
        bundle: Has the flow and the contexts to run it in as compressed pickles in base 64, `function` and `context`.
    """
    parts = {"flow": bundle["function"], "context": bundle["context"]}
    return pickle.dumps({name: gzip.decompress(base64.b64decode(text)) for name, text in parts.items()})


def unpack_flow(packed: bytes) -> tuple[Flow[..., Any], dict[str, Any] | None]:
    """The flow that was packed, and the contexts to run it in, if there are any.

    This process takes on the module path and the arguments of the one that has packed the flow itself.
    """
    parts = pickle.loads(packed)
    if "path" in parts:
        sys.path[:], sys.argv[:] = parts["path"], parts["arguments"]
    context = cloudpickle.loads(parts["context"]) if "context" in parts else None
    return cloudpickle.loads(parts["flow"]), context


def _with_types_as_annotations(flow: Flow[..., Any]) -> Flow[..., Any]:
    """The flow, whose annotations that are text have become what the text means: elsewhere nothing would give it a meaning."""
    fn: Any = flow.fn
    annotations = getattr(fn, "__annotations__", {})
    if not isinstance(fn, types.FunctionType) or not any(isinstance(each, str) for each in annotations.values()):
        return flow
    try:
        meant = typing.get_type_hints(fn, include_extras=True)
    except Exception:  # noqa: BLE001 - text that has no meaning here either is told of when the parameters are validated
        return flow
    twin = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    twin.__kwdefaults__, twin.__qualname__, twin.__module__ = fn.__kwdefaults__, fn.__qualname__, fn.__module__
    twin.__doc__ = fn.__doc__
    twin.__dict__.update(fn.__dict__)
    twin.__annotations__ = meant
    packable = copy(flow)
    packable.fn = twin
    return packable
