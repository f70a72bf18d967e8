"""Commands and groups: click's, with the help and the courtesies of this command line."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from prefect.cli._params import Positional, take_arguments_given_by_name
from prefect.cli.table import CommandEntry

_SESSION_HELP = [
    ("--profile NAME", "Use this profile for this call. (-p before the command)"),
    ("--prompt / --no-prompt", "Ask questions, or do not."),
]


class _WithHelp(click.Command):
    """What the help of commands and of groups has in common."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        arguments = [
            (f"{parameter.make_metavar(ctx)}  {parameter.flag}", parameter.summary)
            for parameter in self.get_params(ctx)
            if isinstance(parameter, Positional)
        ]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        super().format_options(ctx, formatter)
        if ctx.parent is not None:
            with formatter.section("Session options"):
                formatter.write_dl(_SESSION_HELP)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, take_arguments_given_by_name(ctx, args))


class PrefectCommand(_WithHelp):
    """A command."""


class PrefectGroup(_WithHelp, click.Group):
    """A group of commands. Called without one, it prints its help; a misspelt one is guessed."""

    command_class = PrefectCommand
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("invoke_without_command", True)
        super().__init__(*args, **kwargs)
        self.aliases: dict[str, str] = {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(_unknown_command(name, [*self.list_commands(ctx), *self.aliases]), ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and self.callback is None:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit(0)
        return super().parse_args(ctx, args)

    def add_alias(self, alias: str, name: str) -> None:
        """Let a command answer to another name, too. The help does not show it."""
        self.aliases[alias] = name


class TableGroup(PrefectGroup):
    """A group whose commands are named in a table and loaded when they are called."""

    def __init__(self, *args: Any, table: Mapping[str, CommandEntry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = {name: entry for name, entry in table.items() if entry.exists}
        self.aliases = {alias: name for name, entry in self.table.items() for alias in entry.aliases}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.table, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(self.aliases.get(cmd_name, cmd_name))
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry.target.partition(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table, so that an overview does not load every command.
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.table.items() if not entry.hidden])


def command_group(name: str, help: str, **attributes: Any) -> PrefectGroup:
    """Make a group of commands; add commands with its decorator `@group.command("name")`."""
    return PrefectGroup(name, help=help, **attributes)


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], PrefectCommand]:
    """Make a function a command that stands directly below `prefect`. Its docstring is the help."""
    return click.command(name, cls=PrefectCommand, **attributes)


def _unknown_command(name: str, known: list[str]) -> str:
    # Imported here because only mistakes need it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" Known are: {', '.join(sorted(known))}."
    return f"Unknown command {name!r}.{hint}"
