"""Loads flows by their entrypoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect._loading.partial import load_placeholder_flow, safe_load_flow_from_entrypoint
from prefect.exceptions import MissingFlowError, ScriptError, UnspecifiedFlowError
from prefect.flows import Flow
from prefect.utilities._source_signature import split_entrypoint
from prefect.utilities.importtools import import_object


def load_flow_from_entrypoint(entrypoint: str, use_placeholder_flow: bool = True) -> Flow[..., Any]:
    """Load the flow that an entrypoint names. `if __name__ == "__main__"` blocks of its file do not run.

    Args:
        entrypoint: `path/to/file.py:flow`, `package.module:flow` or `package.module.flow`; the flow may be
            `Class.method`.
        use_placeholder_flow: If the file raises while it is loaded, recover what its source says of the flow, so that a
            deployment can be made without the flow's packages.

    Raises:
        MissingFlowError: The file has no such object, or it is not a flow.
        ScriptError: The file raises while it is loaded, and no placeholder is allowed.
        ModuleNotFoundError: There is no such module.
    """
    _, name = split_entrypoint(entrypoint)
    try:
        found = import_object(entrypoint)
    except AttributeError as error:
        raise MissingFlowError(f"Flow function with name {name!r} not found in {entrypoint!r}.") from error
    except (ScriptError, ImportError) as error:
        if not use_placeholder_flow or _is_missing_itself(error, entrypoint):
            raise
        found = _recover(entrypoint, error)
    if not isinstance(found, Flow):
        raise MissingFlowError(
            f"Function with name {name!r} of {entrypoint!r} is not a flow. Make sure that it is decorated with '@flow'."
        )
    found._entrypoint = entrypoint
    return found


def _is_missing_itself(error: Exception, entrypoint: str) -> bool:
    """Whether the module of the entrypoint is what cannot be found, rather than one that it needs."""
    return isinstance(error, ModuleNotFoundError) and f"{split_entrypoint(entrypoint)[0]}.".startswith(f"{error.name}.")


def _recover(entrypoint: str, error: ScriptError | ImportError) -> Flow[..., Any]:
    try:
        found = safe_load_flow_from_entrypoint(entrypoint)
        if found is not None:
            return found
        return load_placeholder_flow(entrypoint, raises=error)
    except SyntaxError:
        raise error from None  # the source says nothing that can be understood; the error tells where
    except ValueError as missing:
        raise MissingFlowError(str(missing)) from error


def load_function_and_convert_to_flow(entrypoint: str) -> Flow[..., Any]:
    """Load a function and make a flow of it that logs its prints. A flow is taken as it is, logging its prints.

    Raises:
        RuntimeError: There is no such function.
        ScriptError: The file raises while it is loaded.
    """
    _, name = split_entrypoint(entrypoint)
    try:
        found = import_object(entrypoint)
    except AttributeError as error:
        raise RuntimeError(f"Function with name {name!r} not found in {entrypoint!r}.") from error
    made: Flow[..., Any] = (
        found.with_options(log_prints=True) if isinstance(found, Flow) else Flow(found, log_prints=True)
    )
    made._entrypoint = entrypoint
    return made


def select_flow(
    flows: Iterable[Flow[..., Any]], flow_name: str | None = None, from_message: str | None = None
) -> Flow[..., Any]:
    """The one flow of several that has a name, or the only one there is.

    Args:
        flow_name: Default: there must be one flow only.
        from_message: Words for messages that say where the flows are from, such as "in 'etl.py'".

    Raises:
        MissingFlowError: There is no flow, or none of that name.
        UnspecifiedFlowError: There are several flows and no name.
    """
    by_name = {flow.name: flow for flow in flows}
    where = f" {from_message}" if from_message else ""
    if not by_name:
        raise MissingFlowError(f"No flows found{where}. Check that your flow function is decorated with `@flow`.")
    names = " ".join(repr(name) for name in by_name)
    if flow_name is not None:
        if flow_name not in by_name:
            raise MissingFlowError(
                f"Flow {flow_name!r} not found{where}. Found the following flows: {names}. "
                "Check that your flow function is decorated with `@flow`."
            )
        return by_name[flow_name]
    if len(by_name) > 1:
        raise UnspecifiedFlowError(f"Found {len(by_name)} flows{where}: {names}. Specify a flow name to select a flow.")
    return next(iter(by_name.values()))
