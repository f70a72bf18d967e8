"""Replaces the objects in parameters that stand for other values, such as a template or a variable.

Such an object has a `__prefect_kind`::

    {"__prefect_kind": "none", "value": 1}                          1
    {"__prefect_kind": "json", "value": "[1, 2]"}                   [1, 2]
    {"__prefect_kind": "jinja", "template": "{{ flow_run.id }}"}    the rendered text
    {"__prefect_kind": "workspace_variable", "variable_name": "x"}  the value of the variable
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pydantic import BaseModel, Field
from typing_extensions import Self

__all__ = [
    "Handler",
    "HydrationContext",
    "HydrationError",
    "InvalidJSON",
    "InvalidJinja",
    "KeyNotFound",
    "Placeholder",
    "PrefectKind",
    "RemoveValue",
    "TemplateNotFound",
    "ValidJinja",
    "ValueNotFound",
    "VariableNameNotFound",
    "WorkspaceVariable",
    "WorkspaceVariableNotFound",
    "call_handler",
    "handler",
    "hydrate",
    "jinja_handler",
    "json_handler",
    "null_handler",
    "workspace_variable_handler",
]

_KIND = "__prefect_kind"


class HydrationContext(BaseModel):
    """What objects are replaced with.

    Attributes:
        workspace_variables: The values of variables by name.
        render_workspace_variables: Replace variables; else a `WorkspaceVariable` marks the place.
        raise_on_error: Raise errors; else they are put in the place of the values.
        render_jinja: Render templates; else they are checked only, and a `ValidJinja` marks the place.
        jinja_context: The variables of templates.
    """

    workspace_variables: dict[str, str | int | bool | float | dict[str, Any] | list[Any] | None] = Field(
        default_factory=dict
    )
    render_workspace_variables: bool = False
    raise_on_error: bool = False
    render_jinja: bool = False
    jinja_context: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    async def build(
        cls,
        session: Any,
        raise_on_error: bool = False,
        render_jinja: bool = False,
        render_workspace_variables: bool = False,
    ) -> Self:
        """Make a context with the variables that a store holds.

        Args:
            session: Has an async `read_variables()` that returns objects with a `name` and a `value`.
        """
        variables = await session.read_variables() if render_workspace_variables else []
        return cls(
            workspace_variables={variable.name: variable.value for variable in variables},
            raise_on_error=raise_on_error,
            render_jinja=render_jinja,
            render_workspace_variables=render_workspace_variables,
        )


# --- what is put in the place of a value ------------------------------------------------------------------------------


class Placeholder:
    """Stands where a value cannot be, or not yet."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def is_error(self) -> bool:
        """Whether the value cannot be had at all."""
        return False


class RemoveValue(Placeholder):
    """Marks a value that is to be left out."""


class ValidJinja(Placeholder):
    """Stands for what a template will render to."""

    def __init__(self, template: str) -> None:
        self.template = template

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValidJinja) and self.template == other.template

    def __hash__(self) -> int:
        return hash((ValidJinja, self.template))

    def __repr__(self) -> str:
        return f"ValidJinja({self.template!r})"


class WorkspaceVariable(Placeholder):
    """Stands for the value of a variable."""

    def __init__(self, variable_name: str) -> None:
        self.variable_name = variable_name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkspaceVariable) and self.variable_name == other.variable_name

    def __hash__(self) -> int:
        return hash((WorkspaceVariable, self.variable_name))

    def __repr__(self) -> str:
        return f"WorkspaceVariable({self.variable_name!r})"


class HydrationError(Placeholder, Exception, ABC):
    """Says why a value cannot be had."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(*(() if detail is None else (detail,)))
        self.detail = detail

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.message == other.message  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.detail))

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.detail is None else repr(self.detail)})"

    @property
    def is_error(self) -> bool:
        """Whether the value cannot be had at all: it cannot."""
        return True

    @property
    @abstractmethod
    def message(self) -> str:
        """What is wrong."""


class KeyNotFound(HydrationError):
    """An object lacks a key."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The key."""

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"Missing '{self.key}' key in __prefect object"


class ValueNotFound(KeyNotFound):
    """An object has no value."""

    @property
    def key(self) -> str:
        """The key that is missing."""
        return "value"


class TemplateNotFound(KeyNotFound):
    """An object has no template."""

    @property
    def key(self) -> str:
        """The key that is missing."""
        return "template"


class VariableNameNotFound(KeyNotFound):
    """An object names no variable."""

    @property
    def key(self) -> str:
        """The key that is missing."""
        return "variable_name"


