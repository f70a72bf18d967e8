"""Parameters of commands: click's, with the spellings that this command line adds."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from prefect.cli._output import fail

F = TypeVar("F", bound=Callable[..., Any])

_GIVEN_BY_NAME = "prefect.given_by_name"


def take_arguments_given_by_name(context: click.Context, arguments: list[str]) -> list[str]:
    """Note the values of positional arguments that are given by name, and return what is left for the parser."""
    flags = {
        spelling: parameter
        for parameter in context.command.params
        if isinstance(parameter, Positional)
        for spelling in (parameter.flag, parameter.flag.replace("_", "-"))
    }
    values: dict[str | None, list[str]] = {}
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        if argument == "--":
            rest += [argument, *remaining]
            break
        flag, equals, value = argument.partition("=")
        if flag not in flags:
            rest.append(argument)
            continue
        if not equals:
            if not remaining:
                raise click.BadOptionUsage(flag, f"Option {flag!r} requires an argument.", context)
            value = remaining.pop(0)
        values.setdefault(flags[flag].name, []).append(value)
    context.meta[_GIVEN_BY_NAME] = values
    return rest


class Positional(click.Argument):
    """An argument that may also be given by name, as in `prefect profile delete --name old`."""

    def __init__(self, param_decls: Sequence[str], flag: str, summary: str, **attributes: Any) -> None:
        super().__init__(param_decls, **attributes)
        self.flag = flag
        self.summary = summary

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        if self.name not in ctx.meta.get(_GIVEN_BY_NAME, {}):
            super().add_to_parser(parser, ctx)

    def consume_value(self, ctx: click.Context, opts: Any) -> tuple[Any, ParameterSource]:
        values = ctx.meta.get(_GIVEN_BY_NAME, {}).get(self.name)
        if values is None:
            return super().consume_value(ctx, opts)
        return (tuple(values) if self.nargs == -1 else values[-1]), ParameterSource.COMMANDLINE


class Repeatable(click.Option):
    """An option that may be given several times; `--empty-…` forgets what stands before it."""

    def __init__(self, param_decls: Sequence[str], **attributes: Any) -> None:
        super().__init__(param_decls, multiple=True, **attributes)
        long_name = next(name for name in self.opts if name.startswith("--"))
        self.emptying = f"--empty-{long_name[2:]}"
        self.secondary_opts = [self.emptying]

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        parser.add_option(self, [self.emptying], dest=self.name, action="store_const", const=[])

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.secondary_opts = []
        try:
            return super().get_help_record(ctx)
        finally:
            self.secondary_opts = [self.emptying]


def argument(
    name: str, flag: str, help: str, *, required: bool = True, many: bool = False, type: Any = None
) -> Callable[[F], F]:
    """Add a positional argument to a command.

    Args:
        name: Name of the function's parameter. A missing argument is None, or an empty tuple if there may be many.
        flag: Long option by which the argument may be given, too.
    """
    return click.argument(
        name, cls=Positional, flag=flag, summary=help, required=required, nargs=-1 if many else 1, type=type
    )


def option(*names: str, help: str, **attributes: Any) -> Callable[[F], F]:
    """Add an option that takes one value. The function gets None if it is not given."""
    return click.option(*names, help=help, **attributes)


def repeatable(*names: str, help: str, type: Any = None, hidden: bool = False) -> Callable[[F], F]:
    """Add an option that may be given several times. The function gets a tuple."""
    return click.option(*names, cls=Repeatable, help=help, type=type, hidden=hidden)


def switch(*names: str, help: str, default: bool | None = False, negative: str | None = None) -> Callable[[F], F]:
    """Add an option that is on or off.

    Args:
        names: Its spellings, a long one among them.
        negative: The spelling that turns it off; `--no-…` if not given.
    """
    long_name = next(name for name in names if name.startswith("--"))
    off = negative or f"--no-{long_name[2:]}"
    spellings = [f"{name}/{off}" if name == long_name else name for name in names]
    return click.option(*spellings, help=help, default=default)


def yes(help: str = "Do not ask.") -> Callable[[F], F]:
    """Add the option that agrees in advance to what would be asked."""
    return switch("--yes", "-y", help=help)


def output() -> Callable[[F], F]:
    """Add the option that asks for JSON. The function gets True for JSON as `as_json`."""
    return click.option(
        "--output",
        "-o",
        "as_json",
        metavar="json",
        default=None,
        expose_value=True,
        callback=lambda _context, _parameter, value: _is_json(value),
        help="Print JSON.",
    )


def _is_json(value: str | None) -> bool:
    if value is not None and value.lower() != "json":
        fail(f"Output format {value!r} is not supported. Only 'json' is.")
    return value is not None
