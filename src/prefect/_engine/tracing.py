"""Spans of OpenTelemetry for flow runs and task runs, where the process has been given a provider of spans.

Nothing of OpenTelemetry is loaded here before somebody else has: a provider can only be set by code that has imported its
API, such as `opentelemetry-instrument`, or be named in OTEL_PYTHON_TRACER_PROVIDER.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from prefect._extras import import_extra
from prefect._version import __version__
from prefect.logging.loggers import get_logger
from prefect.settings import get_current_settings

LABEL = "__OTEL_TRACEPARENT"
"""The label of a run that says which span is its own, or which span it is to continue, in W3C's form."""
_PROVIDER_VARIABLE = "OTEL_PYTHON_TRACER_PROVIDER"
_IS_PROVIDER_NAMED = bool(os.environ.get(_PROVIDER_VARIABLE))
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_missing: set[str] = set()


class RunSpan:
    """The span of one run, until it is ended."""

    __slots__ = ("_span", "_trace", "traceparent")

    def __init__(self, trace: Any, span: Any) -> None:
        self._trace, self._span = trace, span
        self.traceparent = _traceparent(span.get_span_context())

    def active(self) -> AbstractContextManager[Any]:
        """Make it the current span in a block, so that spans and logs of the user's code belong to it."""
        return self._trace.use_span(
            self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False
        )

    def rename(self, name: str) -> None:
        """Follow the run, which got another name."""
        self._span.update_name(name)
        self._span.set_attribute("prefect.run.name", name)

    def enter(self, type: str, name: str, message: str | None, id: object) -> None:
        """Tell of a state that the run enters."""
        attributes = {"prefect.state.type": type, "prefect.state.name": name, "prefect.state.id": str(id)}
        self._span.add_event(name, attributes | {"prefect.state.message": message or ""})

    def fail(self, error: BaseException) -> None:
        """Tell of an exception of the user's code."""
        self._span.record_exception(error)

    def end(self, type: str | None, message: str | None) -> None:
        """End it, as the final state of the run says."""
        codes = self._trace.StatusCode
        if type == "COMPLETED":
            self._span.set_status(codes.OK)
        elif type in ("FAILED", "CRASHED", "CANCELLED"):
            self._span.set_status(codes.ERROR, message or "")
        self._span.end()


def may_be_wanted() -> bool:
    """Whether anybody can have asked for spans; quick, for it is asked for every run."""
    return _IS_PROVIDER_NAMED or "opentelemetry.trace" in sys.modules


def begin_span(
    kind: str,
    run: Any,
    parameters: Mapping[str, Any] | None,
    enclosing: Iterable[Mapping[str, Any] | None],
) -> RunSpan | None:
    """Begin the span of a run; None where nobody wants spans.

    Args:
        kind: "flow" or "task".
        run: Has `id`, `name`, `tags` and `labels`.
        parameters: Of the run. Only the names of their types are told.
        enclosing: The labels of the runs that it is in, the closest first.
    """
    trace = _trace_api()
    if trace is None:
        return None
    labels = run.labels or {}
    attributes: dict[str, Any] = {
        "prefect.run.name": run.name,
        "prefect.run.type": kind,
        "prefect.run.id": str(run.id),
        "prefect.tags": list(run.tags),
    }
    for name, value in (parameters or {}).items():
        attributes[f"prefect.run.parameter.{name}"] = type(value).__name__
    attributes |= {name: value for name, value in labels.items() if not name.startswith("__")}
    context = next((found for each in (labels, *enclosing) if (found := _context(trace, each)) is not None), None)
    tracer = trace.get_tracer_provider().get_tracer("prefect", __version__)
    return RunSpan(trace, tracer.start_span(run.name, context=context, attributes=attributes))


def current_labels() -> dict[str, Any]:
    """The labels by which a run that starts elsewhere continues the trace of the code that asks for it."""
    trace = _trace_api() if may_be_wanted() else None
    context = None if trace is None else trace.get_current_span().get_span_context()
    return {LABEL: _traceparent(context)} if context is not None and context.is_valid else {}


def around(span: RunSpan | None) -> AbstractContextManager[Any]:
    """A block in which a span is the current one, if there is one."""
    return nullcontext() if span is None else span.active()


def _trace_api() -> Any:
    """The API for spans, where a provider is set and spans are not switched off."""
    if not get_current_settings().cloud.enable_orchestration_telemetry:
        return None
    try:
        trace = import_extra("opentelemetry.trace", "otel", _PROVIDER_VARIABLE)
    except ModuleNotFoundError as error:
        if _PROVIDER_VARIABLE not in _missing:
            _missing.add(_PROVIDER_VARIABLE)
            get_logger("telemetry").warning("There are no spans: %s", error)
        return None
    idle = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)
    return None if isinstance(trace.get_tracer_provider(), idle) else trace


def _traceparent(context: Any) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _context(trace: Any, labels: Mapping[str, Any] | None) -> Any:
    found = _TRACEPARENT.match(str((labels or {}).get(LABEL, "")))
    if found is None:
        return None
    context = trace.SpanContext(
        int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=trace.TraceFlags(int(found[3], 16))
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(context)) if context.is_valid else None
