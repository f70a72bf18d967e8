"""Reads the arguments of a run: which upstream runs they come from, and which values they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prefect._engine.lineage import Lineage
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.exceptions import PrefectException, UpstreamTaskError
from prefect.futures import PrefectFlowRunFuture, PrefectFuture
from prefect.utilities.annotations import BaseAnnotation, allow_failure, opaque, quote
from prefect.utilities.collections import StopVisiting, visit_collection

SCALARS = frozenset({str, int, float, bool, type(None), bytes, complex})
_LOOKUP_LIMIT = 1000
"""Items of a longer container of plain values are not looked up one by one."""

Inputs = dict[str, list[dict[str, str]]]


class Scan:
    """What was found in the arguments of one call."""

    __slots__ = ("_lineage", "_seen", "futures", "inputs", "resolvable")

    def __init__(self, lineage: Lineage | None) -> None:
        self.inputs: Inputs = {}
        self.futures: list[PrefectFuture[Any]] = []
        self.resolvable = False
        """Whether any argument holds a future, a state or an annotation."""
        self._lineage = lineage
        self._seen: set[tuple[str, str]] = set()

    def parameters(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if type(value) in SCALARS:
                if self._lineage is not None:
                    source = self._lineage.source_of(value)
                    if source is not None:
                        self.inputs[name] = [{"input_type": source[0], "id": source[1]}]
            else:
                self.value(name, value)

    def value(self, name: str, value: Any) -> None:
        """Collect what `value` depends on, at any depth, under `name`."""
        self._seen = set()
        visit_collection(value, self._visit, return_data=False, context={})
        if self._seen:
            self.inputs[name] = [{"input_type": kind, "id": id} for kind, id in sorted(self._seen)]

    def _visit(self, value: Any, context: dict[str, Any]) -> Any:
        kind = type(value)
        if kind in SCALARS:
            self._look_up(value)
            return value
        if isinstance(context.get("annotation"), quote):
            raise StopVisiting
        if isinstance(value, BaseAnnotation):
            self.resolvable = True
            return value
        if isinstance(value, PrefectFuture):
            self.resolvable = True
            self.futures.append(value)
            self._add(*_future_source(value))
            raise StopVisiting
        if isinstance(value, State):
            self.resolvable = True
            details = value.state_details
            if details.task_run_id:
                self._add("task_run", str(details.task_run_id))
            elif details.flow_run_id:
                self._add("flow_run", str(details.flow_run_id))
            raise StopVisiting
        if isinstance(value, (FlowRun, TaskRun)):
            raise PrefectException(
                f"A {kind.__name__} object cannot be passed to a task or flow, because it would be taken for its result. "
                "Pass its id, or wrap it: prefect.utilities.annotations.opaque(run)."
            )
        self._look_up(value)
        if kind in (list, tuple, set) and len(value) > _LOOKUP_LIMIT and SCALARS.issuperset(map(type, value)):
            raise StopVisiting
        return value

    def _look_up(self, value: Any) -> None:
        if self._lineage is not None:
            source = self._lineage.source_of(value)
            if source is not None:
                self._add(*source)

    def _add(self, kind: str, id: str) -> None:
        self._seen.add((kind, id))


def _future_source(future: PrefectFuture[Any]) -> tuple[str, str]:
    if isinstance(future, PrefectFlowRunFuture):
        return ("flow_run", str(future.flow_run_id))
    return ("task_run", str(future.task_run_id))


def scan(parameters: Mapping[str, Any], wait_for: Iterable[Any] | None, lineage: Lineage | None) -> Scan:
    """Find the upstream runs and the unresolved futures of one call."""
    found = Scan(lineage)
    found.parameters(parameters)
    if awaited := upstreams(wait_for):
        found.value("wait_for", awaited)
        found.resolvable = True
    return found


def upstreams(wait_for: Any) -> list[Any]:
    """What is to be waited for, as a list; one alone may stand for itself, also within an annotation."""
    if wait_for is None:
        return []
    if isinstance(wait_for, (PrefectFuture, State, BaseAnnotation)):
        return [wait_for]
    return list(wait_for)


class NotReady(Exception):
    """An upstream did not complete, so the run cannot start. Carries the upstream's state."""

    def __init__(self, state: State) -> None:
        super().__init__(str(state))
        self.state = state


def resolve(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Replace every finished future and every state in the arguments by its value.

    Raises:
        NotReady: An upstream did not complete and is not wrapped in `allow_failure`.
        PrefectException: A value could not be read; names the parameter.
    """
    resolved = {}
    for name, value in parameters.items():
        if type(value) in SCALARS:
            resolved[name] = value
            continue
        try:
            resolved[name] = resolve_value(value)
        except (NotReady, UpstreamTaskError):
            raise
        except Exception as error:
            raise PrefectException(f"Failed to resolve the inputs in parameter {name!r}: {error}") from error
    return resolved


def resolve_value(value: Any) -> Any:
    """Replace the futures and states in one value; annotations around them are taken off."""
    return visit_collection(value, value_of, return_data=True, context={}, remove_annotations=True)


def value_of(value: Any, context: dict[str, Any]) -> Any:
    """The value of a future or state, resolved in turn; anything else as it is. A callback for `visit_collection`."""
    if type(value) in SCALARS:
        return value
    annotation = context.get("annotation")
    if isinstance(annotation, quote):
        raise StopVisiting
    if isinstance(value, PrefectFuture):
        value.wait()
        state = value.state
    elif isinstance(value, State):
        state = value
    else:
        return value
    if state.is_completed():
        result = state.result(raise_on_failure=False, _sync=True)
    elif isinstance(annotation, allow_failure) and (state.is_failed() or state.is_pending()):
        result = None if state.is_pending() else state.result(raise_on_failure=False, _sync=True)
    else:
        raise NotReady(state)
    if isinstance(annotation, opaque):
        return result
    # A result may hold futures or states itself.
    return result if type(result) in SCALARS else resolve_value(result)


def check_upstreams(wait_for: Iterable[Any] | None) -> None:
    """Raise `NotReady` unless everything in `wait_for` completed, or may fail."""
    if awaited := upstreams(wait_for):
        resolve_value(awaited)


def as_inputs(dependencies: Mapping[str, Iterable[Any]]) -> Inputs:
    """Inputs that task runners of other packages collected, as sets of models, in the form that is recorded."""
    return {
        name: [item if isinstance(item, dict) else item.model_dump(mode="json") for item in items]
        for name, items in dependencies.items()
    }
