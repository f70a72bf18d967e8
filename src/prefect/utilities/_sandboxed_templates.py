"""Renders the templates that users store: no access to internals, no change to what they are given, no endless work.

This is the module that is about jinja2; it is reached by name, when there is a template to render.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["TemplateProblem", "check", "check_syntax", "is_template", "make_environment", "render"]

_MAX_LOOPS = 10
_MAX_NESTED_LOOPS = 2
_MAX_RANGE = 100
_MAX_LENGTH = 1_000_000
_MAX_EXPONENT = 1_000
_TOO_DEEP = "the template is nested too deeply"


class TemplateProblem(ValueError):
    """A template is malformed, asks for too much, or failed to render; the text says how.

    Attributes:
        line: The line of a malformed template that the text is about, from 1; 0 when it is about no single line.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and isinstance(right, (int, float)) and abs(right) > _MAX_EXPONENT:
            raise SecurityError(f"exponent {right!r} is larger than {_MAX_EXPONENT}")
        if operator == "*":
            for sequence, times in ((left, right), (right, left)):
                if isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                    if len(sequence) * times > _MAX_LENGTH:
                        raise SecurityError(f"a sequence longer than {_MAX_LENGTH} items is too long")
        return super().call_binop(context, operator, left, right)


def _short_range(*args: Any) -> range:
    numbers = range(*args)
    if len(numbers) > _MAX_RANGE:
        raise SecurityError(f"range() of {len(numbers)} numbers is longer than {_MAX_RANGE}")
    return numbers


def make_environment(filters: Mapping[str, Callable[..., Any]] | None = None) -> ImmutableSandboxedEnvironment:
    """Make a sandbox in which names without a value are empty, also where parts of them are asked for.

    Args:
        filters: Filters besides jinja's own.
    """
    environment = _Environment(undefined=ChainableUndefined, autoescape=False)
    environment.globals["range"] = _short_range
    environment.filters.update(filters or {})
    return environment


_default = make_environment()


def is_template(text: str) -> bool:
    """Say whether a text has anything to render."""
    return "{{" in text or "{%" in text


def check(template: str, environment: ImmutableSandboxedEnvironment = _default) -> None:
    """Check that a template is well-formed and does not loop too much.

    Raises:
        TemplateProblem: It is not, or does.
    """
    if is_template(template):
        _compiled(environment, template)


def check_syntax(template: str) -> None:
    """Check that a template is well-formed and does not loop too much, whatever filters it is rendered with.

    Raises:
        TemplateProblem: It is not, or does.
    """
    if is_template(template):
        _parsed(_default, template)


def render(template: str, context: Mapping[str, Any], environment: ImmutableSandboxedEnvironment = _default) -> str:
    """Render a template; a text that holds none is returned as it is.

    Raises:
        TemplateProblem: The template is malformed, or failed to render.
    """
    if not is_template(template):
        return template
    compiled = _compiled(environment, template)
    try:
        return compiled.render(context)
    except Exception as error:
        # Rendering calls methods of whatever the context holds.
        raise TemplateProblem(str(error) or type(error).__name__) from error


@lru_cache(maxsize=256)
def _compiled(environment: ImmutableSandboxedEnvironment, template: str) -> Template:
    tree = _parsed(environment, template)
    try:
        return environment.from_string(tree)
    except TemplateError as error:
        raise _problem(error) from error
    except RecursionError as error:
        raise TemplateProblem(_TOO_DEEP) from error


def _parsed(environment: ImmutableSandboxedEnvironment, template: str) -> nodes.Template:
    try:
        tree = environment.parse(template)
        _check_loops(tree)
    except TemplateError as error:
        raise _problem(error) from error
    except RecursionError as error:
        raise TemplateProblem(_TOO_DEEP) from error
    return tree


def _problem(error: TemplateError) -> TemplateProblem:
    return TemplateProblem(str(error.message or error), getattr(error, "lineno", 0))


def _check_loops(tree: nodes.Template) -> None:
    loops = len(list(tree.find_all(nodes.For)))
    if loops > _MAX_LOOPS:
        raise TemplateProblem(f"{loops} loops are more than the {_MAX_LOOPS} that a template may have")
    depth = _loop_depth(tree)
    if depth > _MAX_NESTED_LOOPS:
        raise TemplateProblem(f"loops may be nested {_MAX_NESTED_LOOPS} deep, not {depth}")


def _loop_depth(node: nodes.Node) -> int:
    below = max((_loop_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)