class InvalidJSON(HydrationError):
    """A value is not the JSON text that it should be."""

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"Invalid JSON: {self.detail}" if self.detail else "Invalid JSON"


class InvalidJinja(HydrationError):
    """A template is malformed, or failed to render."""

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"Invalid jinja: {self.detail}" if self.detail else "Invalid jinja"


class WorkspaceVariableNotFound(HydrationError):
    """There is no such variable."""

    @property
    def variable_name(self) -> str:
        """The name that was looked for."""
        return self.detail or ""

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"Variable '{self.variable_name}' not found in workspace."


# --- how each kind is replaced ----------------------------------------------------------------------------------------

PrefectKind = str | None
Handler = Callable[[dict[str, Any], HydrationContext], Any]

_handlers: dict[PrefectKind, Handler] = {}


def handler(kind: PrefectKind) -> Callable[[Handler], Handler]:
    """Register a function that replaces objects of a kind."""

    def decorate(fn: Handler) -> Handler:
        _handlers[kind] = fn
        return fn

    return decorate


def call_handler(kind: PrefectKind, obj: dict[str, Any], ctx: HydrationContext) -> Any:
    """Return what an object of a kind stands for; of an unknown kind its value, or None.

    Raises:
        HydrationError: The value cannot be had, and the context says to raise.
    """
    handle = _handlers.get(kind) if isinstance(kind, str) or kind is None else None
    if handle is None:
        return _hydrate(obj.get("value"), ctx)
    result = handle(obj, ctx)
    if ctx.raise_on_error and isinstance(result, HydrationError):
        raise result
    return result


@handler("none")
def null_handler(obj: dict[str, Any], ctx: HydrationContext) -> Any:
    """Return the value of an object as it is."""
    return _hydrate(obj["value"], ctx) if "value" in obj else ValueNotFound()


_handlers[None] = null_handler


@handler("json")
def json_handler(obj: dict[str, Any], ctx: HydrationContext) -> Any:
    """Return what the value of an object says as JSON text; other values are returned as they are."""
    if "value" not in obj:
        return RemoveValue()
    value = _hydrate(obj["value"], ctx)
    if not isinstance(value, (str, bytes)):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        return InvalidJSON(detail=str(error))


@handler("jinja")
def jinja_handler(obj: dict[str, Any], ctx: HydrationContext) -> Any:
    """Return the rendered template of an object, or a mark that it is well-formed."""
    if "template" not in obj:
        return TemplateNotFound()
    template = _hydrate(obj["template"], ctx)
    if isinstance(template, Placeholder):
        return template
    if not isinstance(template, str):
        return InvalidJinja(detail=f"a template has to be text, not {template!r}.")
    # Jinja costs 40 ms to import.
    sandbox = import_module("prefect.utilities._sandboxed_templates")
    try:
        sandbox.check(template)
        return sandbox.render(template, ctx.jinja_context) if ctx.render_jinja else ValidJinja(template)
    except sandbox.TemplateProblem as error:
        return InvalidJinja(detail=str(error))


@handler("workspace_variable")
def workspace_variable_handler(obj: dict[str, Any], ctx: HydrationContext) -> Any:
    """Return the value of the variable that an object names, or a mark in its place."""
    if "variable_name" not in obj:
        return RemoveValue()
    name = _hydrate(obj["variable_name"], ctx)
    if isinstance(name, Placeholder):
        return name
    if not ctx.render_workspace_variables:
        return WorkspaceVariable(variable_name=name)
    if isinstance(name, str) and name in ctx.workspace_variables:
        return ctx.workspace_variables[name]
    return WorkspaceVariableNotFound(detail=str(name))


# --- walking ----------------------------------------------------------------------------------------------------------


def hydrate(obj: dict[str, Any], ctx: HydrationContext | None = None) -> dict[str, Any]:
    """Return parameters with the objects replaced that stand for other values, at any depth.

    What cannot be replaced has its error in its place, unless the context says to raise.

    Raises:
        HydrationError: A value cannot be had, and the context says to raise.
    """
    return _hydrate(obj, ctx or HydrationContext())


def _hydrate(obj: Any, ctx: HydrationContext) -> Any:
    if isinstance(obj, dict):
        if _KIND in obj:
            return call_handler(obj[_KIND], obj, ctx)
        return {key: value for key, item in obj.items() if not _is_removed(value := _hydrate(item, ctx))}
    if isinstance(obj, list):
        return [value for item in obj if not _is_removed(value := _hydrate(item, ctx))]
    return obj


def _is_removed(value: Any) -> bool:
    return isinstance(value, RemoveValue)
